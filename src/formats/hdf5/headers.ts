/** HDF5's superblock and object headers: where an object's messages lie, in the old form and in the new one. */
import { ConvlensError } from "../../core/errors.ts";
import type { Region } from "../region.ts";
import { type Cursor, cursor, damaged, type Pages, pagesOf, unsupported, type Widths, wantSignature } from "./bytes.ts";

/** An open file: its bytes and the widths of its numbers. Addresses count from the region's beginning. */
export interface Hdf5File {
  readonly region: Region;
  readonly widths: Widths;
  /** The collections of the global heap that were read, by address: texts by number. */
  readonly heaps: Map<number, Promise<ReadonlyMap<number, Uint8Array>>>;
  /** A cursor over `length` bytes at an address. */
  at(address: number, length: number): Promise<Cursor>;
}

export interface Message {
  readonly type: number;
  readonly body: Uint8Array;
}

/** The messages of object headers that are read. */
export const messageTypes = {
  dataspace: 0x01,
  linkInfo: 0x02,
  datatype: 0x03,
  link: 0x06,
  layout: 0x08,
  filters: 0x0b,
  attribute: 0x0c,
  continuation: 0x10,
  symbolTable: 0x11,
  attributeInfo: 0x15,
} as const;

const SIGNATURE = "\x89HDF\r\n\x1a\n";
const widthsAllowed = [2, 4, 8];
/** Keras' files have some ten messages an object. */
const MOST_BLOCKS = 1000;

/** Reads the superblock. Gives the file and the address of its root group. Throws `file-truncated`, `model-invalid`, `model-unsupported`. */
export async function readSuperblock(whole: Region): Promise<{ file: Hdf5File; root: number }> {
  const start = await findSuperblock(pagesOf(whole));
  const region = { ...whole, offset: whole.offset + start, size: whole.size - start };
  const pages = pagesOf(region);
  const head = await pages.read(0, Math.min(128, region.size));
  const version = head[8] ?? 255;
  if (version > 3) throw unsupported(region, `version ${version} of HDF5's superblock`);
  const isOld = version < 2;
  const widths = { address: head[isOld ? 13 : 9] ?? 0, length: head[isOld ? 14 : 10] ?? 0 };
  if (!widthsAllowed.includes(widths.address) || !widthsAllowed.includes(widths.length))
    throw damaged(region, `its superblock states addresses of ${widths.address} bytes`);
  const from = cursor(head, widths, region);
  from.skip(isOld ? 24 + 4 * version : 12);
  const base = from.address();
  if (base !== start) throw unsupported(region, `a base address of ${base}`);
  from.address();
  const end = from.address();
  // The old form has the address of driver information, then the root's entry: the offset of its name, its address.
  if (isOld) from.skip(2 * widths.address);
  const root = from.address();
  if (root === undefined) throw damaged(region, "it has no root group");
  // The end counts from the file's beginning.
  if (end !== undefined && end > whole.size)
    throw new ConvlensError(
      "file-truncated",
      `"${region.source.name}" ends too early: its header says ${end} bytes and there are ${whole.size}; download or save it again`,
    );
  const at: Hdf5File["at"] = async (address, length) => cursor(await pages.read(address, length), widths, region);
  return { file: { region, widths, heaps: new Map(), at }, root };
}

/** At the beginning, or behind a block of the user's of 512, 1024 … bytes. */
async function findSuperblock(pages: Pages): Promise<number> {
  for (let start = 0; start + 8 <= pages.region.size; start = start === 0 ? 512 : 2 * start)
    if (String.fromCharCode(...(await pages.read(start, 8))) === SIGNATURE) return start;
  throw damaged(pages.region, "it has no HDF5 superblock");
}

/** All messages of the object at an address. Throws `model-invalid` on damage. */
export async function readMessages(file: Hdf5File, address: number): Promise<readonly Message[]> {
  const { region } = file;
  const left = region.size - address;
  const head = await file.at(address, Math.min(64, left > 0 ? left : 64));
  const isNew = String.fromCharCode(...head.take(4)) === "OHDR";
  const blocks: { address: number; length: number }[] = [];
  let order = false;
  if (isNew) {
    const version = head.uint(1);
    if (version !== 2) throw damaged(region, `an object header of version ${version}`);
    const flags = head.uint(1);
    order = (flags & 4) !== 0;
    head.skip((flags & 32 ? 16 : 0) + (flags & 16 ? 4 : 0));
    const length = head.uint(1 << (flags & 3));
    blocks.push({ address: address + head.at, length });
  } else {
    const again = await file.at(address, 16);
    const version = again.uint(1);
    if (version !== 1) throw damaged(region, `an object header of version ${version}`);
    again.skip(7);
    blocks.push({ address: address + 16, length: again.uint(4) });
  }
  const messages: Message[] = [];
  for (let i = 0; i < blocks.length; i++) {
    if (i > MOST_BLOCKS) throw damaged(region, "an object header leads in circles");
    const { address: start, length } = blocks[i]!;
    const from = await file.at(start, length);
    if (isNew && i > 0) wantSignature(from, "OCHK", region);
    // Blocks after the first end with a checksum, which their length counts.
    const end = isNew && i > 0 ? length - 4 : length;
    const least = isNew ? (order ? 6 : 4) : 8;
    while (end - from.at >= least) {
      const type = from.uint(isNew ? 1 : 2);
      const size = from.uint(2);
      const flags = from.uint(1);
      from.skip(isNew ? (order ? 2 : 0) : 3);
      const body = from.take(size);
      if (type === messageTypes.continuation) {
        const next = cursor(body, file.widths, region);
        const where = next.address();
        if (where === undefined) throw damaged(region, "an object header goes on nowhere");
        blocks.push({ address: where, length: next.length() });
      } else if (flags & 2 && Object.values<number>(messageTypes).includes(type))
        throw unsupported(region, "messages that objects share (committed datatypes)");
      else messages.push({ type, body });
    }
  }
  return messages;
}
