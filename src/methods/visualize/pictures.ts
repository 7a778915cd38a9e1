/** From a canvas of numbers to what is kept: an 8-bit picture, the network's own numbers. */
import type { Picture } from "../../core/picture.ts";
import { float32, type Tensor } from "../../core/tensor.ts";
import type { Preprocessing } from "../../model/card.ts";
import type { CanvasSize } from "./parameters.ts";
import type { PictureRule } from "./presets.ts";

type PlaneSize = Omit<CanvasSize, "count">;

/** Red, green, blue of 0 to 255 from three planes, or one that is grey, or the first three. */
function colours(planes: Float32Array, { channels, height, width }: PlaneSize, level: (x: number) => number): Picture {
  const area = height * width;
  const data = new Uint8ClampedArray(area * 4).fill(255);
  for (let c = 0; c < 3; c++) {
    const from = Math.min(c, channels < 3 ? 0 : 2) * area;
    for (let i = 0; i < area; i++) data[4 * i + c] = level(planes[from + i]!);
  }
  return { width, height, data };
}

/** A canvas of 0 to 1. */
export const plainPicture = (planes: Float32Array, size: PlaneSize): Picture =>
  colours(planes, size, (x) => Math.round(255 * Math.min(1, Math.max(0, x))));

/**
 * Raw numbers by the Keras book's rule: (x - mean) / (std + epsilon) * gain + middle, clipped to 0..255, cut off. Planes
 * are shown as red, green, blue in their own order, as the book does.
 */
export function rulePicture(planes: Float32Array, size: PlaneSize, { epsilon, gain, middle }: PictureRule): Picture {
  const mean = planes.reduce((sum, x) => sum + x, 0) / planes.length;
  const deviation = Math.sqrt(planes.reduce((sum, x) => sum + (x - mean) ** 2, 0) / planes.length);
  const over = deviation + epsilon || 1;
  return colours(planes, size, (x) => Math.floor(Math.min(255, Math.max(0, ((x - mean) / over) * gain + middle))));
}

/** Raw numbers as the colours that the preprocessing would make them of. */
export function undonePicture(planes: Float32Array, size: PlaneSize, preprocessing: Preprocessing): Picture {
  const { scale, mean, std, channels } = preprocessing;
  const area = size.height * size.width;
  const swapped = channels === "BGR" && size.channels === 3;
  const colour = new Float32Array(planes.length);
  for (let c = 0; c < size.channels; c++) {
    const [m, s] = [mean[c] ?? mean[0] ?? 0, std[c] ?? std[0] ?? 1];
    const to = (swapped ? 2 - c : c) * area;
    for (let i = 0; i < area; i++) colour[to + i] = (planes[c * area + i]! * s + m) / (255 * scale);
  }
  return plainPicture(colour, size);
}

/** Without `edge` pixels at each side; small pictures stay whole. */
export function cropped(picture: Picture, edge: number): Picture {
  const [width, height] = [picture.width - 2 * edge, picture.height - 2 * edge];
  if (edge === 0 || width < 1 || height < 1) return picture;
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    const from = 4 * ((y + edge) * picture.width + edge);
    data.set(picture.data.subarray(from, from + 4 * width), 4 * y * width);
  }
  return { width, height, data };
}

/** One of a batch, without the batch axis. */
export function rowOf({ dims, data }: Tensor<"float32">, row: number): Tensor<"float32"> {
  const size = data.length / dims[0]!;
  return float32(dims.slice(1), data.slice(row * size, (row + 1) * size));
}
