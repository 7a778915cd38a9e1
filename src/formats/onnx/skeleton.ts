/**
 * The skeleton of an ONNX file: the same ModelProto without its big weights. Every large payload of a tensor, wherever
 * it stands, is replaced by a note of where it lies, so that decoding costs kilobytes and weights stay on disk.
 */
import { ConvlensError } from "../../core/errors.ts";
import type { ByteSource } from "../../core/platform.ts";
import { eachField, type Field, lengthHeader, openWindow, type Window } from "./wire.ts";

/** Payloads above this many bytes stay in the file. */
export const IN_MEMORY = 1024;
/**
 * What may remain after the payloads are taken out. Decoded, nodes and 64-bit integers take some fifty times their
 * bytes: a hostile file of a few hundred MiB would end the process.
 */
const LARGEST_SKELETON = 64 * 2 ** 20;
/** What may remain of 32-bit integers, in which exporters write half precision and bytes; they take eight times theirs. */
const MOST_INTEGERS = 128 * 2 ** 20;
/** Subgraphs within subgraphs, counted in messages. */
const DEEPEST = 100;

/** The key of the `external_data` entry that stands for a payload: "field offset length". */
export const STORED = "convlens.stored";
/** TensorProto's fields whose bytes are the tensor's own memory layout. */
export const payloads = { floats: 4, raw: 9, doubles: 10 } as const;
const INT32_DATA = 5;
const EXTERNAL_DATA = 13;

/** Which fields lead to tensors; "drop" leaves a field out. */
interface Path {
  readonly [field: number]: () => Path | "tensor" | "drop";
}
const attribute: Path = { 5: () => "tensor", 6: () => graph, 10: () => "tensor", 11: () => graph };
const node: Path = { 5: () => attribute };
const graph: Path = { 1: () => node, 5: () => "tensor" };
const functions: Path = { 7: () => node, 11: () => attribute };
const TRAINING = () => "drop" as const;
const model: Path = { 7: () => graph, 20: TRAINING, 25: () => functions };

/** A run of the source, or new bytes. */
type Piece = { start: number; end: number } | Uint8Array;
const sizeOf = (piece: Piece): number => (piece instanceof Uint8Array ? piece.length : piece.end - piece.start);

/** Bytes of a ModelProto that decode to the file's model, large payloads as `STORED` entries. Throws `model-invalid` or `file-truncated`. */
export async function skeleton(source: ByteSource): Promise<Uint8Array> {
  const window = openWindow(source);
  const integers: Tally = { bytes: 0 };
  const pieces = await walk(window, 0, source.size, model, 0, integers);
  const size = pieces.reduce((sum, piece) => sum + sizeOf(piece), 0);
  for (const [bytes, most, what] of [
    [size - integers.bytes, LARGEST_SKELETON, "that are no plain weights"],
    [integers.bytes, MOST_INTEGERS, "of weights written number by number"],
  ] as const)
    if (bytes > most)
      throw new ConvlensError(
        "model-unsupported",
        `${source.name} holds ${Math.round(bytes / 2 ** 20)} MiB ${what} (limit ${most / 2 ** 20} MiB); save the model again with raw tensor data`,
      );
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const piece of pieces) {
    bytes.set(piece instanceof Uint8Array ? piece : await source.read(piece.start, sizeOf(piece)), offset);
    offset += sizeOf(piece);
  }
  return bytes;
}

/** Bytes of 32-bit integers so far. */
interface Tally {
  bytes: number;
}

async function walk(
  window: Window,
  start: number,
  end: number,
  path: Path,
  depth: number,
  integers: Tally,
): Promise<Piece[]> {
  if (depth > DEEPEST)
    throw new ConvlensError("model-invalid", `${window.source.name} nests graphs deeper than ${DEEPEST} levels`);
  const pieces: Piece[] = [];
  await eachField(window, start, end, (field) => {
    const to = field.wire === 2 ? path[field.number]?.() : undefined;
    if (to === "drop") return;
    if (!to || field.end - field.content <= IN_MEMORY) copy(pieces, field);
    else return descend(field, to);
  });
  return pieces;

  async function descend(field: Field, to: Path | "tensor"): Promise<void> {
    const inner =
      to === "tensor"
        ? await tensor(window, field.content, field.end, integers)
        : await walk(window, field.content, field.end, to, depth + 1, integers);
    const length = inner.reduce((sum, piece) => sum + sizeOf(piece), 0);
    pieces.push(lengthHeader(field.number, length));
    for (const piece of inner) pieces.push(piece);
  }
}

/** Joins runs that touch, so that they are read at once. */
function copy(pieces: Piece[], field: Field): void {
  const last = pieces.at(-1);
  if (last && !(last instanceof Uint8Array) && last.end === field.start) last.end = field.end;
  else pieces.push({ start: field.start, end: field.end });
}

/** A tensor with its payload taken out, where it has exactly one, in one piece. */
async function tensor(window: Window, start: number, end: number, integers: Tally): Promise<Piece[]> {
  const data: Field[] = [];
  const pieces: Piece[] = [];
  await eachField(window, start, end, (field) => {
    if (field.number === payloads.floats || field.number === payloads.raw || field.number === payloads.doubles) {
      // Unpacked numbers come one by one: two are enough to know that this is no single payload.
      if (data.length < 2) data.push(field);
    } else copy(pieces, field);
    if (field.number === INT32_DATA) integers.bytes += field.end - field.start;
  });
  const [only] = data;
  if (!only || data.length > 1 || only.wire !== 2 || only.end - only.content <= IN_MEMORY) return [{ start, end }];
  pieces.push(storedEntry(`${only.number} ${only.content} ${only.end - only.content}`));
  return pieces;
}

function storedEntry(value: string): Uint8Array {
  const encode = new TextEncoder();
  const entry = [STORED, value].flatMap((text, i) => {
    const bytes = encode.encode(text);
    return [...lengthHeader(i + 1, bytes.length), ...bytes];
  });
  return Uint8Array.from([...lengthHeader(EXTERNAL_DATA, entry.length), ...entry]);
}
