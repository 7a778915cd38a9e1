/**
 * Views: how the network sees the canvas at one step. Padding, jitter, scale, rotation, mirror and crop are one affine
 * map of places, sampled bilinearly; a linear map, with its adjoint.
 */
import type { Random } from "../../core/random.ts";

/** A place (x, y) of the view lies at (a x + b y + c, d x + e y + f) of the canvas, in pixels from the centre of each. */
export type Affine = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/** What lies outside the canvas: its mirror image, or nothing (0, to which a constant may be added). */
export type Border = "reflect" | "empty";

export interface View {
  readonly height: number;
  readonly width: number;
  /** `[planes, height, width]` of the canvas to the view. */
  apply(planes: Float32Array): Float32Array;
  /** The transposed map: of the view's slopes to the canvas'. */
  adjoint(slopes: Float32Array): Float32Array;
  /** How much of each place of the view lies on the canvas, 0 to 1. */
  readonly cover: Float32Array;
}

interface Size {
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
  apply: (planes) => planes.slice(),
  adjoint: (slopes) => slopes.slice(),
});

/** What a transform may look at besides chance. */
export interface Moment {
  /** Steps done over all steps. */
  readonly progress: number;
  readonly canvas: Size;
  readonly sees: Size;
}

/** One random change of place, drawn anew at each step. */
export type Transform = (random: Random, moment: Moment) => Affine;

/** Shifts by whole pixels, up to `most` in all. */
export const jitter =
  (most: number): Transform =>
  (random) => [1, 0, random.integer(most + 1) - most / 2, 0, 1, random.integer(most + 1) - most / 2];

/** Shifts by whole pixels to any place where the view lies on the canvas. */
export const roam: Transform = (random, { canvas, sees }) => {
  const shift = (room: number): number => random.integer(Math.max(0, room) + 1) - Math.max(0, room) / 2;
  return [1, 0, shift(canvas.width - sees.width), 0, 1, shift(canvas.height - sees.height)];
};

/** Enlarges by one of the factors. */
export const scale =
  (factors: readonly number[]): Transform =>
  (random) => {
    const by = 1 / factors[random.integer(factors.length)]!;
    return [by, 0, 0, 0, by, 0];
  };

/** Turns by one of the angles, in degrees. */
export const rotate =
  (angles: readonly number[]): Transform =>
  (random) => {
    const angle = (angles[random.integer(angles.length)]! * Math.PI) / 180;
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    return [c, -s, 0, s, c, 0];
  };

/** Mirrors left and right, every other time. */
export const flip: Transform = (random) => [random.integer(2) === 0 ? 1 : -1, 0, 0, 0, 1, 0];

/**
 * MACO's crops: a square around a place near the middle, N(0.5, 0.15) of the canvas, its side N(s, 0.05) of it and at
 * least 0.05, with s moving from `first` to `last`; enlarged to what the network sees.
 */
export const crops =
  (first: number, last: number): Transform =>
  (random, { progress, canvas, sees }) => {
    const side = Math.min(1, Math.max(0.05, first + (last - first) * progress + 0.05 * random.normal()));
    const place = (): number => Math.min(1 - side / 2, Math.max(side / 2, 0.5 + 0.15 * random.normal())) - 0.5;
    const [x, y] = [place() * canvas.width, place() * canvas.height];
    return [(side * canvas.width) / sees.width, 0, x, 0, (side * canvas.height) / sees.height, y];
  };

/** `outer` after `inner`: where a place of the view lies once both are done. */
export function compose(outer: Affine, inner: Affine): Affine {
  const [a, b, c, d, e, f] = outer;
  const [p, q, r, s, t, u] = inner;
  return [a * p + b * s, a * q + b * t, a * r + b * u + c, d * p + e * s, d * q + e * t, d * r + e * u + f];
}

export const unchanged: Affine = [1, 0, 0, 0, 1, 0];
