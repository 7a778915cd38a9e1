/**
 * Zip archives read by range: the table of members at the end, then single members. A stored member is a region of the
 * archive itself, so that weights in it stay where they are; a deflated one is unpacked, never to more than it states.
 */
import { inflateSync } from "fflate";
import { ConvlensError } from "../core/errors.ts";
import type { ByteSource } from "../core/platform.ts";
import { type Region, readRegion, unpackedSource, wholeOf } from "./region.ts";

export interface ZipMember {
  readonly name: string;
  /** Stored and unpacked size in bytes. */
  readonly stored: number;
  readonly size: number;
  readonly method: number;
  /** Where its local header begins. */
  readonly header: number;
}

const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const MEMBER = 0x02014b50;
const LOCAL = 0x04034b50;
/** The record at the end, with the longest comment. */
const LONGEST_END = 22 + 0xffff;
const LARGEST_TABLE = 2 ** 26;
/** Deflate packs at most 1032 bytes in one. */
const MOST_PACKED = 1032;

const damaged = (source: ByteSource, what: string): ConvlensError =>
  new ConvlensError("model-invalid", `"${source.name}" is a damaged zip archive: ${what}; download or save it again`);

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const uint64 = (view: DataView, at: number): number =>
  view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;

/** The members of an archive by name. Throws `model-invalid`. */
export async function readZip(source: ByteSource): Promise<ReadonlyMap<string, ZipMember>> {
  const whole = wholeOf(source);
  const { offset, size, count } = await findTable(whole);
  if (size > LARGEST_TABLE || offset + size > source.size) throw damaged(source, `its table has ${size} bytes`);
  const bytes = await readRegion(whole, offset, size);
  const view = viewOf(bytes);
  const members = new Map<string, ZipMember>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > size || view.getUint32(at, true) !== MEMBER) throw damaged(source, "its table ends too early");
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((k) => view.getUint16(at + k, true)) as [
      number,
      number,
      number,
    ];
    const next = at + 46 + nameLength + extraLength + commentLength;
    if (next > size) throw damaged(source, "its table ends too early");
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    const wide = wideSizes(view, at + 46 + nameLength, extraLength);
    const field = (k: number): number => {
      const value = view.getUint32(at + k, true);
      return value === 0xffffffff ? (wide.shift() ?? value) : value;
    };
    // In this order: those that do not fit follow each other in the extra field.
    const unpacked = field(24);
    const stored = field(20);
    const header = field(42);
    if (view.getUint16(at + 8, true) & 1)
      throw new ConvlensError(
        "model-unsupported",
        `"${source.name}" is encrypted ("${name}"); save it without a password`,
      );
    members.set(name, { name, stored, size: unpacked, method: view.getUint16(at + 10, true), header });
    at = next;
  }
  return members;
}

async function findTable(whole: Region): Promise<{ offset: number; size: number; count: number }> {
  const { source, size } = whole;
  const start = Math.max(0, size - LONGEST_END);
  const tail = viewOf(await readRegion(whole, start, size - start));
  for (let at = tail.byteLength - 22; at >= 0; at--) {
    if (tail.getUint32(at, true) !== END) continue;
    const plain = {
      count: tail.getUint16(at + 10, true),
      size: tail.getUint32(at + 12, true),
      offset: tail.getUint32(at + 16, true),
    };
    const isWide = plain.count === 0xffff || plain.size === 0xffffffff || plain.offset === 0xffffffff;
    if (!isWide || at < 20 || tail.getUint32(at - 20, true) !== LOCATOR_64) return plain;
    const record = viewOf(await readRegion(whole, uint64(tail, at - 12), 56));
    if (record.getUint32(0, true) !== END_64) throw damaged(source, "its 64-bit table is not there");
    return { count: uint64(record, 32), size: uint64(record, 40), offset: uint64(record, 48) };
  }
  throw new ConvlensError(
    "file-truncated",
    `"${source.name}" ends too early: the table of a zip archive is missing at its end; download or save it again`,
  );
}

/** The 64-bit sizes and offset of a member's extra field, in their order. */
function wideSizes(view: DataView, start: number, length: number): number[] {
  for (let at = start; at + 4 <= start + length; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue;
    const end = Math.min(at + 4 + view.getUint16(at + 2, true), start + length);
    const sizes: number[] = [];
    for (let k = at + 4; k + 8 <= end; k += 8) sizes.push(uint64(view, k));
    return sizes;
  }
  return [];
}

/**
 * A member as a region: of the archive where it is stored, of unpacked bytes where it is deflated. `most` bounds its
 * size. Throws `model-invalid`, `model-unsupported`, `file-truncated`.
 */
export async function openMember(
  source: ByteSource,
  member: ZipMember,
  most: number = Number.MAX_SAFE_INTEGER,
): Promise<Region> {
  const whole = wholeOf(source);
  const { name, stored, size, method } = member;
  const local = viewOf(await readRegion(whole, member.header, 30));
  if (local.getUint32(0, true) !== LOCAL) throw damaged(source, `"${name}" does not begin where the table says`);
  const offset = member.header + 30 + local.getUint16(26, true) + local.getUint16(28, true);
  if (offset + stored > source.size) await readRegion(whole, offset, stored);
  if (size > most) throw damaged(source, `"${name}" has ${size} bytes, expected at most ${most}`);
  if (method === 0 && stored === size) return { source, offset, size };
  if (method !== 8)
    throw new ConvlensError(
      "model-unsupported",
      `"${source.name}" packs "${name}" in a way that is not read (method ${method}); save it again`,
    );
  if (size > MOST_PACKED * stored + 64)
    throw damaged(source, `"${name}" states ${size} bytes in ${stored} packed ones`);
  const bytes = inflate(source, name, await readRegion(whole, offset, stored), size);
  return wholeOf(unpackedSource(source.name, bytes));
}

function inflate(source: ByteSource, name: string, packed: Uint8Array, size: number): Uint8Array {
  try {
    // One byte more than it states, to see whether there is more.
    const bytes = inflateSync(packed, { out: new Uint8Array(size + 1) });
    if (bytes.length === size) return bytes;
  } catch (error) {
    throw damaged(source, `"${name}" cannot be unpacked (${error instanceof Error ? error.message : error})`);
  }
  throw damaged(source, `"${name}" does not have the ${size} bytes it states`);
}
