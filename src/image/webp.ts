/** WebP by libwebp in WASM. The container is read here first for size, orientation and animation. */
import type { Picture } from "../core/picture.ts";
import type { Platform } from "../core/platform.ts";
import { type CodecFactory, withCodec } from "./codec.ts";
import { exifOrientation } from "./exif.ts";
import { type ImageHeader, ImageProblem } from "./header.ts";
import { droppedAlpha } from "./png.ts";

interface Decoder {
  decode(bytes: Uint8Array): Picture | null;
}

/** Reads the chunks; the pixels stay compressed. Throws `ImageProblem`. */
export function webpHeader(bytes: Uint8Array): ImageHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const uint24 = (at: number) => view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
  let size: { width: number; height: number } | undefined;
  let orientation = 1;
  let at = 12;
  while (at + 8 <= bytes.length) {
    const type = String.fromCharCode(...bytes.subarray(at, at + 4));
    const length = view.getUint32(at + 4, true);
    at += 8;
    if (at + length > bytes.length) throw new ImageProblem("is truncated: the file ends before the picture does");
    if (type === "VP8X" && length >= 10) {
      if (view.getUint8(at) & 2) throw new ImageProblem("is an animated WebP", { unsupported: true });
      size ??= { width: uint24(at + 4) + 1, height: uint24(at + 7) + 1 };
    } else if (type === "VP8 " && length >= 10) {
      size ??= { width: view.getUint16(at + 6, true) & 0x3fff, height: view.getUint16(at + 8, true) & 0x3fff };
    } else if (type === "VP8L" && length >= 5) {
      const packed = view.getUint32(at + 1, true);
      size ??= { width: (packed & 0x3fff) + 1, height: ((packed >>> 14) & 0x3fff) + 1 };
    } else if (type === "EXIF") orientation = exifOrientation(bytes.subarray(at, at + length));
    at += length + (length & 1);
  }
  if (!size) throw new ImageProblem("is truncated: it has no picture data");
  return { ...size, orientation, notes: [] };
}

export async function decodeWebp(
  bytes: Uint8Array,
  header: ImageHeader,
  codec: Platform["codec"],
): Promise<{ picture: Picture; notes: readonly string[] }> {
  const load = async () =>
    (await import("@jsquash/webp/codec/dec/webp_dec.js")).default as unknown as CodecFactory<Decoder>;
  const pixels = header.width * header.height;
  const decoded = await withCodec("webp-decode", load, codec, pixels, (decoder) => decoder.decode(bytes));
  if (!decoded) throw new ImageProblem("cannot be decoded: its data are damaged");
  const { width, height, data } = decoded;
  let all = 255;
  for (let i = 3; i < data.length; i += 4) {
    all &= data[i]!;
    data[i] = 255;
  }
  return { picture: { width, height, data }, notes: all === 255 ? header.notes : [...header.notes, droppedAlpha] };
}
