/** ONNX: recognised by content, read on demand (the protobuf code is loaded only for an ONNX file). */
import type { Format } from "../format.ts";
import { isText } from "../unknown.ts";

/** ModelProto's fields of each wire type (onnx.proto). */
const numbers = new Set([1, 5]);
const messages = new Set([2, 3, 4, 6, 7, 8, 14, 20, 25, 26]);

/** Whether the bytes can be the beginning of a ModelProto: its own fields only, and a producer that is text. */
function isModelProto(head: Uint8Array): boolean {
  let position = 0;
  let seen = 0;
  const varint = (): number => {
    for (let value = 0, scale = 1; position < head.length && scale < 2 ** 56; scale *= 128) {
      const byte = head[position++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    return Number.NaN;
  };
  while (position < head.length) {
    const tag = varint();
    const field = Math.floor(tag / 8);
    if (tag % 8 === 0 && numbers.has(field)) {
      if (Number.isNaN(varint())) return position >= head.length;
    } else if (tag % 8 === 2 && messages.has(field)) {
      const length = varint();
      if (Number.isNaN(length)) return position >= head.length && seen > 0;
      // SavedModel and CoreML have a message where ONNX has the producer's name.
      if (field === 2 && length > 0 && position < head.length && head[position]! < 0x20) return false;
      position += length;
    } else return false;
    seen++;
  }
  return seen > 0;
}

export const onnx: Format = {
  id: "onnx",
  title: "ONNX",
  match: (head) => !isText(head) && isModelProto(head),
  read: async (source) => (await import("./read.ts")).readOnnx(source),
};
