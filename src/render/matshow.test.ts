import { describe, expect, it } from "vitest";
import { noise } from "../../test/render/make.ts";
import { matshow } from "./matshow.ts";

describe("matshow", () => {
  it("has a good size whatever the map's", () => {
    for (const [h, w] of [
      [1, 1],
      [7, 7],
      [148, 148],
      [1, 512],
      [512, 1],
      [3, 900],
      [2000, 1000],
    ] as const) {
      const { width, height } = matshow(noise(h * w), h, w, { title: "x" });
      expect(width).toBeGreaterThan(150);
      expect(height).toBeGreaterThan(150);
      expect(Math.max(width, height)).toBeLessThan(1800);
    }
  });
  it("draws maps without one finite value", () => {
    for (const v of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
      expect(() => matshow([v, v], 1, 2, { title: "x" })).not.toThrow();
  });
  it("says below what the picture cannot show", () => {
    const height = (values: number[], options = {}) => matshow(values, 2, 2, { title: "x", ...options }).height;
    const plain = height([0, 1, 2, 3]);
    expect(height([5, 5, 5, 5])).toBe(plain + 18);
    expect(height([0, 1, 2, Number.NaN])).toBe(plain + 18);
    expect(height([0, 1, Number.POSITIVE_INFINITY, Number.NaN])).toBe(plain + 36);
    expect(height([0, 1, 2, 3], { max: 2 })).toBe(plain + 18);
  });
  it("refuses a wrong number of values", () => {
    expect(() => matshow([1, 2, 3], 2, 2, { title: "conv" })).toThrow(
      /matshow "conv": 3 values for a map of 2 x 2: expected 4/,
    );
    expect(() => matshow([], 0, 0, { title: "conv" })).toThrow(/at least one/);
  });
});
