import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { heatMap } from "../../test/render/make.ts";
import { decodeImage } from "../image/index.ts";
import { lecturePicture } from "./lecture.ts";

const fixture = (name: string): Buffer => readFileSync(new URL(`../../test/render/fixtures/${name}`, import.meta.url));
const picture = async (name: string) => (await decodeImage(fixture(name), { codec: async () => undefined })).picture;

it("superimposes as the listing does with OpenCV", async () => {
  const { height, width, map } = JSON.parse(fixture("lecture.json").toString());
  const photograph = await picture("lecture-photograph.png");
  const wanted = await picture("lecture.png");
  const region = { x: 0, y: 0, width: photograph.width, height: photograph.height };
  const got = lecturePicture(heatMap(height, width, Float32Array.from(map)), { picture: photograph, region });
  const apart = Array.from(wanted.data, (v, i) => Math.abs(v - got.data[i]!));
  // Where 255 * h is a whole number but for the last bit, the neighbouring colour is as right.
  expect(apart.filter((d) => d > 0).length / apart.length).toBeLessThan(0.002);
  expect(apart.reduce((a, b) => Math.max(a, b))).toBeLessThanOrEqual(2);
});

it("leaves a photograph under a blank map to the map's darkest blue", () => {
  const photograph = { width: 2, height: 1, data: new Uint8ClampedArray([10, 20, 30, 255, 200, 210, 250, 255]) };
  const region = { x: 0, y: 0, width: 1, height: 1 };
  const { data } = lecturePicture(heatMap(1, 1, Float32Array.of(0)), { picture: photograph, region });
  expect([...data]).toEqual([10, 20, 81, 255, 200, 210, 250, 255]);
});
