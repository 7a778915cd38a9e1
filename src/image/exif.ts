/** EXIF orientation: reading the tag, and turning a picture upright. */
import type { Picture } from "../core/picture.ts";
import { pixelsOf } from "./pixels.ts";

const orientationTag = 0x0112;

/** The orientation (1 to 8) in an EXIF block, which is a TIFF header and its first directory; 1 when there is none. */
export function exifOrientation(exif: Uint8Array): number {
  const bytes = String.fromCharCode(...exif.subarray(0, 6)) === "Exif\0\0" ? exif.subarray(6) : exif;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.byteLength < 8) return 1;
  const order = view.getUint16(0);
  if (order !== 0x4949 && order !== 0x4d4d) return 1;
  const little = order === 0x4949;
  const directory = view.getUint32(4, little);
  if (directory + 2 > view.byteLength) return 1;
  const entries = view.getUint16(directory, little);
  for (let i = 0; i < entries; i++) {
    const entry = directory + 2 + 12 * i;
    if (entry + 12 > view.byteLength) return 1;
    if (view.getUint16(entry, little) !== orientationTag) continue;
    const long = view.getUint16(entry + 2, little) === 4;
    const value = long ? view.getUint32(entry + 8, little) : view.getUint16(entry + 8, little);
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

/** What `orient` does to the stored picture, in words. */
export const orientations: readonly string[] = [
  "",
  "left as stored",
  "mirrored",
  "turned by 180 degrees",
  "flipped upside down",
  "transposed",
  "turned by 90 degrees clockwise",
  "transposed along the other diagonal",
  "turned by 90 degrees anticlockwise",
];

/** Turns a picture so that what EXIF calls its top left is there (Pillow's `exif_transpose`). 1 returns the picture itself. */
export function orient(picture: Picture, orientation: number): Picture {
  if (orientation <= 1 || orientation > 8) return picture;
  const { width, height } = picture;
  const swapped = orientation >= 5;
  const [outWidth, outHeight] = swapped ? [height, width] : [width, height];
  const from = pixelsOf(picture);
  const to = new Int32Array(width * height);
  // Source index of the output's (0, 0), and its change with one step to the right and one step down.
  const [last, right] = [width * (height - 1), width - 1];
  const steps: readonly (readonly [number, number, number])[] = [
    [right, -1, width],
    [last + right, -1, -width],
    [last, 1, -width],
    [0, width, 1],
    [last, -width, 1],
    [last + right, -width, -1],
    [right, width, -1],
  ];
  const [start, across, down] = steps[orientation - 2]!;
  for (let y = 0, i = 0; y < outHeight; y++) {
    let source = start + y * down;
    for (let x = 0; x < outWidth; x++, source += across) to[i++] = from[source]!;
  }
  return { width: outWidth, height: outHeight, data: new Uint8ClampedArray(to.buffer) };
}
