/**
 * Arrays of an HDF5 file. Contiguous ones stay in the file, as references that an engine maps; chunked and compressed
 * ones are put together in memory.
 */
import { unzlibSync } from "fflate";
import { type ElementType, fromBytes, sizeOf } from "../../core/tensor.ts";
import type { Constant } from "../../graph/graph.ts";
import { readRegion } from "../region.ts";
import { parseDataspace } from "./attributes.ts";
import { type Cursor, cursor, damaged, unsupported, wantSignature } from "./bytes.ts";
import { type Datatype, parseDatatype } from "./datatype.ts";
import { type Hdf5File, type Message, messageTypes } from "./headers.ts";

type Layout =
  | { readonly kind: "compact"; readonly bytes: Uint8Array }
  | { readonly kind: "contiguous"; readonly address: number | undefined; readonly length: number }
  | {
      readonly kind: "chunked";
      readonly chunk: readonly number[];
      readonly address: number | undefined;
      /** One chunk that holds all, with its stored size and skipped filters; absent: a tree of chunks. */
      readonly single?: { readonly size: number; readonly mask: number };
    };

interface Filter {
  readonly id: number;
  readonly values: readonly number[];
}

interface ArrayInfo {
  readonly datatype: Datatype;
  readonly dims: readonly number[];
}

/** Deflate packs at most 1032 bytes in one. */
const MOST_PACKED = 1032;
const MOST_CHUNKS = 2 ** 20;
const DEEPEST_TREE = 32;

/** Type and shape of the array that an object holds; `undefined` where it is none. */
export function arrayInfo(messages: readonly Message[], file: Hdf5File): ArrayInfo | undefined {
  const body = (type: number): Cursor | undefined => {
    const message = messages.find((m) => m.type === type);
    return message && cursor(message.body, file.widths, file.region);
  };
  const [space, type] = [body(messageTypes.dataspace), body(messageTypes.datatype)];
  if (!space || !type) return undefined;
  return { datatype: parseDatatype(type, file.region), dims: parseDataspace(space, file) ?? [0] };
}

/**
 * The array as a constant; `type` overrides that of opaque data. Throws `model-invalid`, `file-truncated`, and
 * `model-unsupported` for types and filters that no weight has.
 */
export async function readArray(
  path: string,
  messages: readonly Message[],
  file: Hdf5File,
  opaque: ElementType | undefined,
): Promise<Constant> {
  const { region } = file;
  const info = arrayInfo(messages, file);
  const layoutMessage = messages.find((m) => m.type === messageTypes.layout);
  if (!info || !layoutMessage) throw damaged(region, `"${path}" is no array`);
  const { datatype, dims } = info;
  const type = datatype.kind === "number" ? datatype.type : datatype.kind === "opaque" ? opaque : undefined;
  if (!type)
    throw unsupported(region, `${datatype.kind === "other" ? datatype.what : datatype.kind} in the array "${path}"`);
  const length = sizeOf(dims) * datatype.size;
  if (!Number.isSafeInteger(length)) throw damaged(region, `"${path}" has the shape [${dims.join(", ")}]`);
  if (length === 0) return fromBytes(type, dims, new Uint8Array());
  const layout = parseLayout(cursor(layoutMessage.body, file.widths, region), dims, datatype.size, file);
  const filterMessage = messages.find((m) => m.type === messageTypes.filters);
  const filters = filterMessage ? parseFilters(cursor(filterMessage.body, file.widths, region), file) : [];

  if (layout.kind === "compact") {
    if (layout.bytes.length < length) throw damaged(region, `"${path}" holds too little for [${dims.join(", ")}]`);
    return fromBytes(type, dims, layout.bytes.slice(0, length));
  }
  if (layout.address === undefined) throw damaged(region, `"${path}" was never written`);
  if (layout.kind === "contiguous") {
    if (layout.length !== length)
      throw damaged(region, `"${path}" has ${layout.length} bytes, [${dims.join(", ")}] of ${type} takes ${length}`);
    if (layout.address + length > region.size) await readRegion(region, layout.address, length);
    return { type, dims, stored: { source: region.source, offset: region.offset + layout.address, length } };
  }
  if (length > MOST_PACKED * region.size) throw damaged(region, `"${path}" would have ${length} bytes`);
  const bytes = await readChunks(path, layout, filters, dims, datatype.size, file);
  return fromBytes(type, dims, bytes);
}

