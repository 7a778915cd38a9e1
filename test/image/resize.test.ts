/** Every (library, mode) pair of the registry against what the library itself made of the same pixels. */
import { beforeAll, expect, test } from "vitest";
import type { Picture } from "../../src/core/picture.ts";
import { crop, decodeImage, resize, resizeMap, resizers } from "../../src/image/index.ts";
import { codec, largestDifference, photograph, read, readJson } from "./fixtures.ts";

const sizes = readJson("resize.json") as { source: "noise" | "even" | "photograph"; height: number; width: number }[];
let sources: Record<"noise" | "even" | "photograph", Picture>;

beforeAll(async () => {
  const noise = (await decodeImage(read("noise.png"), { codec })).picture;
  sources = {
    noise,
    even: crop(noise, 0, 0, 16, 22),
    photograph: (await decodeImage(photograph, { codec })).picture,
  };
});

/** Grey levels by which a pair may differ from its library, for its shortcuts in fixed point; all others are exact. */
const allowed: Readonly<Record<string, number>> = {
  "opencv bicubic": 1,
  "tensorflow bilinear": 1,
};

const pairs = Object.entries(resizers).flatMap(([library, modes]) =>
  Object.keys(modes).map((mode) => ({ library: library as "pil", mode: mode as "bilinear" })),
);

test.each(pairs)("$library $mode equals the library", ({ library, mode }) => {
  const all = read(`resize-${library}-${mode}.rgb`);
  let offset = 0;
  for (const { source, height, width } of sizes) {
    const wanted = all.subarray(offset, offset + height * width * 3);
    offset += wanted.length;
    const resized = resize(sources[source], height, width, mode, library);
    const difference = largestDifference(resized, wanted, width, height);
    expect(difference, `${source} to ${height}x${width}`).toBeLessThanOrEqual(allowed[`${library} ${mode}`] ?? 0);
  }
  expect(offset).toBe(all.length);
});

/** `count` copies of a picture, below or beside one another. */
function repeated({ width, height, data }: Picture, count: number, beside: boolean): Picture & { data: Uint8Array } {
  const row = width * 4;
  const out = new Uint8Array(data.length * count);
  for (let i = 0; i < count; i++) {
    for (let y = 0; y < height; y++) {
      const to = beside ? (y * count + i) * row : (i * height + y) * row;
      out.set(data.subarray(y * row, (y + 1) * row), to);
    }
  }
  return { width: beside ? width * count : width, height: beside ? height : height * count, data: out };
}

test.each([
  ["rows", false],
  ["columns", true],
] as const)("pictures of several megabytes, of which only the %s are resampled", (_, beside) => {
  const { photograph } = sources;
  for (const shrunk of [0.3, 1.7]) {
    const height = beside ? Math.round(photograph.height * shrunk) : photograph.height;
    const width = beside ? photograph.width : Math.round(photograph.width * shrunk);
    const one = resize(photograph, height, width, "bilinear", "pil");
    const many = repeated(photograph, 7, beside);
    const all = resize(many, beside ? height : many.height, beside ? many.width : width, "bilinear", "pil");
    expect(Buffer.from(all.data).equals(repeated(one, 7, beside).data)).toBe(true);
  }
});

test("maps resize as OpenCV resizes float arrays", () => {
  const maps = readJson("maps.json") as {
    values: number[];
    height: number;
    width: number;
    outputs: { height: number; width: number; values: number[] }[];
  };
  for (const { height, width, values } of maps.outputs) {
    const out = resizeMap(Float32Array.from(maps.values), maps.height, maps.width, height, width);
    expect(out.length).toBe(values.length);
    values.forEach((value, i) => {
      expect(Math.abs(out[i]! - value)).toBeLessThan(2e-6);
    });
  }
});

test("unknown modes, libraries and sizes are refused by name", () => {
  const picture = { width: 1, height: 1, data: new Uint8ClampedArray(4) };
  const call = (height: number, mode: string, library: string) => () =>
    resize(picture, height, 4, mode as "box", library as "pil");
  expect(call(4, "cubic", "pil")).toThrow('resize mode "cubic" is unknown: nearest, bilinear, bicubic, lanczos, box');
  expect(call(4, "box", "gd")).toThrow('resize library "gd" is unknown: pil, opencv, tensorflow exist');
  expect(call(0, "box", "pil")).toThrow("size 0x4 is not possible");
  expect(call(2.5, "box", "pil")).toThrow("size 2.5x4 is not possible");
});
