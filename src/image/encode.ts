/**
 * Writes PNG: the smallest of palette (up to 256 colours), grey, RGB and RGBA that holds the picture. Packed by fflate,
 * so that Node and browsers give the same bytes, or by a platform's native code, which is several times as fast.
 */
import { zlibSync } from "fflate";
import type { Picture } from "../core/picture.ts";
import type { Zlib } from "../core/platform.ts";
import { crc32 } from "./crc.ts";

export interface PngOptions {
  /** Packing effort, 0 to 9. Default 4: more costs time and saves about 1 %. */
  readonly level?: 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;
}

interface Rows {
  readonly colorType: 0 | 2 | 3 | 6;
  /** Rows of samples, each after its filter byte. */
  readonly bytes: Uint8Array;
  readonly palette?: Uint8Array;
}

/** Encodes a picture as PNG, deterministically. */
export function encodePng(picture: Picture, options: PngOptions = {}): Uint8Array {
  const rows = rowsOf(picture);
  return pngFile(picture, rows, zlibSync(rows.bytes, { level: options.level ?? 4 }));
}

/** The same by a platform's native code, beside the calling thread. The pixels are the same, the packed bytes its own. */
export async function packPng(picture: Picture, zlib: Zlib, options: PngOptions = {}): Promise<Uint8Array> {
  const rows = rowsOf(picture);
  return pngFile(picture, rows, await zlib.deflate(rows.bytes, options.level ?? 4));
}

function rowsOf(picture: Picture): Rows {
  const rows = indexed(picture);
  return rows === "drawn" ? plain(picture) : rows === "photograph" ? filtered(picture) : rows;
}

function pngFile({ width, height }: Picture, { colorType, palette }: Rows, packed: Uint8Array): Uint8Array {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, colorType], 8);
  const chunks = [chunk("IHDR", header)];
  if (palette) chunks.push(chunk("PLTE", palette));
  chunks.push(chunk("IDAT", packed), chunk("IEND", new Uint8Array(0)));
  const file = new Uint8Array(signature.length + chunks.reduce((sum, { length }) => sum + length, 0));
  file.set(signature);
  let at = signature.length;
  for (const part of chunks) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}

/** What every PNG file begins with. */
export const signature: Uint8Array = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

export function chunk(type: string, body: Uint8Array): Uint8Array {
  const out = new Uint8Array(body.length + 12);
  const view = new DataView(out.buffer);
  view.setUint32(0, body.length);
  for (let i = 0; i < 4; i++) out[4 + i] = type.charCodeAt(i);
  out.set(body, 8);
  view.setUint32(8 + body.length, crc32(out.subarray(4, 8 + body.length)));
  return out;
}

/** Up to this many colours a picture counts as drawn. */
const fewColors = 512;

/**
 * One byte a pixel when the picture is opaque and has at most 256 colours: grey when all are grey, else a palette.
 * With somewhat more colours it is still drawn and no photograph: whole pixels repeat, and packed as they are they take
 * a third less room than differences of neighbours (and less time).
 */
function indexed({ width, height, data }: Picture): Rows | "drawn" | "photograph" {
  const slots = new Int16Array(2048).fill(-1);
  const colors = new Int32Array(fewColors);
  let count = 0;
  let gray = true;
  const bytes = new Uint8Array(height * (width + 1));
  let at = 0;
  let last = -1;
  let index = 0;
  for (let y = 0, to = 0; y < height; y++) {
    to++;
    for (let x = 0; x < width; x++, at += 4) {
      if (data[at + 3] !== 255) return "photograph";
      const color = (data[at]! << 16) | (data[at + 1]! << 8) | data[at + 2]!;
      if (color !== last) {
        last = color;
        let slot = Math.imul(color, 0x9e3779b1) >>> 21;
        while (slots[slot]! >= 0 && colors[slots[slot]!] !== color) slot = (slot + 1) & 2047;
        if (slots[slot]! < 0) {
          if (count === fewColors) return "photograph";
          colors[count] = color;
          slots[slot] = count++;
          gray &&= data[at] === data[at + 1] && data[at] === data[at + 2];
        }
        index = slots[slot]!;
      }
      bytes[to++] = index;
    }
  }
  if (count > 256) return "drawn";
  if (gray) {
    for (let y = 0, to = 0; y < height; y++) {
      to++;
      for (let x = 0; x < width; x++, to++) bytes[to] = colors[bytes[to]!]! & 255;
    }
    return { colorType: 0, bytes };
  }
  const palette = new Uint8Array(count * 3);
  for (let i = 0; i < count; i++) palette.set([colors[i]! >> 16, (colors[i]! >> 8) & 255, colors[i]! & 255], 3 * i);
  return { colorType: 3, bytes, palette };
}

/** RGB as it is. */
function plain({ width, height, data }: Picture): Rows {
  const bytes = new Uint8Array(height * (3 * width + 1));
  for (let y = 0, from = 0, to = 0; y < height; y++) {
    to++;
    for (let x = 0; x < width; x++, from += 4) {
      bytes[to++] = data[from]!;
      bytes[to++] = data[from + 1]!;
      bytes[to++] = data[from + 2]!;
    }
  }
  return { colorType: 2, bytes };
}

/** RGB, or RGBA where something is transparent; each row as the difference to its left or upper neighbours, whichever is smaller. */
function filtered({ width, height, data }: Picture): Rows {
  let all = 255;
  for (let i = 3; i < data.length; i += 4) all &= data[i]!;
  const channels = all === 255 ? 3 : 4;
  const stride = width * channels;
  const bytes = new Uint8Array(height * (stride + 1));
  let row = new Uint8Array(stride);
  let above = new Uint8Array(stride);
  const [sub, up, paeth] = [new Uint8Array(stride), new Uint8Array(stride), new Uint8Array(stride)];
  for (let y = 0; y < height; y++) {
    for (let x = 0, from = y * width * 4, to = 0; x < width; x++, from += 4) {
      for (let c = 0; c < channels; c++) row[to++] = data[from + c]!;
    }
    let [subCost, upCost, paethCost] = [0, 0, 0];
    for (let i = 0; i < stride; i++) {
      const value = row[i]!;
      const b = above[i]!;
      const a = i < channels ? 0 : row[i - channels]!;
      const c = i < channels ? 0 : above[i - channels]!;
      const toA = Math.abs(b - c);
      const toB = Math.abs(a - c);
      const toC = Math.abs(a + b - 2 * c);
      const nearest = toA <= toB && toA <= toC ? a : toB <= toC ? b : c;
      sub[i] = value - a;
      up[i] = value - b;
      paeth[i] = value - nearest;
      // Sums of differences as signed bytes: the usual measure of which filter packs best.
      subCost += Math.abs((sub[i]! << 24) >> 24);
      upCost += Math.abs((up[i]! << 24) >> 24);
      paethCost += Math.abs((paeth[i]! << 24) >> 24);
    }
    const least = Math.min(subCost, upCost, paethCost);
    const [filter, best] = paethCost === least ? [4, paeth] : subCost === least ? [1, sub] : [2, up];
    bytes[y * (stride + 1)] = filter as number;
    bytes.set(best as Uint8Array, y * (stride + 1) + 1);
    [row, above] = [above, row];
  }
  return { colorType: channels === 3 ? 2 : 6, bytes };
}
