/** Each penalty's slope against differences of the penalty itself. */
import { expect, it } from "vitest";
import { random } from "../../core/random.ts";
import { type Regularizers, regularize } from "./regularizers.ts";

const [height, width, middle] = [9, 10, 0.5];
const source = random(4);
const canvas = Float32Array.from({ length: 2 * height * width }, () => source.uniform());
const at = (x: ArrayLike<number>, y: number, u: number, p: number): number => x[p * height * width + y * width + u]!;

function each(visit: (p: number, y: number, x: number) => number): number {
  let sum = 0;
  for (let p = 0; p < 2; p++) for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) sum += visit(p, y, x);
  return sum / canvas.length;
}

const penalties: Record<keyof Omit<Regularizers, "blur">, (c: ArrayLike<number>) => number> = {
  l1: (c) => each((p, y, x) => Math.abs(at(c, y, x, p) - middle)),
  l2: (c) => each((p, y, x) => (at(c, y, x, p) - middle) ** 2),
  tv: (c) =>
    each(
      (p, y, x) =>
        (x > 0 ? (at(c, y, x, p) - at(c, y, x - 1, p)) ** 2 : 0) +
        (y > 0 ? (at(c, y, x, p) - at(c, y - 1, x, p)) ** 2 : 0),
    ),
  boundary: (c) =>
    each((p, y, x) => (y < 2 || x < 2 || y >= height - 2 || x >= width - 2 ? (at(c, y, x, p) - middle) ** 2 : 0)),
};

it.each(Object.keys(penalties) as (keyof typeof penalties)[])("%s", (name) => {
  const slope = new Float32Array(canvas.length);
  regularize(canvas, slope, { height, width }, middle, 1, { [name]: 3 });
  for (const i of [0, 7, 44, 89, 133, 179]) {
    const moved = (by: number): Float64Array => Float64Array.from(canvas, (v, k) => (k === i ? v + by : v));
    const difference = (penalties[name](moved(1e-4)) - penalties[name](moved(-1e-4))) / 2e-4;
    expect(slope[i]! / -3).toBeCloseTo(difference, 5);
  }
});

it("blur pulls towards the mean of the neighbours, those counted half, and leaves an even canvas alone", () => {
  const dot = new Float32Array(25);
  dot[12] = 1;
  const slope = new Float32Array(25);
  regularize(dot, slope, { height: 5, width: 5 }, 0, 1, { blur: 25 });
  expect(slope[12]).toBeCloseTo(-(1 - 1 / 5), 6);
  expect(slope[6]).toBeCloseTo(0.1, 6);
  const even = new Float32Array(25).fill(0.7);
  const still = new Float32Array(25);
  regularize(even, still, { height: 5, width: 5 }, 0, 1, { blur: 25 });
  for (const value of still) expect(value).toBeCloseTo(0, 5);
});

it("two pictures at once have the slopes of each alone", () => {
  const [both, alone] = [new Float32Array(canvas.length), new Float32Array(canvas.length / 2)];
  regularize(canvas, both, { height, width }, middle, 2, { tv: 1, l2: 1 });
  regularize(canvas.subarray(0, alone.length), alone, { height, width }, middle, 1, { tv: 1, l2: 1 });
  expect(both.subarray(0, alone.length)).toEqual(alone);
});
