import { expect, it } from "vitest";
import { random } from "./random.ts";

it("follows the published algorithm: xoshiro128** from a state filled by splitmix32", () => {
  const bits = Array.from(
    { length: 3 },
    (
      (r) => () =>
        r.uniform() * 2 ** 32
    )(random(0)),
  );
  // Computed with 64-bit integers in Python from the two algorithms' reference C code.
  expect(bits).toEqual([1789933344, 44971166, 2521387044]);
});

it("repeats for a seed and differs between seeds", () => {
  const draw = (seed: number): number[] =>
    Array.from(
      { length: 20 },
      (
        (r) => () =>
          r.uniform()
      )(random(seed)),
    );
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
});

it("is uniform, normal and fair", () => {
  const source = random(1);
  const count = 100_000;
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const uniform = Array.from({ length: count }, () => source.uniform());
  expect(Math.min(...uniform)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...uniform.slice(0, 50_000))).toBeLessThan(1);
  expect(mean(uniform)).toBeCloseTo(0.5, 2);
  const normal = Array.from({ length: count }, () => source.normal());
  expect(Math.abs(mean(normal))).toBeLessThan(0.02);
  expect(mean(normal.map((x) => x * x))).toBeCloseTo(1, 1);
  expect(normal.filter((x) => Math.abs(x) < 1).length / count).toBeCloseTo(0.6827, 2);
  const faces = new Array<number>(6).fill(0);
  for (let i = 0; i < 60_000; i++) faces[source.integer(6)]!++;
  for (const n of faces) expect(Math.abs(n - 10_000)).toBeLessThan(400);
});
