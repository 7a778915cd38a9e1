/** Changing a pixel in the tensor gives the very numbers that preparing the changed picture gives. */
import { describe, expect, it } from "vitest";
import type { Picture } from "../../core/picture.ts";
import { random } from "../../core/random.ts";
import type { Preprocessing } from "../../model/card.ts";
import type { Model } from "../../model/model.ts";
import { preparePicture } from "../../model/preprocess.ts";
import { type Change, subjectOf } from "./subject.ts";

const base: Preprocessing = {
  size: [5, 7],
  resize: "bilinear",
  resizeLibrary: "pil",
  fit: "stretch",
  scale: 1 / 255,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
  channels: "RGB",
  layout: "NCHW",
};
const cases: [string, Preprocessing][] = [
  ["RGB, NCHW, torch", base],
  ["RGB, NHWC", { ...base, layout: "NHWC" }],
  [
    "BGR, NHWC, caffe",
    { ...base, channels: "BGR", layout: "NHWC", scale: 1, mean: [103.939, 116.779, 123.68], std: [1, 1, 1] },
  ],
  ["grey, NCHW", { ...base, channels: "gray", mean: [0.5], std: [0.25] }],
  ["more pixels than levels", { ...base, size: [20, 30] }],
];
const modelOf = (preprocessing: Preprocessing): Model =>
  ({
    preprocessing,
    prepare: (picture: Picture) => preparePicture(picture, preprocessing),
    input: { name: "x" },
  }) as unknown as Model;

describe.each(cases)("%s", (_, preprocessing) => {
  const model = modelOf(preprocessing);
  const source = random(6);
  const [height, width] = preprocessing.size;
  const isGray = preprocessing.channels === "gray";
  const color = (): [number, number, number] => {
    const level = () => source.integer(256);
    const one = level();
    return isGray ? [one, one, one] : [one, level(), level()];
  };
  const data = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let at = 0; at < width * height; at++) data.set(color(), 4 * at);
  const picture = { width, height, data };
  const { tensor } = model.prepare(picture);
  const subject = subjectOf(model, tensor);

  it("finds the picture behind the tensor", () => {
    expect(subject.picture).toEqual(picture);
    expect(subject.isGray).toBe(isGray);
  });

  it("writes pixels as preparing the changed picture would, and takes them back", () => {
    const changes: Change[] = Array.from({ length: 6 }, () => ({ at: source.integer(width * height), color: color() }));
    const batch = new Float32Array(2 * tensor.data.length);
    batch.set(tensor.data);
    batch.set(tensor.data, tensor.data.length);
    for (const change of changes) subject.write(batch, tensor.data.length, change);
    expect(batch.subarray(0, tensor.data.length)).toEqual(tensor.data);
    expect(batch.subarray(tensor.data.length)).toEqual(model.prepare(subject.changed(changes)).tensor.data);
    for (const { at } of changes) subject.write(batch, tensor.data.length, { at, color: subject.colorAt(at) });
    expect(batch.subarray(tensor.data.length)).toEqual(tensor.data);
  });

  it("levels to tensor and picture and back", () => {
    expect(subject.tensorOf(subject.levels)).toEqual(tensor);
    expect(subject.pictureOf(subject.levels)).toEqual(picture);
    const between = subject.levels.map((level) => Math.min(254.5, level + 0.5));
    const [low, high] = [0, 1].map(
      (more) => subject.tensorOf(subject.levels.map((level) => Math.min(254 + more, level + more))).data,
    );
    subject.tensorOf(between).data.forEach((value, i) => {
      expect(value).toBeCloseTo((low![i]! + high![i]!) / 2, 4);
    });
  });

  it("gradients by the tensor become gradients by the levels", () => {
    // Of the sum of all numbers: each level's own slope.
    const ones = { ...tensor, data: tensor.data.map(() => 1) };
    const slopes = subject.byLevel(ones);
    const step = subject.tensorOf(subject.levels.map((level) => (level < 255 ? level + 1 : 254))).data;
    const [before, after] = [tensor.data, step].map((values) => values.reduce((a, b) => a + b, 0));
    const moves = subject.levels.map((level) => (level < 255 ? 1 : -1));
    const wanted = slopes.reduce((sum, slope, i) => sum + slope * moves[i]!, 0);
    expect(after! - before!).toBeCloseTo(wanted, 2);
  });
});

it("refuses another size", () => {
  const { tensor } = preparePicture({ width: 7, height: 5, data: new Uint8ClampedArray(140) }, base);
  expect(() => subjectOf(modelOf({ ...base, size: [5, 8] }), tensor)).toThrow(/one picture of \[1, 3, 5, 8\]/);
});