function parseLayout(from: Cursor, dims: readonly number[], size: number, file: Hdf5File): Layout {
  const version = from.uint(1);
  if (version !== 3 && version !== 4) throw unsupported(file.region, `arrays laid out in version ${version}`);
  const kind = from.uint(1);
  if (kind === 0) return { kind: "compact", bytes: from.take(from.uint(2)) };
  if (kind === 1) return { kind: "contiguous", address: from.address(), length: from.length() };
  if (kind !== 2) throw unsupported(file.region, "arrays spread over several files");
  const flags = version === 4 ? from.uint(1) : 0;
  const rank = from.uint(1);
  const address = version === 3 ? from.address() : undefined;
  const width = version === 4 ? from.uint(1) : 4;
  const chunk = Array.from({ length: rank }, () => from.uint(width));
  if (rank !== dims.length + 1 || chunk.at(-1) !== size || chunk.some((n) => n < 1))
    throw damaged(file.region, `chunks of [${chunk.join(", ")}] for an array of [${dims.join(", ")}]`);
  const shape = chunk.slice(0, -1);
  if (version === 3) return { kind: "chunked", chunk: shape, address };
  const index = from.uint(1);
  if (index !== 1) throw unsupported(file.region, "chunks in HDF5's newest form (libver latest)");
  const isFiltered = (flags & 2) !== 0;
  const single = isFiltered ? { size: from.length(), mask: from.uint(4) } : { size: sizeOf(shape) * size, mask: 0 };
  return { kind: "chunked", chunk: shape, address: from.address(), single };
}

function parseFilters(from: Cursor, file: Hdf5File): readonly Filter[] {
  const version = from.uint(1);
  if (version !== 1 && version !== 2) throw damaged(file.region, `filters of version ${version}`);
  const count = from.uint(1);
  if (version === 1) from.skip(6);
  return Array.from({ length: count }, () => {
    const id = from.uint(2);
    const nameLength = version === 1 || id >= 256 ? from.uint(2) : 0;
    from.skip(2);
    const values = from.uint(2);
    from.skip(version === 1 ? Math.ceil(nameLength / 8) * 8 : nameLength);
    const list = Array.from({ length: values }, () => from.uint(4));
    if (version === 1 && values % 2 === 1) from.skip(4);
    return { id, values: list };
  });
}

interface Chunk {
  readonly start: readonly number[];
  readonly address: number;
  readonly size: number;
  readonly mask: number;
}

async function readChunks(
  path: string,
  layout: Extract<Layout, { kind: "chunked" }>,
  filters: readonly Filter[],
  dims: readonly number[],
  size: number,
  file: Hdf5File,
): Promise<Uint8Array> {
  const { region } = file;
  const { chunk, single } = layout;
  const chunks: Chunk[] = [];
  if (single) chunks.push({ start: dims.map(() => 0), address: layout.address!, ...single });
  else await collectChunks(file, layout.address!, dims.length, chunks, 0);
  const plain = sizeOf(chunk) * size;
  if (!(plain <= MOST_PACKED * region.size)) throw damaged(region, `"${path}" has chunks of ${plain} bytes`);
  const out = new Uint8Array(sizeOf(dims) * size);
  const wanted = dims.reduce((count, n, i) => count * Math.ceil(n / chunk[i]!), 1);
  if (chunks.length !== wanted) throw damaged(region, `"${path}" has ${chunks.length} of ${wanted} chunks`);
  for (const { start, address, size: stored, mask } of chunks) {
    if (start.some((n, i) => n >= dims[i]! || n % chunk[i]! !== 0))
      throw damaged(region, `"${path}" has a chunk at [${start.join(", ")}], outside [${dims.join(", ")}]`);
    const bytes = undo(filters, mask, await readRegion(region, address, stored), plain, path, file);
    place(bytes, start, chunk, out, dims, size);
  }
  return out;
}

