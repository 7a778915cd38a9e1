/** Damaged files, made from good ones by a seeded generator: each gives a picture or one ConvlensError, nothing else. */
import { expect, test } from "vitest";
import { ConvlensError } from "../../src/core/errors.ts";
import { crc32 } from "../../src/image/crc.ts";
import { decodeImage } from "../../src/image/index.ts";
import { seeded } from "../random.ts";
import { codec, read } from "./fixtures.ts";

const files = [
  ["rgb8.png", "palette4-trns.png", "gray2-interlaced.png", "rgba16.png"],
  ["ycc420.jpg", "progressive.jpg", "gray.jpg", "exif6.jpg", "restarts.jpg", "wide420.jpg", "cmyk.jpg"],
  ["lossy.webp", "lossless.webp", "lossy-alpha.webp", "exif3.webp"],
].flat();

function mutate(bytes: Uint8Array, random: () => number): Uint8Array {
  const pick = (n: number) => Math.floor(random() * n);
  const kind = pick(4);
  if (kind === 0) return bytes.slice(0, pick(bytes.length));
  const out = bytes.slice();
  if (kind === 1) for (let i = 0; i < 1 + pick(8); i++) out[pick(out.length)]! ^= 1 << pick(8);
  if (kind === 2) out.fill(pick(256), pick(out.length), pick(out.length));
  if (kind === 3) for (let i = 0, at = pick(out.length); i < 16 && at < out.length; i++, at++) out[at] = pick(256);
  return out;
}

test.each(files)("%s, damaged in 40 ways", async (name) => {
  const random = seeded(files.indexOf(name) + 1);
  const good = read(`files/${name}`);
  let refused = 0;
  for (let i = 0; i < 40; i++) {
    try {
      const { picture } = await decodeImage(mutate(good, random), { codec, maxPixels: 1e6 });
      expect(picture.data.length).toBe(picture.width * picture.height * 4);
    } catch (error) {
      expect(error, String((error as Error).stack)).toBeInstanceOf(ConvlensError);
      expect((error as ConvlensError).code).toMatch(/^image-/);
      expect((error as ConvlensError).message).not.toContain("\n");
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(0);
  // A damaged file must not harm the next one.
  await decodeImage(good, { codec });
});

test("packed pixels that are damaged behind a right checksum", async () => {
  const random = seeded(7);
  const good = read("files/rgb8.png");
  const view = new DataView(good.buffer);
  const first = 33;
  expect(String.fromCharCode(...good.subarray(first + 4, first + 8))).toBe("IDAT");
  const length = view.getUint32(first);
  for (let i = 0; i < 60; i++) {
    const bad = good.slice();
    for (let k = 0; k < 3; k++) bad[first + 8 + Math.floor(random() * length)]! ^= 1 << Math.floor(random() * 8);
    new DataView(bad.buffer).setUint32(first + 8 + length, crc32(bad.subarray(first + 4, first + 8 + length)));
    const result = await decodeImage(bad, { codec }).catch((error: unknown) => error);
    if (result instanceof Error) expect(result).toMatchObject({ name: "ConvlensError", code: "image-invalid" });
  }
});

test("random bytes after each signature", async () => {
  const random = seeded(99);
  const heads = ["\x89PNG\r\n\x1a\n", "\xff\xd8\xff", "RIFF\xff\0\0\0WEBP", "GIF89a", "BM", "II*\0", ""];
  for (let i = 0; i < 140; i++) {
    const head = heads[i % heads.length]!;
    const bytes = Uint8Array.from({ length: Math.floor(random() * 300) }, () => random() * 256);
    for (let k = 0; k < Math.min(head.length, bytes.length); k++) bytes[k] = head.charCodeAt(k);
    await expect(decodeImage(bytes, { codec, maxPixels: 1e6 })).rejects.toBeInstanceOf(ConvlensError);
  }
});
