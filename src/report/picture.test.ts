import { expect, test } from "vitest";
import type { Picture } from "../core/picture.ts";
import { decodeImage } from "../image/index.ts";
import { nodePlatform } from "../platform/node.ts";
import { photographUrl, pixelsUrl } from "./picture.ts";

/** Pixels that no encoder can shrink. */
function noise(width: number, height: number): Picture {
  const data = new Uint8ClampedArray(width * height * 4);
  let state = 1;
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data[i] = i % 4 === 3 ? 255 : state >>> 24;
  }
  return { width, height, data };
}
const file = (url: string): Uint8Array => Uint8Array.from(Buffer.from(url.slice(url.indexOf(",") + 1), "base64"));
const decode = async (url: string): Promise<Picture> =>
  (await decodeImage(file(url), { codec: nodePlatform.codec })).picture;

test("a small photograph is kept pixel for pixel, a large one becomes as long as asked", async () => {
  const small = noise(20, 10);
  const { url } = await photographUrl(small, 64, 1e6, undefined);
  expect([...(await decode(url)).data]).toEqual([...small.data]);
  expect(await photographUrl(noise(200, 100), 64, 1e6, undefined)).toMatchObject({ width: 64, height: 32 });
});

test("a photograph is made smaller until it fits its room", async () => {
  const shown = await photographUrl(noise(200, 100), 200, 20_000, undefined);
  expect(shown.url.length).toBeLessThanOrEqual(20_000);
  expect(shown.width).toBeGreaterThan(80);
  expect(await decode(shown.url)).toMatchObject({ width: shown.width, height: shown.height });
});

test("with the platform's codecs a heavy photograph becomes a JPEG", async () => {
  const { url } = await photographUrl(noise(300, 200), 300, 1e6, nodePlatform.codec);
  expect(url).toMatch(/^data:image\/jpeg;base64,/);
  expect(await decode(url)).toMatchObject({ width: 300, height: 200 });
});

test("pictures of numbers take no new colours when they are made smaller", async () => {
  const stripes = noise(90, 30);
  for (let i = 0; i < stripes.data.length; i += 4) stripes.data.set(i % 8 === 0 ? [255, 0, 0] : [0, 0, 255], i);
  const shown = await decode(pixelsUrl(stripes, 40).url);
  const colors = new Set(
    Array.from({ length: shown.data.length / 4 }, (_, i) => shown.data.slice(4 * i, 4 * i + 3).join()),
  );
  expect([shown.width, shown.height]).toEqual([40, 13]);
  expect([...colors].sort()).toEqual(["0,0,255", "255,0,0"]);
});