/** The chunks of a tree: each key holds a chunk's stored size, the filters it skips, and where it begins. */
async function collectChunks(
  file: Hdf5File,
  address: number,
  rank: number,
  chunks: Chunk[],
  depth: number,
): Promise<void> {
  const { widths, region } = file;
  if (depth > DEEPEST_TREE || chunks.length > MOST_CHUNKS) throw damaged(region, "chunks lead in circles");
  const head = await file.at(address, 8 + 2 * widths.address);
  wantSignature(head, "TREE", region);
  if (head.uint(1) !== 1) throw damaged(region, "a tree of chunks is of another kind");
  const level = head.uint(1);
  const count = head.uint(2);
  const key = 8 + 8 * (rank + 1);
  const from = await file.at(address + 8 + 2 * widths.address, count * (key + widths.address));
  for (let i = 0; i < count; i++) {
    const size = from.uint(4);
    const mask = from.uint(4);
    const start = Array.from({ length: rank }, () => from.uint(8));
    from.skip(8);
    const child = from.address();
    if (child === undefined) throw damaged(region, "a chunk without an address");
    if (level === 0) chunks.push({ start, address: child, size, mask });
    else await collectChunks(file, child, rank, chunks, depth + 1);
  }
}

/** Undoes the filters, last applied first. */
function undo(
  filters: readonly Filter[],
  mask: number,
  stored: Uint8Array,
  plain: number,
  path: string,
  file: Hdf5File,
): Uint8Array {
  let bytes = stored;
  for (let i = filters.length - 1; i >= 0; i--) {
    if (mask & (1 << i)) continue;
    const { id, values } = filters[i]!;
    if (id === 1) bytes = inflate(bytes, plain + 4, path, file);
    else if (id === 2) bytes = unshuffle(bytes, values[0] ?? 1);
    else if (id === 3) bytes = bytes.subarray(0, Math.max(0, bytes.length - 4));
    else throw unsupported(file.region, `filter ${id} for "${path}" (deflate, shuffle and checksums are read)`);
  }
  if (bytes.length !== plain)
    throw damaged(file.region, `"${path}" has a chunk of ${bytes.length} bytes, not ${plain}`);
  return bytes;
}

/** Up to `most` bytes; what a damaged or hostile chunk holds beyond is dropped. */
function inflate(bytes: Uint8Array, most: number, path: string, file: Hdf5File): Uint8Array {
  try {
    return unzlibSync(bytes, { out: new Uint8Array(most) });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw damaged(file.region, `"${path}" cannot be inflated (${why})`);
  }
}

/** Shuffle puts the first bytes of all elements first, then the second ones … */
function unshuffle(bytes: Uint8Array, size: number): Uint8Array {
  const count = Math.floor(bytes.length / size);
  if (size < 2 || count < 2) return bytes;
  const out = new Uint8Array(bytes);
  for (let j = 0, from = 0; j < size; j++) for (let i = 0; i < count; i++, from++) out[i * size + j] = bytes[from]!;
  return out;
}

/** Copies a chunk to its place, row by row; what reaches over the array's edge is left out. */
function place(
  bytes: Uint8Array,
  start: readonly number[],
  chunk: readonly number[],
  out: Uint8Array,
  dims: readonly number[],
  size: number,
): void {
  const rank = dims.length;
  const counts = dims.map((n, i) => Math.min(chunk[i]!, n - start[i]!));
  const run = (counts[rank - 1] ?? 1) * size;
  const index = new Array<number>(rank).fill(0);
  for (;;) {
    let [from, to] = [0, 0];
    for (let i = 0; i < rank; i++) {
      from = from * chunk[i]! + index[i]!;
      to = to * dims[i]! + start[i]! + index[i]!;
    }
    out.set(bytes.subarray(from * size, from * size + run), to * size);
    let axis = rank - 2;
    for (; axis >= 0; axis--) {
      if (++index[axis]! < counts[axis]!) break;
      index[axis] = 0;
    }
    if (axis < 0) return;
  }
}
