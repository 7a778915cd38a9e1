/** The rules from numbers to 8 bits, with the values that the Keras book's functions give. */
import { expect, it } from "vitest";
import type { Picture } from "../../core/picture.ts";
import type { Preprocessing } from "../../model/card.ts";
import { cropped, plainPicture, rulePicture, undonePicture } from "./pictures.ts";
import { presets } from "./presets.ts";

const size = { channels: 1, height: 2, width: 2 };
const levels = (picture: Picture): number[] => [...picture.data].filter((_, i) => i % 4 === 0);

it.each([
  ["chollet", [93, 116, 138, 161]],
  ["chollet2", [42, 99, 156, 213]],
  ["chollet3", [42, 99, 156, 213]],
])("the picture rule of %s on 0, 1, 2, 3", (id, wanted) => {
  const { rule } = presets.find((preset) => preset.id === id)!;
  expect(levels(rulePicture(Float32Array.of(0, 1, 2, 3), size, rule))).toEqual(wanted);
  // Even pictures are grey, not NaN.
  expect(levels(rulePicture(new Float32Array(4).fill(7), size, rule))).toEqual(
    new Array(4).fill(Math.floor(rule.middle)),
  );
});

it("0 to 1 are 0 to 255, rounded and clipped", () => {
  expect(levels(plainPicture(Float32Array.of(-1, 0.5, 0.999, 2), size))).toEqual([0, 128, 255, 255]);
});

it("raw numbers become the colours that the preprocessing would make them of", () => {
  const caffe = { scale: 1, mean: [104, 117, 124], std: [1, 1, 1], channels: "BGR" } as unknown as Preprocessing;
  // Blue 10, green 20, red 30 as the network takes them.
  const planes = Float32Array.of(10 - 104, 20 - 117, 30 - 124);
  const { data } = undonePicture(planes, { channels: 3, height: 1, width: 1 }, caffe);
  expect([...data]).toEqual([30, 20, 10, 255]);
});

it("edges are cut off; small pictures stay whole", () => {
  const picture = plainPicture(
    Float32Array.from({ length: 9 }, (_, i) => i / 255),
    { channels: 1, height: 3, width: 3 },
  );
  expect(levels(cropped(picture, 1))).toEqual([4]);
  expect(cropped(picture, 2)).toBe(picture);
});
