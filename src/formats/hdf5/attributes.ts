/** Attributes of HDF5 objects: texts and numbers. */
import { fromBytes, sizeOf, type Tensor } from "../../core/tensor.ts";
import { type Cursor, cursor, damaged, unsupported, wantSignature } from "./bytes.ts";
import { type Datatype, parseDatatype } from "./datatype.ts";
import { type Hdf5File, type Message, messageTypes } from "./headers.ts";

/** Texts are a list, one for a scalar; numbers a tensor. */
export type AttributeValue =
  | { readonly kind: "texts"; readonly texts: readonly string[] }
  | { readonly kind: "numbers"; readonly tensor: Tensor }
  | { readonly kind: "other"; readonly what: string };

interface RawAttribute {
  readonly name: string;
  readonly datatype: Datatype;
  readonly dims: readonly number[];
  readonly data: Uint8Array;
}

const MOST_ELEMENTS = 2 ** 24;

const decoder = new TextDecoder();

/** Bytes as text; the zeros that fill fixed lengths are cut off. */
export function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** The sizes of a dataspace message; `undefined` for the empty ("null") one. */
export function parseDataspace(from: Cursor, file: Hdf5File): readonly number[] | undefined {
  const version = from.uint(1);
  if (version !== 1 && version !== 2) throw damaged(file.region, `a dataspace of version ${version}`);
  const rank = from.uint(1);
  from.skip(1);
  const kind = from.uint(1);
  if (version === 1) from.skip(4);
  if (version === 2 && kind === 2) return undefined;
  return Array.from({ length: rank }, () => from.length());
}

function parseAttribute(body: Uint8Array, file: Hdf5File): RawAttribute {
  const from = cursor(body, file.widths, file.region);
  const version = from.uint(1);
  if (version < 1 || version > 3) throw damaged(file.region, `an attribute of version ${version}`);
  if (from.uint(1) & 3 && version > 1) throw unsupported(file.region, "attributes with shared datatypes");
  const sizes = [from.uint(2), from.uint(2), from.uint(2)] as const;
  if (version === 3) from.skip(1);
  const part = (size: number): Uint8Array => {
    const bytes = from.take(size);
    if (version === 1) from.align();
    return bytes;
  };
  const name = textOf(part(sizes[0]));
  const datatype = parseDatatype(cursor(part(sizes[1]), file.widths, file.region), file.region);
  const dims = parseDataspace(cursor(part(sizes[2]), file.widths, file.region), file) ?? [0];
  return { name, datatype, dims, data: from.take(from.left) };
}

/** The attributes of an object by name; their values are read when asked for. */
export function attributesOf(
  messages: readonly Message[],
  file: Hdf5File,
): ReadonlyMap<string, () => Promise<AttributeValue>> {
  const found = new Map<string, () => Promise<AttributeValue>>();
  for (const { type, body } of messages) {
    if (type === messageTypes.attribute) {
      const raw = parseAttribute(body, file);
      found.set(raw.name, () => attributeValue(raw, file));
    }
    if (type === messageTypes.attributeInfo) {
      const from = cursor(body, file.widths, file.region);
      from.skip(1);
      from.skip(from.uint(1) & 1 ? 2 : 0);
      if (from.address() !== undefined) throw unsupported(file.region, "attributes in a heap of their own");
    }
  }
  return found;
}

async function attributeValue({ name, datatype, dims, data }: RawAttribute, file: Hdf5File): Promise<AttributeValue> {
  const count = sizeOf(dims);
  if (!(count <= MOST_ELEMENTS) || count * datatype.size > data.length)
    throw damaged(file.region, `its attribute "${name}" states ${count} values and holds fewer`);
  const element = (i: number): Uint8Array => data.subarray(i * datatype.size, (i + 1) * datatype.size);
  if (datatype.kind === "text")
    return { kind: "texts", texts: Array.from({ length: count }, (_, i) => textOf(element(i))) };
  if (datatype.kind === "heap-text") {
    const texts: string[] = [];
    for (let i = 0; i < count; i++) texts.push(await heapText(element(i), file));
    return { kind: "texts", texts };
  }
  if (datatype.kind === "number") {
    const tensor = fromBytes(datatype.type, dims, data.slice(0, count * datatype.size));
    return { kind: "numbers", tensor };
  }
  return { kind: "other", what: datatype.kind === "other" ? datatype.what : "opaque data" };
}

/** A text of the global heap: its length, the address of the collection and its number in there. */
async function heapText(reference: Uint8Array, file: Hdf5File): Promise<string> {
  const from = cursor(reference, file.widths, file.region);
  const length = from.uint(4);
  const address = from.address();
  const wanted = from.uint(4);
  if (length === 0 || !address) return "";
  const known = file.heaps.get(address) ?? readHeap(address, file);
  file.heaps.set(address, known);
  const bytes = (await known).get(wanted);
  if (!bytes) throw damaged(file.region, `text ${wanted} of the heap at ${address} is not there`);
  return textOf(bytes.subarray(0, length));
}

/** A collection of the global heap. */
async function readHeap(address: number, file: Hdf5File): Promise<ReadonlyMap<number, Uint8Array>> {
  const head = await file.at(address, 8 + file.widths.length);
  wantSignature(head, "GCOL", file.region);
  head.skip(4);
  const from = await file.at(address, head.length());
  from.skip(8 + file.widths.length);
  const objects = new Map<number, Uint8Array>();
  while (from.left >= 8 + file.widths.length) {
    const index = from.uint(2);
    from.skip(6);
    const size = from.length();
    // Number 0 is the free space at the end.
    if (index === 0) break;
    objects.set(index, from.take(size));
    from.align();
  }
  return objects;
}
