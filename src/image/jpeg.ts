/**
 * JPEG by libjpeg in WASM, bit-identical to Pillow for colour, grey and CMYK. The header is read here first: it tells
 * size, kind and orientation before any memory is taken, and whether the file ends too early, which libjpeg
 * only mends silently with grey.
 */
import type { Picture } from "../core/picture.ts";
import type { Platform } from "../core/platform.ts";
import { type CodecFactory, withCodec } from "./codec.ts";
import { exifOrientation } from "./exif.ts";
import { type ImageHeader, ImageProblem } from "./header.ts";
import { decodeTurbo } from "./jpeg-decoder.ts";

interface Encoder {
  encode(bytes: Uint8Array | Uint8ClampedArray, width: number, height: number, options: object): Uint8Array;
}

/** libjpeg-turbo's own guard against files that are all scans. */
const mostScans = 500;

/** Reads the markers up to the end of the picture. Throws `ImageProblem`. */
export function jpegHeader(bytes: Uint8Array): ImageHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let frame: { width: number; height: number } | undefined;
  let orientation = 1;
  let scans = 0;
  let at = 2;
  for (;;) {
    at = bytes.indexOf(0xff, at);
    while (at >= 0 && bytes[at + 1] === 0xff) at++;
    if (at < 0 || at + 1 >= bytes.length) break;
    const marker = bytes[at + 1]!;
    at += 2;
    // Stuffed bytes, restarts and stand-alone markers carry no length.
    if (marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd8)) continue;
    if (marker === 0xd9) {
      if (!frame || scans === 0) throw new ImageProblem("ends before its picture begins");
      return { ...frame, orientation, notes: [] };
    }
    if (at + 2 > bytes.length) break;
    const length = view.getUint16(at);
    if (length < 2 || at + length > bytes.length) break;
    const body = bytes.subarray(at + 2, at + length);
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      frame ??= readFrame(marker, body);
    } else if (marker === 0xe1 && String.fromCharCode(...body.subarray(0, 6)) === "Exif\0\0") {
      orientation = exifOrientation(body);
    } else if (marker === 0xda && ++scans > mostScans) throw new ImageProblem(`has more than ${mostScans} scans`);
    at += length;
  }
  throw new ImageProblem("is truncated: the file ends before the picture does");
}

function readFrame(marker: number, body: Uint8Array): { width: number; height: number } {
  if (body.length < 6) throw new ImageProblem("has a broken frame header");
  const [precision, components] = [body[0]!, body[5]!];
  const unsupported = (what: string) => new ImageProblem(`is ${what}`, { unsupported: true });
  if (marker > 0xc2) throw unsupported(marker >= 0xc9 ? "an arithmetic-coded JPEG" : "a lossless JPEG");
  if (precision !== 8) throw unsupported(`a JPEG with ${precision} bits per channel`);
  if (components !== 1 && components !== 3 && components !== 4) throw unsupported(`a JPEG with ${components} channels`);
  return { height: body[1]! * 256 + body[2]!, width: body[3]! * 256 + body[4]! };
}

/** The pixels behind a header that `jpegHeader` read. Throws `ImageProblem`. */
export function decodeJpeg(bytes: Uint8Array, { width, height }: ImageHeader): Promise<Picture> {
  return decodeTurbo(bytes, width, height);
}

/** A baseline JPEG. `quality`: 0 to 100. `codec`: the platform's. Alpha is ignored. */
export async function encodeJpeg(picture: Picture, quality: number, codec: Platform["codec"]): Promise<Uint8Array> {
  const { width, height, data } = picture;
  const load = async () =>
    (await import("@jsquash/jpeg/codec/enc/mozjpeg_enc.js")).default as unknown as CodecFactory<Encoder>;
  const { defaultOptions } = await import("@jsquash/jpeg/meta.js");
  const options = { ...defaultOptions, quality, progressive: false, baseline: true };
  return withCodec("jpeg-encode", load, codec, width * height, (encoder) =>
    encoder.encode(data, width, height, options).slice(),
  );
}
