/** `--preset chollet` side by side with the listing of "Deep Learning with Python" 5.4.3 run in Keras (fixtures/explain/chollet.py). */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Picture } from "../../src/core/picture.ts";
import { gradcam } from "../../src/methods/index.ts";
import type { Model, Prepared } from "../../src/model/model.ts";
import { openImage, openModel } from "../../src/node.ts";
import { lecturePicture } from "../../src/render/lecture.ts";
import { relativeError } from "../fixtures/networks/read.ts";

const path = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));
const facts = JSON.parse(readFileSync(path("fixtures/explain/chollet.json"), "utf8")) as {
  class: number;
  probability: number;
  map: number[][];
};

let model: Model;
let photograph: Picture;
let prepared: Prepared;
beforeAll(async () => {
  // As load_img stretches and the listing divides.
  model = await openModel(path("fixtures/explain/chollet.onnx"), {
    preprocessing: "unit",
    size: [48, 48],
    resize: "nearest",
    resizeLibrary: "pil",
    fit: "stretch",
  });
  photograph = (await openImage(path("render/fixtures/lecture-photograph.png"))).picture;
  prepared = model.prepare(photograph);
});
afterAll(() => model.release());

it.each(["chollet", "lecture"] as const)("%s: the heat map is the listing's, before it is resized", async (preset) => {
  const result = await gradcam.run(model, { feeds: prepared.tensor }, { preset });
  expect(result.target).toMatchObject({ index: facts.class, of: "probability" });
  expect(result.target.score).toBeCloseTo(facts.probability, 5);
  expect(result.layers).toEqual(["block5_conv3"]);
  expect(result.origin.options).toMatchObject({ preset: "chollet", of: "probability", signed: false });
  expect(relativeError(result.map.data, facts.map.flat())).toBeLessThan(1e-4);
  expect(Math.max(...result.map.data)).toBe(1);
  // The logit's map is another one.
  const logit = await gradcam.run(model, { feeds: prepared.tensor });
  const most = Math.max(...logit.map.data);
  expect(
    relativeError(
      logit.map.data.map((x) => x / most),
      facts.map.flat(),
    ),
  ).toBeGreaterThan(0.05);
  expect(logit.notes.join()).toMatch(/--preset chollet/);
});

it("the picture is the listing's", async () => {
  const result = await gradcam.run(model, { feeds: prepared.tensor }, { preset: "chollet" });
  const { data } = lecturePicture(result, { picture: photograph, region: prepared.region });
  const wanted = (await openImage(path("fixtures/explain/chollet.png"))).picture;
  expect(data.length).toBe(wanted.data.length);
  const apart = Array.from(wanted.data, (v, i) => Math.abs(v - data[i]!));
  // Where 255 h is a whole number but for the last bits, the neighbouring colour is as right.
  expect(apart.filter((d) => d > 0).length / apart.length).toBeLessThan(0.005);
  expect(apart.reduce((a, b) => Math.max(a, b))).toBeLessThanOrEqual(2);
});
