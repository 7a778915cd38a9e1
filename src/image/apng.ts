/** Writes moving pictures as APNG, which every browser shows: 8-bit RGB, all frames of one size. */
import { zlibSync } from "fflate";
import { ConvlensError } from "../core/errors.ts";
import type { Picture } from "../core/picture.ts";
import { chunk, signature } from "./encode.ts";

/**
 * The frames one after another, each for `milliseconds`, the last one five times as long, over and over. Transparency is
 * left out. Throws `option-invalid` for no frame or frames of different sizes.
 */
export function encodeApng(frames: readonly Picture[], milliseconds: number): Uint8Array {
  const [first] = frames;
  if (!first || frames.some(({ width, height }) => width !== first.width || height !== first.height))
    throw new ConvlensError("option-invalid", "a moving picture needs frames of one size");
  const numbers = (...words: readonly number[]): Uint8Array => {
    const out = new Uint8Array(4 * words.length);
    const view = new DataView(out.buffer);
    for (const [i, word] of words.entries()) view.setUint32(4 * i, word);
    return out;
  };
  // 8 bits, red green blue, deflate, the usual filters, not interlaced.
  const parts = [
    signature,
    chunk("IHDR", joined([numbers(first.width, first.height), Uint8Array.of(8, 2, 0, 0, 0)])),
    chunk("acTL", numbers(frames.length, 0)),
  ];
  let sequence = 0;
  for (const [i, frame] of frames.entries()) {
    const delay = i === frames.length - 1 ? 5 * milliseconds : milliseconds;
    const timing = Uint8Array.of(delay >> 8, delay & 255, 1000 >> 8, 1000 & 255, 0, 0);
    parts.push(chunk("fcTL", joined([numbers(sequence++, frame.width, frame.height, 0, 0), timing])));
    const packed = zlibSync(rows(frame), { level: 4 });
    parts.push(i === 0 ? chunk("IDAT", packed) : chunk("fdAT", joined([numbers(sequence++), packed])));
  }
  parts.push(chunk("IEND", new Uint8Array(0)));
  return joined(parts);
}

/** Rows of samples, each after filter byte 1: differences from the pixel to the left. */
function rows({ width, height, data }: Picture): Uint8Array {
  const out = new Uint8Array(height * (1 + 3 * width));
  for (let y = 0, to = 0; y < height; y++) {
    out[to++] = 1;
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++, to++) {
        const at = 4 * (y * width + x) + c;
        out[to] = data[at]! - (x > 0 ? data[at - 4]! : 0);
      }
  }
  return out;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
