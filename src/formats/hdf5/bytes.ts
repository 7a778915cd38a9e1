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

/** Reads little-endian numbers one after another. A class: a large network takes a hundred thousand of them. */
export class Cursor {
  at = 0;
  private readonly bytes: Uint8Array;
  private readonly widths: Widths;
  private readonly region: Region;

  constructor(bytes: Uint8Array, widths: Widths, region: Region) {
    this.bytes = bytes;
    this.widths = widths;
    this.region = region;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  private forward(count: number): number {
    const from = this.at;
    if (!(count >= 0) || from + count > this.bytes.length) throw damaged(this.region, "a structure ends too early");
    this.at = from + count;
    return from;
  }

  skip(count: number): void {
    this.forward(count);
  }

  uint(size: number): number {
    const from = this.forward(size);
    let value = 0;
    for (let i = from + size - 1; i >= from; i--) value = value * 256 + this.bytes[i]!;
    return value;
  }

  /** An address of the file; `undefined` for the undefined one (all bits set). */
  address(): number | undefined {
    const { address } = this.widths;
    const value = this.uint(address);
    return value >= 2 ** (8 * address) - 1 ? undefined : value;
  }

  length(): number {
    return this.uint(this.widths.length);
  }

  take(count: number): Uint8Array {
    const from = this.forward(count);
    return this.bytes.subarray(from, from + count);
  }

  /** Skips to a multiple of 8 from the beginning. */
  align(): void {
    this.forward(Math.min((8 - (this.at % 8)) % 8, this.left));
  }
}

export const cursor = (bytes: Uint8Array, widths: Widths, region: Region): Cursor => new Cursor(bytes, widths, region);

const latin = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

/** Whether a structure begins with its four-letter signature. Throws `model-invalid` naming it. */
export function wantSignature(from: Cursor, signature: string, region: Region): void {
  const found = latin(from.take(signature.length));
  if (found !== signature)
    throw damaged(region, `${JSON.stringify(signature)} is expected where ${JSON.stringify(found)} stands`);
}
