import { expect, test } from "vitest";
import type { Picture } from "../core/picture.ts";
import { decodeImage, encodePng } from "./index.ts";

const codec = async () => undefined;

function draw(width: number, height: number, color: (x: number, y: number) => readonly number[]): Picture {
  const data = new Uint8ClampedArray(width * height * 4);
  for (let i = 0; i < width * height; i++) data.set(color(i % width, Math.floor(i / width)), 4 * i);
  return { width, height, data };
}

/** Colour type in the header: 0 grey, 2 RGB, 3 palette, 6 RGBA. */
const colorType = (png: Uint8Array): number => png[25]!;

test.each([
  ["grey", 0, draw(37, 11, (x, y) => [(x * y) % 256, (x * y) % 256, (x * y) % 256, 255])],
  ["256 colours", 3, draw(16, 16, (x, y) => [x * 16, y * 16, 7, 255])],
  ["257 colours", 2, draw(257, 1, (x) => [x % 256, x >> 8, 7, 255])],
  ["many colours", 2, draw(41, 23, (x, y) => [x * 5, y * 9, (x * y) % 256, 255])],
  ["one pixel", 3, draw(1, 1, () => [1, 2, 3, 255])],
])("%s come back as they were", async (_, type, picture) => {
  const png = encodePng(picture);
  expect(colorType(png)).toBe(type);
  const { picture: back, notes } = await decodeImage(png, { codec });
  expect([back.width, back.height]).toEqual([picture.width, picture.height]);
  expect(back.data).toEqual(picture.data);
  expect(notes).toEqual([]);
  expect(encodePng(picture)).toEqual(png);
});

test("transparency is written", async () => {
  const picture = draw(5, 4, (x, y) => [x * 50, y * 60, 9, x * 63]);
  const png = encodePng(picture);
  expect(colorType(png)).toBe(6);
  const { picture: back, notes } = await decodeImage(png, { codec });
  expect(notes.join()).toContain("transparency dropped");
  expect(back.data.filter((_, i) => i % 4 < 3)).toEqual(picture.data.filter((_, i) => i % 4 < 3));
});
