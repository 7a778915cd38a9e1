/** Views and transforms: where places go, what their text means, and the transposed maps by the dot-product test. */
import { describe, expect, it } from "vitest";
import { random } from "../../core/random.ts";
import {
  crops,
  flip,
  jitter,
  oneOf,
  plainly,
  readTransforms,
  roam,
  rotate,
  scale,
  type Transform,
} from "./transforms.ts";
import { compose, gaussian, unchanged, view } from "./views.ts";

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
  const quarter = view(rotate(oneOf([90]))(random(0), moment), square, square, "empty").apply(picture);
  expect([...quarter].map(Math.round)).toEqual([2, 5, 8, 1, 4, 7, 0, 3, 6]);
  expect([...view([-1, 0, 0, 0, 1, 0], square, square, "empty").apply(picture)]).toEqual([2, 1, 0, 5, 4, 3, 8, 7, 6]);
  const twice = view(scale(oneOf([2]))(random(0), moment), square, square, "empty").apply(picture);
  expect([...twice]).toEqual([2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6]);
});

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, v, i) => sum + v * b[i]!, 0);
const normals = (length: number, seed: number): Float32Array => {
  const source = random(seed);
  return Float32Array.from({ length }, () => source.normal());
};

const transforms: Readonly<Record<string, Transform>> = {
  jitter: jitter(6),
  roam,
  scale: scale(oneOf([0.7, 1.2])),
  rotate: rotate(oneOf([-20, 13])),
  flip,
  crop: crops(0.8, 0.4),
};

describe.each(["reflect", "empty"] as const)("outside %s", (border) => {
  it.each([...Object.entries(transforms), ["all", undefined] as const])(
    "the adjoint of %s is the transposed map",
    (_, one) => {
      for (const seed of [1, 2, 3]) {
        const source = random(seed);
        const places = (one ? [one] : Object.values(transforms)).map((make) => make(source, moment));
        const made = view(places.reduce(compose), canvas, { height: 6, width: 7 }, border);
        const [x, y] = [normals(40, seed), normals(84, seed + 9)];
        expect(dot(made.apply(x), y)).toBeCloseTo(dot(x, made.adjoint(y)), 4);
      }
    },
  );
});

describe("a Gaussian blur", () => {
  it.each([0.4, 1, 3])("of %d has the transposed map as its adjoint", (deviation) => {
    const made = gaussian(deviation, canvas);
    const [x, y] = [normals(40, 1), normals(40, 2)];
    expect(dot(made.apply(x), y)).toBeCloseTo(dot(x, made.adjoint(y)), 4);
  });

  it("leaves even planes alone, edges too", () => {
    for (const value of gaussian(2, canvas).apply(new Float32Array(40).fill(0.7))) expect(value).toBeCloseTo(0.7, 6);
  });

  it("spreads a dot as the Gaussian's values do", () => {
    const square = { height: 25, width: 25 };
    const point = new Float32Array(625);
    point[312] = 1;
    const soft = gaussian(1.5, square).apply(point);
    const at = (x: number, y: number): number => soft[(12 + y) * 25 + 12 + x]!;
    expect(at(2, 1) / at(0, 0)).toBeCloseTo(Math.exp(-5 / (2 * 1.5 ** 2)), 5);
    expect(soft.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
  });
});

describe("transforms as text", () => {
  it("none, in spaces or not, is the canvas as it is", () => {
    expect(readTransforms(" none ")).toEqual(plainly);
  });

  it("say border, frame, blur and noise", () => {
    expect(readTransforms("pad:12, blur:1:1.1, noise:0.05")).toEqual({
      ...plainly,
      border: "empty",
      frame: 24,
      blur: [1, 1.1],
      noise: 0.05,
    });
    expect(readTransforms("blur:2").blur).toEqual([2, 2]);
    expect(readTransforms("crop:0.5:0.25").parts).toBe(true);
  });

  it("do what the functions of these names do, in the order given", () => {
    const { transforms: read } = readTransforms("jitter:8,scale:0.9:1.1,rotate:10,flip,crop:0.5:0.25");
    expect(read).toHaveLength(5);
    expect(read[0]!(random(3), moment)).toEqual(jitter(8)(random(3), moment));
    expect(read[4]!(random(3), moment)).toEqual(crops(0.5, 0.25)(random(3), moment));
    const drawn = Array.from({ length: 200 }, (_, seed) => ({
      size: 1 / read[1]!(random(seed), moment)[0],
      degrees: (Math.atan2(read[2]!(random(seed), moment)[3], read[2]!(random(seed), moment)[0]) * 180) / Math.PI,
      mirrored: read[3]!(random(seed), moment)[0] === -1,
    }));
    for (const [values, least, most] of [
      [drawn.map(({ size }) => size), 0.9, 1.1],
      [drawn.map(({ degrees }) => degrees), -10, 10],
    ] as const) {
      const edge = (most - least) / 20;
      expect(Math.min(...values)).toBeGreaterThanOrEqual(least - 1e-9);
      expect(Math.min(...values)).toBeLessThan(least + edge);
      expect(Math.max(...values)).toBeLessThanOrEqual(most + 1e-9);
      expect(Math.max(...values)).toBeGreaterThan(most - edge);
    }
    expect(new Set(drawn.map(({ mirrored }) => mirrored)).size).toBe(2);
  });

  it.each([
    ["", /there is none in it/],
    ["none,flip", /none and others exclude each other/],
    ["zoom:2", /"zoom" is none of none, pad, jitter/],
    ["constructor", /"constructor" is none of/],
    ["jitter", /"jitter" is not jitter:PIXELS, whole numbers from 1 to 1024/],
    ["jitter:2.5", /whole numbers/],
    ["rotate:200", /numbers from 0 to 180/],
    ["scale:1", /"scale:1" is not scale:LEAST:MOST/],
    ["flip:1", /"flip:1" is not flip$/],
    ["blur:x", /blur:PIXELS or blur:LEAST:MOST/],
    ["noise:", /noise:DEVIATION/],
    ["pad:4,pad:8", /pad stands there twice/],
  ])("%j is refused in plain words", (text, message) => {
    expect(() => readTransforms(text)).toThrow(message);
  });
});
