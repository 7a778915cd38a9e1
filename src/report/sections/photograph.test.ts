import { expect, test } from "vitest";
import type { Preprocessing } from "../../model/card.ts";
import { formula, resizing } from "./photograph.ts";

const plain: Preprocessing = {
  size: [224, 224],
  resize: "bilinear",
  resizeLibrary: "pil",
  fit: "crop",
  scale: 1,
  mean: [0, 0, 0],
  std: [1, 1, 1],
  channels: "RGB",
  layout: "NCHW",
};

test("the formula is as simple as its numbers allow", () => {
  expect(formula(plain)).toBe("x = pixel");
  expect(formula({ ...plain, scale: 1 / 255 })).toBe("x = pixel / 255");
  expect(formula({ ...plain, scale: 2 / 255, mean: [1, 1, 1] })).toBe("x = pixel × 0.007843137 − 1");
  expect(formula({ ...plain, channels: "gray", mean: [128], std: [64] })).toBe("x = (pixel − 128) / 64");
});

test("colours that differ get a line each, in the order the network reads them", () => {
  expect(formula({ ...plain, scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] })).toBe(
    [
      "x[0], red   = (pixel / 255 − 0.485) / 0.229",
      "x[1], green = (pixel / 255 − 0.456) / 0.224",
      "x[2], blue  = (pixel / 255 − 0.406) / 0.225",
    ].join("\n"),
  );
  expect(formula({ ...plain, channels: "BGR", mean: [103.939, 116.779, 123.68] })).toBe(
    ["x[0], blue  = pixel − 103.939", "x[1], green = pixel − 116.779", "x[2], red   = pixel − 123.68"].join("\n"),
  );
});

test("the cropping names the side that is scaled, and the length it gets", () => {
  const square = { ...plain, cropSide: 256 };
  expect(resizing(square, { width: 600, height: 400 })).toContain("The shorter side is scaled to 256 pixels");
  // 64 x 80 from a square: 80 * 73 / 64 pixels wide, for 73 would not hold the 80 that are cut.
  const oblong: Preprocessing = { ...plain, size: [64, 80], cropSide: 73 };
  expect(resizing(oblong, { width: 300, height: 300 })).toContain("The width is scaled to 91 pixels");
  expect(resizing(oblong, { width: 900, height: 300 })).toContain("The height is scaled to 73 pixels");
});
