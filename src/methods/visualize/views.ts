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

export function view(affine: Affine, canvas: Size, size: Size, border: Border): View {
  if (affine.every((x, i) => x === unchanged[i]) && canvas.height === size.height && canvas.width === size.width)
    return same(size);
  const [a, b, c, d, e, f] = affine;
  const [from, to] = [canvas.height * canvas.width, size.height * size.width];
  // Four taps a place: index into the canvas, and weight.
  const index = new Int32Array(4 * to);
  const weight = new Float32Array(4 * to);
  const cover = new Float32Array(to);
  const [middleX, middleY] = [(canvas.width - 1) / 2, (canvas.height - 1) / 2];
  for (let row = 0, at = 0; row < size.height; row++)
    for (let column = 0; column < size.width; column++, at++) {
      const [x, y] = [column - (size.width - 1) / 2, row - (size.height - 1) / 2];
      const [u, v] = [a * x + b * y + c + middleX, d * x + e * y + f + middleY];
      const [left, top] = [Math.floor(u), Math.floor(v)];
      for (let tap = 0; tap < 4; tap++) {
        const [dx, dy] = [tap & 1, tap >> 1];
        const [px, py] = [placed(left + dx, canvas.width, border), placed(top + dy, canvas.height, border)];
        if (px < 0 || py < 0) continue;
        const share = (dx ? u - left : 1 - (u - left)) * (dy ? v - top : 1 - (v - top));
        index[4 * at + tap] = py * canvas.width + px;
        weight[4 * at + tap] = share;
        cover[at]! += share;
      }
    }
  return {
    ...size,
    cover,
    apply(planes) {
      const count = planes.length / from;
      const out = new Float32Array(count * to);
      for (let plane = 0; plane < count; plane++) {
        const [start, base] = [plane * from, plane * to];
        for (let i = 0, t = 0; i < to; i++, t += 4)
          out[base + i] =
            planes[start + index[t]!]! * weight[t]! +
            planes[start + index[t + 1]!]! * weight[t + 1]! +
            planes[start + index[t + 2]!]! * weight[t + 2]! +
            planes[start + index[t + 3]!]! * weight[t + 3]!;
      }
      return out;
    },
    adjoint(slopes) {
      const count = slopes.length / to;
      const out = new Float32Array(count * from);
      for (let plane = 0; plane < count; plane++) {
        const [start, base] = [plane * from, plane * to];
        for (let i = 0, t = 0; i < to; i++, t += 4) {
          const slope = slopes[base + i]!;
          out[start + index[t]!]! += slope * weight[t]!;
          out[start + index[t + 1]!]! += slope * weight[t + 1]!;
          out[start + index[t + 2]!]! += slope * weight[t + 2]!;
          out[start + index[t + 3]!]! += slope * weight[t + 3]!;
        }
      }
      return out;
    },
  };
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
