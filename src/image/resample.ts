/** Picks pixels, or applies taps along both axes of a picture in plain arithmetic. */
import type { Picture } from "../core/picture.ts";
import { pixelsOf } from "./pixels.ts";
import type { Taps } from "./taps.ts";

/** Picks one source pixel for each output pixel. */
export function pick(picture: Picture, rows: Int32Array, columns: Int32Array): Picture {
  const pixels = pixelsOf(picture);
  const [height, width] = [rows.length, columns.length];
  const out = new Int32Array(width * height);
  for (let y = 0, to = 0; y < height; y++) {
    const row = rows[y]! * picture.width;
    for (let x = 0; x < width; x++) out[to++] = pixels[row + columns[x]!]! | 0xff000000;
  }
  return { width, height, data: new Uint8ClampedArray(out.buffer) };
}

/** Plain arithmetic without rounding between the passes; `round` makes the final grey levels. */
export function resampleFloat(picture: Picture, rows: Taps, columns: Taps, round: (value: number) => number): Picture {
  const { width, height, data } = picture;
  const outWidth = columns.starts.length;
  const outHeight = rows.starts.length;
  const stride = outWidth * 3;
  const across = new Float32Array(height * stride);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < outWidth; x++, to += 3) {
      let at = (y * width + columns.starts[x]!) * 4;
      let red = 0;
      let green = 0;
      let blue = 0;
      const end = x * columns.width + columns.counts[x]!;
      for (let k = x * columns.width; k < end; k++, at += 4) {
        const w = columns.weights[k]!;
        red += w * data[at]!;
        green += w * data[at + 1]!;
        blue += w * data[at + 2]!;
      }
      across[to] = red;
      across[to + 1] = green;
      across[to + 2] = blue;
    }
  }
  const out = new Uint8ClampedArray(outWidth * outHeight * 4).fill(255);
  const sums = new Float64Array(stride);
  for (let y = 0, to = 0; y < outHeight; y++) {
    sums.fill(0);
    let at = rows.starts[y]! * stride;
    for (let k = 0; k < rows.counts[y]!; k++, at += stride) {
      const w = rows.weights[y * rows.width + k]!;
      for (let i = 0; i < stride; i++) sums[i] = sums[i]! + w * across[at + i]!;
    }
    for (let i = 0; i < stride; i += 3, to += 4) {
      out[to] = round(sums[i]!);
      out[to + 1] = round(sums[i + 1]!);
      out[to + 2] = round(sums[i + 2]!);
    }
  }
  return { width: outWidth, height: outHeight, data: out };
}
