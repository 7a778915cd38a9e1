/** Pictures written as JPEG read back near to what they were. */
import { expect, test } from "vitest";
import { decodeImage, encodeJpeg, resize } from "../../src/image/index.ts";
import { codec, photograph } from "./fixtures.ts";

test("a photograph survives JPEG", async () => {
  const { picture } = await decodeImage(photograph, { codec });
  const small = resize(picture, 100, 150, "bicubic", "pil");
  const jpeg = await encodeJpeg(small, 90, codec);
  expect(jpeg.length).toBeLessThan(12_000);
  const { picture: back } = await decodeImage(jpeg, { codec });
  expect([back.width, back.height]).toEqual([150, 100]);
  const mean = Array.from(back.data, (v, i) => Math.abs(v - small.data[i]!)).reduce((a, b) => a + b) / back.data.length;
  expect(mean).toBeGreaterThan(0);
  expect(mean).toBeLessThan(3);
  expect(await encodeJpeg(small, 90, codec)).toEqual(jpeg);
  expect((await encodeJpeg(small, 30, codec)).length).toBeLessThan(jpeg.length / 2);
});
