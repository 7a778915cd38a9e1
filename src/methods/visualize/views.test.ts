/** Views: where places go, and the transposed map by the dot-product test. */
import { describe, expect, it } from "vitest";
import { random } from "../../core/random.ts";
import { compose, crops, flip, jitter, rotate, scale, unchanged, view } from "./views.ts";

const canvas = { height: 5, width: 4 };
const moment = { progress: 0.5, canvas, sees: { height: 6, width: 7 } };
const numbers = Float32Array.from({ length: 20 }, (_, i) => i);

it("unchanged, a view is the canvas", () => {
  expect(view(unchanged, canvas, canvas, "empty").apply(numbers)).toEqual(numbers);
});

it("a smaller view is the middle, a larger one has a border", () => {
  const middle = view(unchanged, canvas, { height: 3, width: 2 }, "empty").apply(numbers);
  expect([...middle]).toEqual([5, 6, 9, 10, 13, 14]);
  const wide = view(unchanged, { height: 1, width: 3 }, { height: 1, width: 7 }, "reflect");
  expect([...wide.apply(Float32Array.of(1, 2, 3))]).toEqual([3, 2, 1, 2, 3, 2, 1]);
  const bare = view(unchanged, { height: 1, width: 3 }, { height: 1, width: 7 }, "empty");
  expect([...bare.apply(Float32Array.of(1, 2, 3))]).toEqual([0, 0, 1, 2, 3, 0, 0]);
  expect([...bare.cover]).toEqual([0, 0, 1, 1, 1, 0, 0]);
});

it("turns and mirrors as said", () => {
  const square = { height: 3, width: 3 };
  const picture = Float32Array.from({ length: 9 }, (_, i) => i);
  const quarter = view(rotate([90])(random(0), moment), square, square, "empty").apply(picture);
  expect([...quarter].map(Math.round)).toEqual([2, 5, 8, 1, 4, 7, 0, 3, 6]);
  expect([...view([-1, 0, 0, 0, 1, 0], square, square, "empty").apply(picture)]).toEqual([2, 1, 0, 5, 4, 3, 8, 7, 6]);
  const twice = view(scale([2])(random(0), moment), square, square, "empty").apply(picture);
  expect([...twice]).toEqual([2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6]);
});

describe.each(["reflect", "empty"] as const)("outside %s", (border) => {
  it.each([1, 2, 3])("the adjoint is the transposed map (%d)", (seed) => {
    const source = random(seed);
    const all = [jitter(6), scale([0.7, 1.2]), rotate([-20, 13]), flip, crops(0.8, 0.4)].map((make) =>
      make(source, moment),
    );
    const made = view(all.reduce(compose), canvas, { height: 6, width: 7 }, border);
    const x = Float32Array.from({ length: 40 }, () => source.normal());
    const y = Float32Array.from({ length: 84 }, () => source.normal());
    const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, v, i) => sum + v * b[i]!, 0);
    expect(dot(made.apply(x), y)).toBeCloseTo(dot(x, made.adjoint(y)), 4);
  });
});
