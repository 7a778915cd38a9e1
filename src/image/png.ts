/**
 * Reads PNG: every bit depth and colour type, palettes, Adam7 interlacing, 16 bit, the first frame of animations.
 * What comes out are the pixels of Pillow's `convert("RGB")`: transparency is dropped (a note says so) and 16 bits
 * become 8 by their high byte (also grey ones, which Pillow itself clips to white); colour profiles and gamma are not
 * applied.
 */
import type { Picture } from "../core/picture.ts";
import type { Zlib } from "../core/platform.ts";
import { crc32 as plainCrc32 } from "./crc.ts";
import { exifOrientation } from "./exif.ts";
import { type ImageHeader, ImageProblem } from "./header.ts";

interface PngHeader extends ImageHeader {
  readonly depth: number;
  readonly colorType: number;
  readonly interlaced: boolean;
  readonly palette: Uint8Array | undefined;
  /** The IDAT chunks. */
  readonly parts: readonly Uint8Array[];
}

const [gray, palette, grayAlpha, rgbAlpha] = [0, 3, 4, 6];
const channelsOf: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const depthsOf: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};

export const droppedAlpha =
  'transparency dropped: the colours stored under it are used, as Pillow\'s convert("RGB") does';

/** Reads all chunks; the pixels stay compressed. Throws `ImageProblem`. */
export function pngHeader(bytes: Uint8Array, zlib?: Zlib): PngHeader {
  const crc32 = zlib?.crc32 ?? plainCrc32;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let header: Pick<PngHeader, "width" | "height" | "depth" | "colorType" | "interlaced"> | undefined;
  let orientation = 1;
  let colors: Uint8Array | undefined;
  const parts: Uint8Array[] = [];
  /** Each once, however often its chunk is repeated. */
  const notes = new Set<string>();
  let at = 8;
  while (at + 12 <= bytes.length) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const cut = at + 12 + length > bytes.length;
    if (cut && type !== "IDAT") break;
    const body = bytes.subarray(at + 8, at + 8 + length);
    const critical = type === "IHDR" || type === "PLTE" || type === "IDAT";
    if (critical && !cut && crc32(bytes.subarray(at + 4, at + 8 + length)) !== view.getUint32(at + 8 + length)) {
      throw new ImageProblem(`is damaged: the checksum of its ${type} chunk is wrong`);
    }
    if (!header) {
      if (type !== "IHDR" || length !== 13) throw new ImageProblem("is damaged: no PNG header");
      header = readHeader(body);
    } else if (type === "PLTE") colors = body;
    else if (type === "IDAT") parts.push(body);
    else if (type === "tRNS") notes.add(droppedAlpha);
    else if (type === "acTL") notes.add("animated: the first frame is used");
    else if (type === "eXIf") orientation = exifOrientation(body);
    else if (type === "IEND") break;
    at += 12 + length;
  }
  if (!header) throw new ImageProblem("is truncated: the file ends before its header does");
  if (header.colorType === palette && !colors) throw new ImageProblem("is damaged: it has no palette");
  if (header.depth === 16) notes.add("16 bits per channel reduced to 8 (the high byte)");
  return { ...header, orientation, notes: [...notes], palette: colors, parts };
}

function readHeader(body: Uint8Array): Pick<PngHeader, "width" | "height" | "depth" | "colorType" | "interlaced"> {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const [depth, colorType, compression, filter, interlace] = body.subarray(8) as unknown as number[];
  if (!depthsOf[colorType!]?.includes(depth!) || compression !== 0 || filter !== 0 || interlace! > 1) {
    throw new ImageProblem(`is damaged: colour type ${colorType} with ${depth} bits is no PNG`);
  }
  return {
    width: view.getUint32(0),
    height: view.getUint32(4),
    depth: depth!,
    colorType: colorType!,
    interlaced: interlace === 1,
  };
}

