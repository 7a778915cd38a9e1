/** Pixels as 32-bit words, for code that moves or weighs whole pixels. */
import type { Picture } from "../core/picture.ts";

/** One word a pixel: red in the lowest byte, alpha in the highest (JavaScript's typed arrays are little-endian wherever it runs today). Shares the picture's bytes where they are aligned. */
export function pixelsOf({ data, width, height }: Picture): Int32Array {
  const aligned = data.byteOffset % 4 === 0 ? data : new Uint8Array(data);
  return new Int32Array(aligned.buffer, aligned.byteOffset, width * height);
}
