/**
 * Views: how the network sees the canvas at one step. Padding, jitter, scale, rotation, mirror and crop are one affine
 * map of places, sampled bilinearly; a linear map, with its adjoint. A blur is another.
 */
/** A place (x, y) of the view lies at (a x + b y + c, d x + e y + f) of the canvas, in pixels from the centre of each. */
export type Affine = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/** What lies outside the canvas: its mirror image, or nothing (0, to which a constant may be added). */
export type Border = "reflect" | "empty";

export interface View {
  readonly height: number;
  readonly width: number;
  /** `[planes, height, width]` of the canvas to the view; of the canvas itself no copy. */
  apply(planes: Float32Array): Float32Array;
  /** The transposed map: of the view's slopes to the canvas'. */
  adjoint(slopes: Float32Array): Float32Array;
  /** How much of each place of the view lies on the canvas, 0 to 1. */
  readonly cover: Float32Array;
}

export interface Size {
  readonly height: number;
  readonly width: number;
}

/** -1 for a place outside. */
function placed(at: number, size: number, border: Border): number {
  if (at >= 0 && at < size) return at;
  if (border === "empty") return -1;
  if (size === 1) return 0;
  const period = 2 * (size - 1);
  const folded = ((at % period) + period) % period;
  return folded < size ? folded : period - folded;
}

/**
 * Makes views of one canvas for many steps. They share memory: a view, and what it gives, lasts until the next one is
 * made.
 */
export function viewer(canvas: Size, size: Size, border: Border): (affine: Affine) => View {
  const [from, to] = [canvas.height * canvas.width, size.height * size.width];
  // Four taps a place: index into the canvas, and weight.
  const index = new Int32Array(4 * to);
  const weight = new Float32Array(4 * to);
  const cover = new Float32Array(to);
  let seen = new Float32Array(0);
  let back = new Float32Array(0);
  const sized = (buffer: Float32Array<ArrayBuffer>, length: number): Float32Array<ArrayBuffer> =>
    buffer.length === length ? buffer : new Float32Array(length);
  const made: View = {
    ...size,
    cover,
    apply(planes) {
      const end = (planes.length / from) * to;
      const out = sized(seen, end);
      seen = out;
      // One constant a line: an array taken apart here costs as much as the sums.
      for (let i = 0, t = 0; i < to; i++, t += 4) {
        const i0 = index[t]!;
        const i1 = index[t + 1]!;
        const i2 = index[t + 2]!;
        const i3 = index[t + 3]!;
        const w0 = weight[t]!;
        const w1 = weight[t + 1]!;
        const w2 = weight[t + 2]!;
        const w3 = weight[t + 3]!;
        for (let at = i, plane = 0; at < end; at += to, plane += from)
          out[at] =
            planes[plane + i0]! * w0 + planes[plane + i1]! * w1 + planes[plane + i2]! * w2 + planes[plane + i3]! * w3;
      }
      return out;
    },
    adjoint(slopes) {
      const end = slopes.length;
      const out = sized(back, (end / to) * from).fill(0);
      back = out;
      for (let i = 0, t = 0; i < to; i++, t += 4) {
        const i0 = index[t]!;
        const i1 = index[t + 1]!;
        const i2 = index[t + 2]!;
        const i3 = index[t + 3]!;
        const w0 = weight[t]!;
        const w1 = weight[t + 1]!;
        const w2 = weight[t + 2]!;
        const w3 = weight[t + 3]!;
        for (let at = i, plane = 0; at < end; at += to, plane += from) {
          const slope = slopes[at]!;
          out[plane + i0]! += slope * w0;
          out[plane + i1]! += slope * w1;
          out[plane + i2]! += slope * w2;
          out[plane + i3]! += slope * w3;
        }
      }
      return out;
    },
  };
  const itself = same(size);
  const isSize = canvas.height === size.height && canvas.width === size.width;
  return (affine) => {
    if (isSize && affine.every((x, i) => x === unchanged[i])) return itself;
    place(affine, canvas, size, border, { index, weight, cover });
    return made;
  };
}

/** One view, with memory of its own. */
export const view = (affine: Affine, canvas: Size, size: Size, border: Border): View =>
  viewer(canvas, size, border)(affine);

interface Taps {
  readonly index: Int32Array;
  readonly weight: Float32Array;
  readonly cover: Float32Array;
}

