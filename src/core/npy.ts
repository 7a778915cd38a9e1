/**
 * NumPy's `.npy` files: how arrays come in and go out. Format: numpy.lib.format, versions 1 to 3.
 */
import { ConvlensError } from "./errors.ts";
import { bytesPerElement, type ElementType, fromBytes, sizeOf, type Tensor, transpose } from "./tensor.ts";

const descriptions: Partial<Record<ElementType, string>> = {
  float32: "<f4",
  float64: "<f8",
  float16: "<f2",
  int8: "|i1",
  uint8: "|u1",
  int16: "<i2",
  uint16: "<u2",
  int32: "<i4",
  uint32: "<u4",
  int64: "<i8",
  uint64: "<u8",
  bool: "|b1",
};
const types = new Map(Object.entries(descriptions).map(([type, code]) => [code.slice(1), type as ElementType]));

/** A tensor as the bytes of a version 1.0 `.npy` file. Throws `tensor-invalid` for bfloat16, which NumPy does not have. */
export function writeNpy(tensor: Tensor): Uint8Array {
  const code = descriptions[tensor.type];
  if (code === undefined) throw new ConvlensError("tensor-invalid", `NumPy has no type for ${tensor.type}`);
  const shape = tensor.dims.length === 1 ? `${tensor.dims[0]},` : tensor.dims.join(", ");
  const header = `{'descr': '${code}', 'fortran_order': False, 'shape': (${shape}), }`;
  // Magic, version and length take 10 bytes; the header ends in a newline at a multiple of 64.
  const padded = `${header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11)}\n`;
  const data = new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
  const out = new Uint8Array(10 + padded.length + data.length);
  out.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, padded.length & 0xff, padded.length >> 8]);
  out.set(new TextEncoder().encode(padded), 10);
  out.set(data, 10 + padded.length);
  return out;
}

/** Reads a `.npy` file; Fortran order and big-endian data are turned. Throws `tensor-invalid`, naming `name`. */
export function readNpy(bytes: Uint8Array, name: string): Tensor {
  const bad = (why: string) => new ConvlensError("tensor-invalid", `"${name}" ${why}; save it with numpy.save`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 10 || new TextDecoder("latin1").decode(bytes.subarray(1, 6)) !== "NUMPY" || bytes[0] !== 0x93)
    throw bad("is no .npy file");
  const wide = bytes[6]! >= 2;
  const start = wide ? 12 : 10;
  const length = wide && bytes.length >= 12 ? view.getUint32(8, true) : view.getUint16(8, true);
  if (start + length > bytes.length) throw bad("ends within its header");
  const header = new TextDecoder().decode(bytes.subarray(start, start + length));
  const descr = /'descr':\s*'([<>|=])([a-zA-Z]\d+)'/.exec(header);
  const shape = /'shape':\s*\(([\d,\s]*)\)/.exec(header);
  const type = types.get(descr?.[2] ?? "");
  if (descr === null || shape === null || type === undefined)
    throw bad(`has a header that is not understood (${header.trim().slice(0, 80)})`);
  const dims = shape[1]!.split(",").flatMap((part) => (part.trim() === "" ? [] : [Number(part)]));
  if (!dims.every(Number.isSafeInteger)) throw bad(`has a header that is not understood (shape (${shape[1]}))`);
  const wanted = sizeOf(dims) * bytesPerElement(type);
  const given = bytes.length - start - length;
  if (given < wanted) throw bad(`ends early: shape (${dims.join(", ")}) needs ${wanted} bytes, it has ${given}`);
  let data = bytes.subarray(start + length, start + length + wanted);
  if (descr[1] === ">") data = swapBytes(data, bytesPerElement(type));
  if (!/'fortran_order':\s*True/.test(header)) return fromBytes(type, dims, data);
  return transpose(fromBytes(type, dims.toReversed(), data), dims.map((_, i) => i).reverse());
}

function swapBytes(bytes: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) out[i - (i % size) + (size - 1 - (i % size))] = bytes[i]!;
  return out;
}
