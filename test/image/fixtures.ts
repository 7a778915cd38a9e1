/** Reads the picture fixtures that test/fixtures/image/make.py wrote. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Picture } from "../../src/core/picture.ts";
import type { Platform } from "../../src/core/platform.ts";

const root = new URL("../../", import.meta.url);

/** A plain array: the `slice` of Node's Buffer does not copy. */
export const read = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`test/fixtures/image/${name}`, root)));
export const readJson = (name: string): unknown => JSON.parse(new TextDecoder().decode(read(name)));
export const photograph: Uint8Array = readFileSync(new URL("models/photographs/chelsea.png", root));

export interface DecodedCase {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly offset: number;
}
export const cases = readJson("files.json") as {
  readonly decoded: readonly DecodedCase[];
  readonly unsupported: readonly string[];
};
const pixels = read("files.rgb");

/** The RGB pixels that Pillow reads from a fixture. */
export const expected = ({ width, height, offset }: DecodedCase): Uint8Array =>
  pixels.subarray(offset, offset + width * height * 3);

/** The largest difference in grey levels between a picture and RGB pixels; infinite when sizes differ or alpha is not 255. */
export function largestDifference(picture: Picture, rgb: Uint8Array, width: number, height: number): number {
  if (picture.width !== width || picture.height !== height) return Number.POSITIVE_INFINITY;
  if (picture.data.length !== width * height * 4 || rgb.length !== width * height * 3) return Number.POSITIVE_INFINITY;
  let most = 0;
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) most = Math.max(most, Math.abs(picture.data[4 * i + c]! - rgb[3 * i + c]!));
    if (picture.data[4 * i + 3] !== 255) return Number.POSITIVE_INFINITY;
  }
  return most;
}

const wasm = {
  "jpeg-encode": "@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm",
  "webp-decode": "@jsquash/webp/codec/dec/webp_dec.wasm",
} as const;
const compiled = new Map<string, Promise<WebAssembly.Module>>();

/** Compiles the codecs as the Node platform does. */
export const codec: Platform["codec"] = (name) => {
  const known = compiled.get(name);
  if (known) return known;
  const module = WebAssembly.compile(readFileSync(createRequire(import.meta.url).resolve(wasm[name])));
  compiled.set(name, module);
  return module;
};