/** The seven passes of Adam7: first column, first row, column step, row step. */
const adam7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** Decodes what `pngHeader` read. Throws `ImageProblem`. */
export async function decodePng(
  header: PngHeader,
  zlib?: Zlib,
): Promise<{ picture: Picture; notes: readonly string[] }> {
  const { width, height, depth, colorType } = header;
  const bits = depth * channelsOf[colorType]!;
  const passes = (header.interlaced ? adam7 : [[0, 0, 1, 1] as const])
    .map(([x, y, xStep, yStep]) => {
      const columns = Math.ceil((width - x) / xStep);
      const rows = Math.ceil((height - y) / yStep);
      return { x, y, xStep, yStep, columns, rows, stride: Math.ceil((columns * bits) / 8) };
    })
    .filter(({ columns, rows }) => columns > 0 && rows > 0);
  const size = passes.reduce((sum, { rows, stride }) => sum + rows * (stride + 1), 0);
  // What is not as it should be is read piece by piece: as far as it goes, else with the error that says why.
  const raw = zlib?.inflate(header.parts, size) ?? (await inflate(header.parts, size));

  const pixels = new Int32Array(width * height);
  const expand = rowReader(header);
  const step = Math.max(1, bits >> 3);
  let transparent = false;
  let at = 0;
  for (const { x, y, xStep, yStep, columns, rows, stride } of passes) {
    for (let row = 0; row < rows; row++, at += stride + 1) {
      unfilter(raw, at + 1, stride, step, row > 0, raw[at]!);
      transparent = expand(raw, at + 1, columns, pixels, (y + row * yStep) * width + x, xStep) || transparent;
    }
  }
  const picture = { width, height, data: new Uint8ClampedArray(pixels.buffer) };
  return { picture, notes: transparent ? [...header.notes, droppedAlpha] : header.notes };
}

/** Inflates to exactly `size` bytes and stops there, so that no file can ask for more than its header said. */
async function inflate(parts: readonly Uint8Array[], size: number): Promise<Uint8Array> {
  const raw = new Uint8Array(size);
  const stream = new DecompressionStream("deflate");
  const writer = stream.writable.getWriter();
  // What goes wrong on the writing side is seen by the reader too.
  const ignore = () => {};
  for (const part of parts) writer.write(part as Uint8Array<ArrayBuffer>).catch(ignore);
  writer.close().catch(ignore);
  const reader = stream.readable.getReader();
  let filled = 0;
  try {
    while (filled < size) {
      const { done, value } = await reader.read();
      if (done) throw new ImageProblem("is truncated: its pixels end too early");
      raw.set(value.subarray(0, size - filled), filled);
      filled += value.length;
    }
  } catch (error) {
    if (error instanceof ImageProblem) throw error;
    throw new ImageProblem("is truncated or damaged: its pixels cannot be unpacked", { cause: error });
  }
  await reader.cancel().catch(ignore);
  return raw;
}

/** Undoes one row's filter in place; the row above lies right before this one. `step`: bytes per pixel. */
function unfilter(
  raw: Uint8Array,
  from: number,
  stride: number,
  step: number,
  hasAbove: boolean,
  filter: number,
): void {
  const end = from + stride;
  const back = stride + 1;
  // The first row has zeros above it: there 2 does nothing, 4 is 1, and 3 (called 5 here) halves the left neighbour.
  const kind = hasAbove ? filter : ([0, 1, 0, 5, 1][filter] ?? filter);
  if (kind === 0) return;
  if (kind === 1) {
    for (let i = from + step; i < end; i++) raw[i] = raw[i]! + raw[i - step]!;
  } else if (kind === 2) {
    for (let i = from; i < end; i++) raw[i] = raw[i]! + raw[i - back]!;
  } else if (kind === 3) {
    for (let i = from; i < from + step; i++) raw[i] = raw[i]! + (raw[i - back]! >> 1);
    for (let i = from + step; i < end; i++) raw[i] = raw[i]! + ((raw[i - step]! + raw[i - back]!) >> 1);
  } else if (kind === 5) {
    for (let i = from + step; i < end; i++) raw[i] = raw[i]! + (raw[i - step]! >> 1);
  } else if (kind === 4 && step === 3) {
    unfilterPaethRgb(raw, from, end, back);
  } else if (kind === 4) {
    for (let channel = 0; channel < step; channel++) unfilterPaeth(raw, from + channel, end, step, back);
  } else throw new ImageProblem(`is damaged: row filter ${filter} does not exist`);
}

