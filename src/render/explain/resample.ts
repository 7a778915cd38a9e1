/**
 * Resampling onto a grid of pixels from a rectangle that lies anywhere on it, at fractions of pixels too: heat maps onto
 * photographs, photographs onto the size at which they are shown.
 */
import type { Picture } from "../../core/picture.ts";

/** A rectangle in pixels; it may be fractional and reach outside. */
export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Which source cells make each pixel of a line, with their weights; a pixel outside the rectangle has none. */
interface Taps {
  readonly first: Int32Array;
  /** `most` weights a pixel, those not needed 0. */
  readonly weights: Float32Array;
  readonly most: number;
}

/**
 * The taps of `pixels` pixels under `cells` cells that reach from `start` over `length` pixels. Smooth: a triangle as wide as
 * a cell or a pixel, whichever is wider, which is bilinear where cells are enlarged (half-pixel centres, edges repeated,
 * as OpenCV and PyTorch do it) and an average where they shrink. Not smooth: the cell that holds the pixel's centre.
 */
function tapsOf(cells: number, pixels: number, start: number, length: number, smooth: boolean): Taps {
  const scale = cells / length;
  const reach = Math.max(1, scale);
  const most = smooth ? Math.ceil(2 * reach) + 1 : 1;
  const first = new Int32Array(pixels).fill(-1);
  const weights = new Float32Array(pixels * most);
  for (let i = 0; i < pixels; i++) {
    const place = (i + 0.5 - start) * scale;
    if (place < 0 || place >= cells) continue;
    if (!smooth) {
      first[i] = Math.min(cells - 1, Math.floor(place));
      weights[i] = 1;
      continue;
    }
    const center = place - 0.5;
    const from = Math.max(0, Math.floor(center - reach) + 1);
    const to = Math.min(cells - 1, Math.ceil(center + reach) - 1);
    first[i] = from;
    let sum = 0;
    for (let cell = from; cell <= to; cell++) {
      const weight = 1 - Math.abs(cell - center) / reach;
      weights[i * most + cell - from] = weight;
      sum += weight;
    }
    for (let k = 0; k <= to - from; k++) weights[i * most + k]! /= sum;
  }
  return { first, weights, most };
}

/**
 * `values` (rows of `width` cells) as they lie on `across` x `down` pixels when they fill `place`; pixels outside it are 0.
 */
export function resample(
  values: Float32Array,
  height: number,
  width: number,
  down: number,
  across: number,
  place: Rectangle = { x: 0, y: 0, width: across, height: down },
  smooth = true,
): Float32Array {
  const columns = tapsOf(width, across, place.x, place.width, smooth);
  const rows = tapsOf(height, down, place.y, place.height, smooth);
  const narrow = new Float32Array(height * across);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < across; x++) {
      const from = columns.first[x]!;
      if (from < 0) continue;
      let sum = 0;
      for (let k = 0, last = Math.min(columns.most, width - from); k < last; k++)
        sum += columns.weights[x * columns.most + k]! * values[y * width + from + k]!;
      narrow[y * across + x] = sum;
    }
  const out = new Float32Array(down * across);
  for (let y = 0; y < down; y++) {
    const from = rows.first[y]!;
    if (from < 0) continue;
    for (let k = 0, last = Math.min(rows.most, height - from); k < last; k++) {
      const weight = rows.weights[y * rows.most + k]!;
      if (weight === 0) continue;
      const source = (from + k) * across;
      for (let x = 0; x < across; x++) out[y * across + x]! += weight * narrow[source + x]!;
    }
  }
  return out;
}

/** A picture in another size; not smooth: its pixels become blocks. */
export function resamplePicture(picture: Picture, height: number, width: number, smooth: boolean): Picture {
  if (picture.height === height && picture.width === width) return picture;
  const data = new Uint8ClampedArray(height * width * 4);
  const plane = new Float32Array(picture.width * picture.height);
  for (let c = 0; c < 4; c++) {
    for (let i = 0; i < plane.length; i++) plane[i] = picture.data[4 * i + c]!;
    const made = resample(plane, picture.height, picture.width, height, width, undefined, smooth);
    for (let i = 0; i < made.length; i++) data[4 * i + c] = Math.round(made[i]!);
  }
  return { width, height, data };
}