/** Where each place of the view lies on the canvas: the four pixels around it, weighted bilinearly. */
function place(
  [a, b, c, d, e, f]: Affine,
  canvas: Size,
  size: Size,
  border: Border,
  { index, weight, cover }: Taps,
): void {
  const { width, height } = canvas;
  const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2];
  const [seenX, seenY] = [(size.width - 1) / 2, (size.height - 1) / 2];
  for (let row = 0, at = 0; row < size.height; row++) {
    const y = row - seenY;
    const by = b * y;
    const ey = e * y;
    for (let column = 0; column < size.width; column++, at++) {
      const x = column - seenX;
      const u = a * x + by + c + middleX;
      const v = d * x + ey + f + middleY;
      const left = Math.floor(u);
      const top = Math.floor(v);
      const right = u - left;
      const below = v - top;
      const tap = 4 * at;
      if (left >= 0 && top >= 0 && left + 1 < width && top + 1 < height) {
        const first = top * width + left;
        index[tap] = first;
        index[tap + 1] = first + 1;
        index[tap + 2] = first + width;
        index[tap + 3] = first + width + 1;
        const before = 1 - right;
        const over = 1 - below;
        weight[tap] = before * over;
        weight[tap + 1] = right * over;
        weight[tap + 2] = before * below;
        weight[tap + 3] = right * below;
        cover[at] = 1;
        continue;
      }
      cover[at] = 0;
      for (let t = 0; t < 4; t++) {
        const [dx, dy] = [t & 1, t >> 1];
        const [px, py] = [placed(left + dx, width, border), placed(top + dy, height, border)];
        const isOn = px >= 0 && py >= 0;
        index[tap + t] = isOn ? py * width + px : 0;
        weight[tap + t] = isOn ? (dx ? right : 1 - right) * (dy ? below : 1 - below) : 0;
        cover[at]! += weight[tap + t]!;
      }
    }
  }
}

/** The canvas itself. */
const same = ({ height, width }: Size): View => ({
  height,
  width,
  cover: new Float32Array(height * width).fill(1),
  apply: (planes) => planes,
  adjoint: (slopes) => slopes,
});

/** `outer` after `inner`: where a place of the view lies once both are done. */
export function compose(outer: Affine, inner: Affine): Affine {
  const [a, b, c, d, e, f] = outer;
  const [p, q, r, s, t, u] = inner;
  return [a * p + b * s, a * q + b * t, a * r + b * u + c, d * p + e * s, d * q + e * t, d * r + e * u + f];
}

export const unchanged: Affine = [1, 0, 0, 0, 1, 0];

/**
 * A Gaussian blur of each plane, cut off at three deviations; at the edges the weights that lie on the plane are
 * enlarged to 1 again. The adjoint is the transposed map.
 */
export function gaussian(deviation: number, { height, width }: Size): Pick<View, "apply" | "adjoint"> {
  const [down, across] = [kernels(deviation, height), kernels(deviation, width)];
  const area = height * width;
  const along = (planes: Float32Array, way: typeof spread): Float32Array => {
    const [half, out] = [new Float32Array(planes.length), new Float32Array(planes.length)];
    for (let start = 0; start < planes.length; start += area) {
      for (let row = 0; row < height; row++) way(planes, half, start + row * width, 1, across);
      for (let column = 0; column < width; column++) way(half, out, start + column, width, down);
    }
    return out;
  };
  // Rows and columns commute, so that the transposed map may go in the same order.
  return { apply: (planes) => along(planes, gather), adjoint: (slopes) => along(slopes, spread) };
}

/** The weights of one place of a line: of which places from `first`. */
interface Kernel {
  readonly first: number;
  readonly weights: Float64Array;
}

const kernels = (deviation: number, length: number): readonly Kernel[] =>
  Array.from({ length }, (_, at) => {
    const reach = Math.ceil(3 * deviation);
    const [first, last] = [Math.max(0, at - reach), Math.min(length - 1, at + reach)];
    const weights = Float64Array.from({ length: last - first + 1 }, (_, i) =>
      Math.exp(-((first + i - at) ** 2) / (2 * deviation ** 2)),
    );
    const sum = weights.reduce((a, b) => a + b, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });

function gather(from: Float32Array, to: Float32Array, start: number, stride: number, line: readonly Kernel[]): void {
  for (const [at, { first, weights }] of line.entries()) {
    let sum = 0;
    for (let i = 0; i < weights.length; i++) sum += weights[i]! * from[start + (first + i) * stride]!;
    to[start + at * stride] = sum;
  }
}

function spread(from: Float32Array, to: Float32Array, start: number, stride: number, line: readonly Kernel[]): void {
  for (const [at, { first, weights }] of line.entries())
    for (let i = 0; i < weights.length; i++)
      to[start + (first + i) * stride]! += weights[i]! * from[start + at * stride]!;
}
