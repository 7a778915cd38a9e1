/** The members of an HDF5 group: symbol tables of the old form, link messages of the new one. */

import { textOf } from "./attributes.ts";
import { cursor, damaged, unsupported, wantSignature } from "./bytes.ts";
import { type Hdf5File, type Message, messageTypes } from "./headers.ts";

const DEEPEST_TREE = 32;
const MOST_MEMBERS = 200_000;

/** The addresses of a group's members by name; `undefined` where the object is no group. */
export async function membersOf(
  messages: readonly Message[],
  file: Hdf5File,
): Promise<ReadonlyMap<string, number> | undefined> {
  const members = new Map<string, number>();
  let isGroup = false;
  for (const { type, body } of messages) {
    const from = cursor(body, file.widths, file.region);
    if (type === messageTypes.symbolTable) {
      isGroup = true;
      const tree = from.address();
      const heap = from.address();
      if (heap === undefined) throw damaged(file.region, "a group without a heap");
      if (tree !== undefined) await readTree(file, tree, await readHeap(file, heap), members, 0);
    } else if (type === messageTypes.linkInfo) {
      isGroup = true;
      from.skip(1);
      from.skip(from.uint(1) & 1 ? 8 : 0);
      if (from.address() !== undefined) throw unsupported(file.region, "groups in HDF5's dense form (libver latest)");
    } else if (type === messageTypes.link) {
      isGroup = true;
      readLink(body, file, members);
    }
  }
  return isGroup ? members : undefined;
}

type NameAt = (offset: number) => string;

/** The local heap: the names of a group's members. */
async function readHeap(file: Hdf5File, address: number): Promise<NameAt> {
  const head = await file.at(address, 8 + 2 * file.widths.length + file.widths.address);
  wantSignature(head, "HEAP", file.region);
  head.skip(4);
  const size = head.length();
  head.length();
  const data = head.address();
  if (data === undefined) throw damaged(file.region, "a heap of names without data");
  const bytes = (await file.at(data, size)).take(size);
  return (offset) => {
    if (offset >= bytes.length) throw damaged(file.region, "the name of a member lies outside its heap");
    return textOf(bytes.subarray(offset));
  };
}

async function readTree(
  file: Hdf5File,
  address: number,
  nameAt: NameAt,
  members: Map<string, number>,
  depth: number,
): Promise<void> {
  const { widths, region } = file;
  if (depth > DEEPEST_TREE || members.size > MOST_MEMBERS) throw damaged(region, "a group leads in circles");
  const head = await file.at(address, 8 + 2 * widths.address);
  wantSignature(head, "TREE", region);
  if (head.uint(1) !== 0) throw damaged(region, "a group's tree is of another kind");
  head.uint(1);
  const count = head.uint(2);
  const from = await file.at(address + 8 + 2 * widths.address, count * (widths.length + widths.address));
  for (let i = 0; i < count; i++) {
    from.length();
    const child = from.address();
    if (child === undefined) continue;
    // Level 0 holds leaves of symbols; a leaf says so itself.
    const signature = String.fromCharCode(...(await file.at(child, 4)).take(4));
    if (signature === "SNOD") await readLeaf(file, child, nameAt, members);
    else await readTree(file, child, nameAt, members, depth + 1);
  }
}

async function readLeaf(file: Hdf5File, address: number, nameAt: NameAt, members: Map<string, number>): Promise<void> {
  const head = await file.at(address, 8);
  head.skip(6);
  const count = head.uint(2);
  const from = await file.at(address + 8, count * (2 * file.widths.address + 24));
  for (let i = 0; i < count; i++) {
    const name = nameAt(from.uint(file.widths.address));
    const object = from.address();
    // Cache type 2 is a soft link: it has no object of its own, and Keras writes none.
    const isSoft = from.uint(4) === 2;
    from.skip(20);
    if (object !== undefined && !isSoft) members.set(name, object);
  }
}

/** A link message: only hard links lead to objects of this file. */
function readLink(body: Uint8Array, file: Hdf5File, members: Map<string, number>): void {
  const from = cursor(body, file.widths, file.region);
  const version = from.uint(1);
  if (version !== 1) throw damaged(file.region, `a link of version ${version}`);
  const flags = from.uint(1);
  const kind = flags & 8 ? from.uint(1) : 0;
  from.skip((flags & 4 ? 8 : 0) + (flags & 16 ? 1 : 0));
  const name = textOf(from.take(from.uint(1 << (flags & 3))));
  if (kind !== 0) return;
  const object = from.address();
  if (object !== undefined) members.set(name, object);
}