/**
 * Paeth's choice: whichever of left, above and corner is nearest to left + above - corner. That is the corner when
 * 3 corner - left - above lies strictly between the other two, else the higher or lower of them. Chosen by bit masks:
 * a wrong guess of a branch costs more.
 */
function nearest(left: number, above: number, corner: number): number {
  const difference = left - above;
  const low = above + (difference & (difference >> 31));
  const high = left + above - low;
  const threshold = 3 * corner - left - above;
  const lowOrCorner = low ^ ((low ^ corner) & ((threshold - high) >> 31));
  return high ^ ((high ^ lowOrCorner) & ((low - threshold) >> 31));
}

function unfilterPaeth(raw: Uint8Array, from: number, end: number, step: number, back: number): void {
  let left = 0;
  let corner = 0;
  for (let i = from; i < end; i += step) {
    const above = raw[i - back]!;
    left = (raw[i]! + nearest(left, above, corner)) & 255;
    raw[i] = left;
    corner = above;
  }
}

/** RGB, the usual photograph: three channels at once, as each waits for its own left neighbour only. */
function unfilterPaethRgb(raw: Uint8Array, from: number, end: number, back: number): void {
  let [left0, left1, left2, corner0, corner1, corner2] = [0, 0, 0, 0, 0, 0];
  for (let i = from; i < end; i += 3) {
    const above0 = raw[i - back]!;
    const above1 = raw[i + 1 - back]!;
    const above2 = raw[i + 2 - back]!;
    left0 = (raw[i]! + nearest(left0, above0, corner0)) & 255;
    left1 = (raw[i + 1]! + nearest(left1, above1, corner1)) & 255;
    left2 = (raw[i + 2]! + nearest(left2, above2, corner2)) & 255;
    raw[i] = left0;
    raw[i + 1] = left1;
    raw[i + 2] = left2;
    corner0 = above0;
    corner1 = above1;
    corner2 = above2;
  }
}

/** Writes `columns` opaque pixels, `stride` words apart; returns whether any was not opaque in the file. */
type RowReader = (
  raw: Uint8Array,
  from: number,
  columns: number,
  to: Int32Array,
  at: number,
  stride: number,
) => boolean;

const opaque = 0xff000000 | 0;

function rowReader({ depth, colorType, palette: colors }: PngHeader): RowReader {
  if (depth < 8 || colorType === palette) {
    const perByte = 8 / depth;
    const mask = (1 << depth) - 1;
    const table = colorType === palette ? paletteTable(colors!) : grayTable(255 / mask);
    return (raw, from, columns, to, at, stride) => {
      for (let i = 0; i < columns; i++, at += stride) {
        const shift = 8 - depth * ((i % perByte) + 1);
        to[at] = table[(raw[from + ((i / perByte) | 0)]! >> shift) & mask]!;
      }
      return false;
    };
  }
  // Big-endian samples: the first byte of 16 bits is the high one.
  const size = depth >> 3;
  const step = size * channelsOf[colorType]!;
  const [green, blue] = colorType === gray || colorType === grayAlpha ? [0, 0] : [size, 2 * size];
  const alpha = colorType === grayAlpha ? size : colorType === rgbAlpha ? 3 * size : -1;
  return (raw, from, columns, to, at, stride) => {
    let all = 255;
    const end = from + columns * step;
    for (let i = from; i < end; i += step, at += stride) {
      to[at] = raw[i]! | (raw[i + green]! << 8) | (raw[i + blue]! << 16) | opaque;
      if (alpha > 0) all &= raw[i + alpha]!;
    }
    return all !== 255;
  };
}

/** 256 pixels; entries that a short palette lacks are black, as in Pillow. */
const paletteTable = (colors: Uint8Array): Int32Array =>
  Int32Array.from({ length: 256 }, (_, i) => {
    const [red, green, blue] = [colors[3 * i] ?? 0, colors[3 * i + 1] ?? 0, colors[3 * i + 2] ?? 0];
    return red | (green << 8) | (blue << 16) | opaque;
  });

const grayTable = (scale: number): Int32Array =>
  Int32Array.from({ length: 256 }, (_, i) => (i * scale * 0x10101) | opaque);
