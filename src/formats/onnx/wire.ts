/**
 * Walks protobuf fields by ranges of a source, through one small window, so that a file of gigabytes is looked through
 * without reading its weights. Wire format: https://protobuf.dev/programming-guides/encoding/
 */
import { ConvlensError } from "../../core/errors.ts";
import type { ByteSource } from "../../core/platform.ts";

const WINDOW = 16384;
/** The longest field header: two varints of ten bytes. */
const HEADER = 20;

/** One field of a message: where it begins, where its content begins, where it ends. */
export interface Field {
  readonly number: number;
  /** 0 varint, 1 eight bytes, 2 length and content, 5 four bytes. */
  readonly wire: number;
  readonly start: number;
  readonly content: number;
  readonly end: number;
}

/** The part of a source that is in memory at the moment. */
export interface Window {
  readonly source: ByteSource;
  start: number;
  bytes: Uint8Array;
}

export const openWindow = (source: ByteSource): Window => ({ source, start: 0, bytes: new Uint8Array(0) });

const damaged = (window: Window, position: number, what: string): ConvlensError =>
  new ConvlensError(
    "model-invalid",
    `${window.source.name} is damaged: at byte ${position} ${what}; get the file again or export the model again`,
  );

/** The fields of the message in `[start, end)`, handed to `visit` one by one. Throws `model-invalid` on wrong bytes, `file-truncated` on a field that goes past the end of the file. */
export async function eachField(
  window: Window,
  start: number,
  end: number,
  visit: (field: Field) => void | Promise<void>,
): Promise<void> {
  let position = start;
  while (position < end) {
    const last = window.start + window.bytes.length;
    if (position < window.start || (position + HEADER > last && last < window.source.size)) {
      window.bytes = await window.source.read(position, Math.min(WINDOW, window.source.size - position));
      window.start = position;
    }
    const field = fieldAt(window, position, end);
    const waiting = visit(field);
    if (waiting) await waiting;
    position = field.end;
  }
}

function fieldAt(window: Window, start: number, end: number): Field {
  const tag = varintAt(window, start, end);
  const number = Math.floor(tag.value / 8);
  const wire = tag.value % 8;
  if (number === 0 || tag.value > 0xffffffff) throw damaged(window, start, "no field can begin");
  if (wire === 0) return { number, wire, start, content: tag.end, end: varintAt(window, tag.end, end).end };
  let content = tag.end;
  let length: number;
  if (wire === 1) length = 8;
  else if (wire === 5) length = 4;
  else if (wire === 2) {
    const size = varintAt(window, tag.end, end);
    content = size.end;
    length = size.value;
  } else throw damaged(window, start, `a field has wire type ${wire}`);
  if (content + length > window.source.size)
    throw new ConvlensError(
      "file-truncated",
      `${window.source.name} ends too early: a part of ${length} bytes begins at byte ${content}, the file has ${window.source.size}; get the file again`,
    );
  if (content + length > end) throw damaged(window, start, `a field of ${length} bytes goes past its message`);
  return { number, wire, start, content, end: content + length };
}

function varintAt(window: Window, start: number, end: number): { value: number; end: number } {
  let value = 0;
  let scale = 1;
  for (let i = 0; i < 10; i++) {
    if (start + i >= end) {
      if (end < window.source.size) throw damaged(window, start, "a number goes past its message");
      throw new ConvlensError(
        "file-truncated",
        `${window.source.name} ends too early, in the middle of a number at byte ${start}; get the file again`,
      );
    }
    const byte = window.bytes[start + i - window.start]!;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value, end: start + i + 1 };
    scale *= 128;
  }
  throw damaged(window, start, "a number has more than ten bytes");
}

/** The bytes of an unsigned number below 2^53 as a varint. */
export function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

/** A field with content of known length: its tag and its length. */
export const lengthHeader = (number: number, length: number): Uint8Array =>
  Uint8Array.from([...varint(number * 8 + 2), ...varint(length)]);
