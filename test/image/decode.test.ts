/** Every kind of picture file against the pixels that Pillow reads, and the answers to all others. */
import { expect, test } from "vitest";
import { ConvlensError } from "../../src/core/errors.ts";
import { decodeImage, encodePng } from "../../src/image/index.ts";
import { createNodePlatform } from "../../src/node.ts";
import { cases, codec, expected, largestDifference, read } from "./fixtures.ts";

/** PNG is unpacked by a stream, as in browsers, or at once. */
const ways = [undefined, createNodePlatform().zlib];

test.each(cases.decoded)("$file has Pillow's pixels", async (item) => {
  for (const zlib of ways) {
    const { picture } = await decodeImage(read(`files/${item.file}`), { codec, zlib });
    expect(largestDifference(picture, expected(item), item.width, item.height)).toBe(0);
  }
});

async function refusal(bytes: Uint8Array, options: { name?: string; maxPixels?: number } = {}): Promise<string> {
  const [error, other] = await Promise.all(
    ways.map((zlib) => decodeImage(bytes, { codec, zlib, ...options }).catch((e: unknown) => e)),
  );
  expect(error).toBeInstanceOf(ConvlensError);
  expect(other).toEqual(error);
  const { code, message } = error as ConvlensError;
  expect(message).not.toContain("\n");
  return `${code}: ${message}`;
}

test.each(cases.unsupported)("%s is recognised and answered with how to convert it", async (name) => {
  const answer = await refusal(read(`files/${name}`), { name });
  expect(answer).toMatch(/^image-unsupported: ".*" is an? .*convert it to PNG first.*magick/);
});

test("kinds without a fixture are recognised by their first bytes", async () => {
  const bytes = (text: string) => Uint8Array.from(text.padEnd(32, "\0"), (c) => c.charCodeAt(0));
  expect(await refusal(bytes("\0\0\0\x18ftypheic"))).toContain("a HEIC picture");
  expect(await refusal(bytes("\xff\x0a"))).toContain("a JPEG XL picture");
  expect(await refusal(bytes('<?xml version="1.0"?>\n<svg xmlns="x">'))).toContain("an SVG picture");
  expect(await refusal(bytes("<!-- a --> <!-- b -->\n<!DOCTYPE svg><svg>"))).toContain("an SVG picture");
});

test("text that looks like the beginning of an SVG for long is answered all the same", async () => {
  expect(await refusal(new TextEncoder().encode("<!---->".repeat(70)))).toContain("is no picture");
});

test("notes say what was changed", async () => {
  const notes = async (file: string, exif = true) =>
    (await decodeImage(read(`files/${file}`), { codec, exif })).notes.join("; ");
  expect(await notes("rgb8.png")).toBe("");
  expect(await notes("rgba8.png")).toContain("transparency dropped");
  expect(await notes("palette4-trns.png")).toContain("transparency dropped");
  expect(await notes("lossy-alpha.webp")).toContain("transparency dropped");
  expect(await notes("gray16.png")).toContain("16 bits");
  expect(await notes("animated.png")).toContain("first frame");
  expect(await notes("exif6.jpg")).toBe("turned by 90 degrees clockwise, as EXIF orientation 6 says");
  expect(await notes("exif1.jpg")).toBe("");
  expect(await notes("exif6.jpg", false)).toContain("EXIF orientation 6 ignored");
});

test("exif: false leaves the picture as stored", async () => {
  const stored = cases.decoded.find(({ file }) => file === "exif1.jpg")!;
  for (let orientation = 1; orientation <= 8; orientation++) {
    const { picture } = await decodeImage(read(`files/exif${orientation}.jpg`), { codec, exif: false });
    expect(largestDifference(picture, expected(stored), stored.width, stored.height)).toBe(0);
  }
});

test("what is no picture, or not all of one, is image-invalid in one line that names it", async () => {
  const rgb = read("files/rgb8.png");
  expect(await refusal(new Uint8Array(0), { name: "a.png" })).toBe('image-invalid: "a.png" is empty');
  expect(await refusal(new TextEncoder().encode("hello"), { name: "a.png" })).toContain('"a.png" is no picture');
  expect(await refusal(rgb.subarray(0, 8))).toContain("truncated");
  expect(await refusal(rgb.subarray(0, 30))).toContain("truncated");
  expect(await refusal(rgb.subarray(0, rgb.length - 40))).toContain("truncated");
  for (const file of ["ycc420.jpg", "progressive.jpg", "gray.jpg", "lossy.webp", "lossless.webp"]) {
    const whole = read(`files/${file}`);
    for (const part of [4, 20, whole.length >> 1, whole.length - 2]) {
      expect(await refusal(whole.subarray(0, part)), `${file} cut at ${part}`).toContain("image-invalid");
    }
  }
});

test("absurd sizes are refused from the header, before memory is taken", async () => {
  const png = read("files/rgb8.png").slice();
  expect(await refusal(png, { name: "a.png", maxPixels: 100 })).toBe(
    'image-invalid: "a.png" is 19 x 13 pixels, and at most 100 are decoded: shrink it first',
  );
  const row = encodePng({ width: 100_001, height: 1, data: new Uint8Array(400_004) });
  expect(await refusal(row)).toContain("is 100001 x 1 pixels, and at most 100000 a side");
  const jpeg = read("files/ycc444.jpg").slice();
  const frame = jpeg.findIndex((byte, i) => byte === 0xff && jpeg[i + 1] === 0xc0);
  jpeg.set([0xff, 0xff, 0xff, 0xff], frame + 5);
  expect(await refusal(jpeg)).toContain("is 65535 x 65535 pixels, and at most 100 million");
  jpeg.set([0, 0], frame + 5);
  expect(await refusal(jpeg)).toContain("has no pixels");
  const webp = read("files/lossless.webp").slice();
  webp.set([0xff, 0xff, 0xff, 0x0f], 21);
  expect(await refusal(webp)).toContain("is 16384 x 16384 pixels");
});
