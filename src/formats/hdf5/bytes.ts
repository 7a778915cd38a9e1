/**
 * Reading the structures of an HDF5 file piece by piece: pages of the file are fetched when they are needed and kept, so
 * that a file of half a gigabyte is opened by reading some hundred kilobytes of it.
 */
import { ConvlensError } from "../../core/errors.ts";
import { type Region, readRegion } from "../region.ts";

/** Structures are scattered between the arrays: small pages of large files, small files in one go. */
const PAGE = 2 ** 15;
const SMALL_FILE = 2 ** 25;
/** Structures are small; only a damaged file asks for more. */
const LARGEST = 2 ** 26;
/** More structures than any network's file has. */
const MOST_READS = 500_000;

export interface Pages {
  readonly region: Region;
  /** Bytes from `offset`. Throws `file-truncated`, and `model-invalid` on more than a structure can have. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** The error of a damaged file; `what` reads after "NAME is damaged:". */
export const damaged = (region: Region, what: string): ConvlensError =>
  new ConvlensError("model-invalid", `"${region.source.name}" is damaged: ${what}; download or save it again`);

export const unsupported = (region: Region, what: string): ConvlensError =>
  new ConvlensError(
    "model-unsupported",
    `"${region.source.name}" uses ${what}, which Convlens does not read; load it in Keras and save it again`,
  );

export function pagesOf(region: Region): Pages {
  const pageSize = region.size <= SMALL_FILE ? Math.max(1, region.size) : PAGE;
  const pages = new Map<number, Promise<Uint8Array>>();
  let reads = 0;
  const page = (index: number): Promise<Uint8Array> => {
    const known = pages.get(index);
    if (known) return known;
    const offset = index * pageSize;
    const fetched = readRegion(region, offset, Math.min(pageSize, region.size - offset));
    pages.set(index, fetched);
    return fetched;
  };
  const read = async (offset: number, length: number): Promise<Uint8Array> => {
    if (++reads > MOST_READS) throw damaged(region, "its structures lead in circles");
    if (length > LARGEST) throw damaged(region, `a structure of ${length} bytes`);
    if (!(Number.isSafeInteger(offset) && offset >= 0) || offset + length > region.size)
      // The page-wise reads below would miss it: the error of the region itself.
      return readRegion(region, offset, length);
    const first = Math.floor(offset / pageSize);
    const last = Math.floor((offset + Math.max(length, 1) - 1) / pageSize);
    const start = offset - first * pageSize;
    if (first === last) return (await page(first)).subarray(start, start + length);
    if (last - first > 4) return readRegion(region, offset, length);
    const out = new Uint8Array(length);
    for (let index = first, done = 0; index <= last; index++) {
      const bytes = await page(index);
      const from = index === first ? start : 0;
      const part = bytes.subarray(from, from + length - done);
      out.set(part, done);
      done += part.length;
    }
    return out;
  };
  return { region, read };
}

/** The sizes in bytes of addresses and of lengths, as the superblock states them. */
export interface Widths {
  readonly address: number;
  readonly length: number;
}

/** Reads little-endian numbers one after another. */
export interface Cursor {
  readonly at: number;
  readonly left: number;
  skip(count: number): void;
  uint(size: number): number;
  /** An address of the file; `undefined` for the undefined one (all bits set). */
  address(): number | undefined;
  length(): number;
  take(count: number): Uint8Array;
  /** Skips to a multiple of 8 from the beginning. */
  align(): void;
}

export function cursor(bytes: Uint8Array, { address, length }: Widths, region: Region): Cursor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const forward = (count: number): number => {
    if (!(count >= 0) || at + count > bytes.length) throw damaged(region, "a structure ends too early");
    at += count;
    return at - count;
  };
  const uint = (size: number): number => {
    const from = forward(size);
    if (size === 1) return view.getUint8(from);
    if (size === 2) return view.getUint16(from, true);
    if (size === 4) return view.getUint32(from, true);
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 256 + view.getUint8(from + i);
    return value;
  };
  return {
    get at() {
      return at;
    },
    get left() {
      return bytes.length - at;
    },
    skip: (count) => void forward(count),
    uint,
    address: () => {
      const from = at;
      const value = uint(address);
      return bytes.subarray(from, from + address).every((byte) => byte === 0xff) ? undefined : value;
    },
    length: () => uint(length),
    take: (count) => {
      const from = forward(count);
      return bytes.subarray(from, from + count);
    },
    align: () => void forward(Math.min((8 - (at % 8)) % 8, bytes.length - at)),
  };
}

const latin = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

/** Whether a structure begins with its four-letter signature. Throws `model-invalid` naming it. */
export function wantSignature(from: Cursor, signature: string, region: Region): void {
  const found = latin(from.take(signature.length));
  if (found !== signature)
    throw damaged(region, `${JSON.stringify(signature)} is expected where ${JSON.stringify(found)} stands`);
}
