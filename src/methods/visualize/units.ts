/** A canvas of planes of 0 to 1 in red, green, blue as the tensor that the network takes, and slopes on the way back. */
import { float32, type Tensor } from "../../core/tensor.ts";
import type { Preprocessing } from "../../model/card.ts";
import type { CanvasSize } from "./parameters.ts";

/** How a canvas becomes what the network takes; `raw`: it is that already, but for the order of axes. */
export interface Units {
  readonly raw: boolean;
  readonly preprocessing: Preprocessing;
  readonly layout: "NCHW" | "NHWC";
}

/** The grey of a canvas: of raw numbers the one that the preprocessing makes of the middle of 0 to 255. */
export const middleOf = ({ raw, preprocessing: { scale, mean, std } }: Units): number =>
  raw ? (127.5 * scale - (mean[0] ?? 0)) / (std[0] ?? 1) : 0.5;

/** What is added to the numbers of pictures: a row of 2^n numbers, read round and round. */
export interface Noise {
  readonly row: Float32Array;
  /** Where in the row each picture begins. */
  readonly from: readonly number[];
}

/**
 * Planes of a canvas as the network's tensor, in `out`; it shares their memory where nothing is to be done. Noise is
 * added on the way: a pass of its own took a fourteenth of all that is done beside the engine.
 */
export function toInput(
  planes: Float32Array,
  { count, channels }: CanvasSize,
  { height, width }: { readonly height: number; readonly width: number },
  units: Units,
  out: Float32Array = new Float32Array(planes.length),
  noise?: Noise,
): Tensor<"float32"> {
  const dims = units.layout === "NHWC" ? [count, height, width, channels] : [count, channels, height, width];
  if (isSame(units) && !noise) return float32(dims, planes);
  const area = height * width;
  for (const { picture, plane, end, first, stride, gain, shift } of ways(count, channels, area, units)) {
    if (noise) {
      const { row } = noise;
      const round = row.length - 1;
      const offset = noise.from[picture]! - picture * channels * area;
      for (let i = plane, to = first; i < end; i++, to += stride)
        out[to] = (planes[i]! + row[(offset + i) & round]!) * gain + shift;
    } else for (let i = plane, to = first; i < end; i++, to += stride) out[to] = planes[i]! * gain + shift;
  }
  return float32(dims, out);
}

/** The adjoint of `toInput`. */
export function fromInput(
  { data }: Tensor<"float32">,
  { count, channels }: CanvasSize,
  units: Units,
  out: Float32Array = new Float32Array(data.length),
): Float32Array {
  if (isSame(units)) return data;
  const area = data.length / (count * channels);
  for (const { plane, end, first, stride, gain } of ways(count, channels, area, units))
    for (let i = plane, from = first; i < end; i++, from += stride) out[i] = data[from]! * gain;
  return out;
}

const isSame = ({ raw, layout }: Units): boolean => raw && layout === "NCHW";

/** Where a plane of the canvas begins and ends, and where and how far apart its numbers lie in the tensor: x gain + shift. */
interface Way {
  /** Whose plane it is. */
  readonly picture: number;
  readonly plane: number;
  readonly end: number;
  readonly first: number;
  readonly stride: number;
  readonly gain: number;
  readonly shift: number;
}

function ways(count: number, channels: number, area: number, { raw, preprocessing, layout }: Units): readonly Way[] {
  const { scale, mean, std } = preprocessing;
  const isTurned = !raw && preprocessing.channels === "BGR" && channels === 3;
  return Array.from({ length: count * channels }, (_, at): Way => {
    const [picture, c] = [Math.floor(at / channels), at % channels];
    const plane = (picture * channels + (isTurned ? 2 - c : c)) * area;
    const place =
      layout === "NHWC" ? { first: picture * channels * area + c, stride: channels } : { first: at * area, stride: 1 };
    const end = plane + area;
    if (raw) return { picture, plane, end, ...place, gain: 1, shift: 0 };
    // x = (255 p scale - mean) / std
    const [m, s] = [mean[c] ?? mean[0] ?? 0, std[c] ?? std[0] ?? 1];
    return { picture, plane, end, ...place, gain: (255 * scale) / s, shift: -m / s };
  });
}
