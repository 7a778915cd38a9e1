/** Applies taps along both axes of a picture: rows first, then columns. Two arithmetics: Pillow's and plain numbers. */
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

const precision = 22;
const half = 1 << (precision - 1);

/** Weights in fixed point with 22 fractional bits, rounded half away from zero. */
function fixed({ weights }: Taps): Int32Array {
  const out = new Int32Array(weights.length);
  // Storing cuts the fraction off.
  for (let i = 0; i < out.length; i++) out[i] = weights[i]! * (1 << precision) + (weights[i]! < 0 ? -0.5 : 0.5);
  return out;
}

/**
 * Pillow's resampling of 8-bit pictures: fixed point, rounded and clipped to 8 bit after each pass. `undefined`: the
 * axis stays. Pillow 13 takes the columns first when the height shrinks by more than twice what the width does
 * (checked against it on thousands of sizes); earlier versions always took the rows first.
 */
export function resampleFixed(picture: Picture, rows: Taps | undefined, columns: Taps | undefined): Picture {
  if (!rows) return columns ? fixedRows(picture, columns, 0, picture.height) : picture;
  if (!columns) return fixedColumns(picture, rows);
  const lostHeight = picture.height - rows.starts.length;
  const lostWidth = picture.width - columns.starts.length;
  if (lostHeight > 0 && lostHeight > 2 * lostWidth) {
    const shrunk = fixedColumns(picture, rows);
    return fixedRows(shrunk, columns, 0, shrunk.height);
  }
  const end = rows.starts.at(-1)! + rows.counts.at(-1)!;
  return fixedColumns(fixedRows(picture, columns, rows.starts[0]!, end), rows);
}

const clip = (sum: number): number => Math.max(0, Math.min(255, sum >> precision));

/** The weighted sum of pixels `step` apart from `at` on, as one opaque pixel. Pixels are one little-endian word each: one load gives all channels. */
function weigh(pixels: Int32Array, at: number, step: number, weights: Int32Array, first: number, end: number): number {
  let red = half;
  let green = half;
  let blue = half;
  for (let k = first; k < end; k++, at += step) {
    const weight = weights[k]!;
    const pixel = pixels[at]!;
    red = (red + Math.imul(weight, pixel & 255)) | 0;
    green = (green + Math.imul(weight, (pixel >> 8) & 255)) | 0;
    blue = (blue + Math.imul(weight, (pixel >> 16) & 255)) | 0;
  }
  return clip(red) | (clip(green) << 8) | (clip(blue) << 16) | 0xff000000;
}

/** Resamples the rows from `first` to before `end`; the others stay empty, as nothing reads them. */
function fixedRows(picture: Picture, taps: Taps, first: number, end: number): Picture {
  const pixels = pixelsOf(picture);
  const weights = fixed(taps);
  const width = taps.starts.length;
  const out = new Int32Array(width * picture.height);
  for (let y = first; y < end; y++) {
    for (let x = 0; x < width; x++) {
      const k = x * taps.width;
      const at = y * picture.width + taps.starts[x]!;
      out[y * width + x] = weigh(pixels, at, 1, weights, k, k + taps.counts[x]!);
    }
  }
  return { width, height: picture.height, data: new Uint8ClampedArray(out.buffer) };
}

function fixedColumns(picture: Picture, taps: Taps): Picture {
  const pixels = pixelsOf(picture);
  const weights = fixed(taps);
  const { width } = picture;
  const height = taps.starts.length;
  const out = new Int32Array(width * height);
  for (let y = 0; y < height; y++) {
    const k = y * taps.width;
    const end = k + taps.counts[y]!;
    const row = taps.starts[y]! * width;
    for (let x = 0; x < width; x++) out[y * width + x] = weigh(pixels, row + x, width, weights, k, end);
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
