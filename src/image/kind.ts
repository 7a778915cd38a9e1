/** What a picture file is, told by its first bytes and never by its name. */

/** Kinds that Convlens decodes. */
export type DecodedKind = "PNG" | "JPEG" | "WebP";

const ascii = (bytes: Uint8Array, from: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(from, from + length));

const brands: Readonly<Record<string, string>> = {
  avif: "AVIF",
  avis: "AVIF",
  heic: "HEIC",
  heix: "HEIC",
  heim: "HEIC",
  heis: "HEIC",
  hevc: "HEIC",
  mif1: "HEIF",
  msf1: "HEIF",
};

/** Signatures of pictures that are recognised only to say how to convert them. */
const others: readonly (readonly [kind: string, signature: string])[] = [
  ["GIF", "GIF87a"],
  ["GIF", "GIF89a"],
  ["TIFF", "II*\0"],
  ["TIFF", "MM\0*"],
  ["TIFF", "II+\0"],
  ["TIFF", "MM\0+"],
  ["JPEG 2000", "\0\0\0\x0cjP  "],
  ["JPEG XL", "\0\0\0\x0cJXL "],
  ["JPEG XL", "\xff\x0a"],
  ["Photoshop", "8BPS"],
  ["icon", "\0\0\x01\0"],
  ["PDF", "%PDF-"],
];

/** A comment ends at its first `-->`: were it free to end at a later one, many comments would take for ever to refuse. */
const svg = /^(<\?xml[^>]*>\s*)?(<!--((?!-->).)*-->\s*|<!DOCTYPE[^>]*>\s*)*<svg[\s>]/s;

/** `PNG`, `JPEG` or `WebP` to decode; another name: recognised only; `undefined`: no picture that is known. */
export function kindOf(bytes: Uint8Array): DecodedKind | (string & {}) | undefined {
  const head = ascii(bytes, 0, 16);
  if (head.startsWith("\x89PNG\r\n\x1a\n")) return "PNG";
  if (head.startsWith("\xff\xd8\xff")) return "JPEG";
  if (head.startsWith("RIFF") && head.slice(8, 12) === "WEBP") return "WebP";
  if (head.slice(4, 8) === "ftyp") return brands[head.slice(8, 12)];
  if (head.startsWith("BM") && bytes.length >= 26 && [12, 40, 52, 56, 64, 108, 124].includes(bytes[14]!)) return "BMP";
  const start = ascii(bytes, 0, 512).trimStart();
  if (svg.test(start)) return "SVG";
  return others.find(([, signature]) => head.startsWith(signature))?.[0];
}
