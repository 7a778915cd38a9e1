import { expect, test } from "vitest";
import type { Picture } from "../core/picture.ts";
import { centerCrop, crop, pad } from "./index.ts";

/** Each pixel's red is its index. */
const numbered = (height: number, width: number): Picture => {
  const data = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let i = 0; i < width * height; i++) data[4 * i] = i;
  return { width, height, data };
};
const reds = ({ data }: Picture): number[] => Array.from(data.filter((_, i) => i % 4 === 0));

test("crop takes the named rows and columns", () => {
  expect(reds(crop(numbered(4, 5), 1, 2, 2, 3))).toEqual([7, 8, 9, 12, 13, 14]);
  expect(() => crop(numbered(4, 5), 3, 0, 2, 2)).toThrow("a crop of 2x2 at row 3, column 0 does not lie inside 4x5");
  expect(() => crop(numbered(4, 5), 0, -1, 2, 2)).toThrow("does not lie inside");
  expect(() => crop(numbered(4, 5), 0, 0.5, 2, 2)).toThrow("does not lie inside");
});

test("centerCrop starts where torchvision's does: int(round((whole - part) / 2)), halves to even", () => {
  const top = (whole: number, part: number) => reds(centerCrop(numbered(whole, 1), part, 1))[0];
  expect([top(5, 2), top(7, 2), top(3, 2), top(6, 2), top(4, 4), top(11, 4)]).toEqual([2, 2, 0, 2, 0, 4]);
});

test("pad centres on black", () => {
  const out = pad(numbered(1, 2), 3, 5);
  expect(reds(out)).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
  expect(Array.from(out.data.subarray(0, 4))).toEqual([0, 0, 0, 255]);
  expect(() => pad(numbered(2, 2), 1, 5)).toThrow("2x2 pixels do not fit into 1x5");
});
