/**
 * Tensors: a shape, an element type and a typed array in C order. What an ONNX weight, an activation and an `.npy`
 * file have in common.
 */

/** Element types of ONNX tensors that Convlens carries, with the typed array that holds each. */
export interface ElementArrays {
  float32: Float32Array;
  float64: Float64Array;
  /** Raw half-precision bits. */
  float16: Uint16Array;
  /** Raw bfloat16 bits. */
  bfloat16: Uint16Array;
  int8: Int8Array;
  uint8: Uint8Array;
  int16: Int16Array;
  uint16: Uint16Array;
  int32: Int32Array;
  uint32: Uint32Array;
  int64: BigInt64Array;
  uint64: BigUint64Array;
  /** One byte an element, 0 or 1. */
  bool: Uint8Array;
}
export type ElementType = keyof ElementArrays;

export interface Tensor<T extends ElementType = ElementType> {
  readonly type: T;
  readonly dims: readonly number[];
  readonly data: ElementArrays[T];
}

export const arrayTypes: {
  readonly [T in ElementType]: {
    new (length: number): ElementArrays[T];
    new (buffer: ArrayBufferLike, offset: number, length: number): ElementArrays[T];
    readonly BYTES_PER_ELEMENT: number;
  };
} = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
};

export const bytesPerElement = (type: ElementType): number => arrayTypes[type].BYTES_PER_ELEMENT;

/** The number of elements of a shape; 1 for a scalar's `[]`. */
export const sizeOf = (dims: readonly number[]): number => dims.reduce((product, n) => product * n, 1);

/** A float32 tensor; `data` is not copied when it is a Float32Array already. */
export const float32 = (dims: readonly number[], data: ArrayLike<number>): Tensor<"float32"> => ({
  type: "float32",
  dims,
  data: data instanceof Float32Array ? data : Float32Array.from(data),
});

export const int64 = (dims: readonly number[], data: readonly (number | bigint)[]): Tensor<"int64"> => ({
  type: "int64",
  dims,
  data: BigInt64Array.from(data, BigInt),
});

/** Views little-endian bytes as a tensor's data; copies when the bytes are not aligned for the type. */
export function fromBytes<T extends ElementType>(type: T, dims: readonly number[], bytes: Uint8Array): Tensor<T> {
  const size = bytesPerElement(type);
  // Not slice(): that of a Node Buffer does not copy.
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  const data = new arrayTypes[type](aligned.buffer, aligned.byteOffset, Math.floor(bytes.byteLength / size));
  return { type, dims, data };
}

/** The elements as numbers in float32 (half types are expanded, 64-bit integers rounded). Shares float32 data. */
export function toFloat32(tensor: Tensor): Float32Array {
  const { type, data } = tensor;
  if (data instanceof Float32Array) return data;
  const out = new Float32Array(data.length);
  if (type === "float16") for (let i = 0; i < out.length; i++) out[i] = halfToNumber(data[i] as number);
  else if (type === "bfloat16") {
    const bits = new Uint32Array(out.buffer);
    for (let i = 0; i < bits.length; i++) bits[i] = (data[i] as number) << 16;
  } else for (let i = 0; i < out.length; i++) out[i] = Number(data[i]);
  return out;
}

/** IEEE 754 half precision to a number. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Reorders axes: `out.dims[i] = in.dims[axes[i]]`, as numpy.transpose and ONNX Transpose. */
export function transpose<T extends ElementType>(tensor: Tensor<T>, axes: readonly number[]): Tensor<T> {
  const rank = tensor.dims.length;
  const dims = axes.map((axis) => tensor.dims[axis]!);
  const strides = new Array<number>(rank).fill(1);
  for (let i = rank - 2; i >= 0; i--) strides[i] = strides[i + 1]! * tensor.dims[i + 1]!;
  const steps = axes.map((axis) => strides[axis]!);
  const from = tensor.data as unknown as number[];
  const data = new arrayTypes[tensor.type](from.length);
  const to = data as unknown as number[];
  const index = new Array<number>(rank).fill(0);
  // The last axis is a plain loop; the others are counted up like the digits of a number.
  const row = dims[rank - 1] ?? 1;
  const step = steps[rank - 1] ?? 0;
  let source = 0;
  for (let i = 0; i < from.length; ) {
    for (let end = i + row, at = source; i < end; i++, at += step) to[i] = from[at]!;
    for (let axis = rank - 2; axis >= 0; axis--) {
      source += steps[axis]!;
      if (++index[axis]! < dims[axis]!) break;
      source -= steps[axis]! * dims[axis]!;
      index[axis] = 0;
    }
  }
  return { type: tensor.type, dims, data };
}
