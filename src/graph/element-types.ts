/** ONNX's numbers for element types (TensorProto.DataType), in tensors and in the attributes of Cast and its relatives. */
import type { ElementType } from "../core/tensor.ts";

/** The number of each element type that Convlens carries. */
export const elementTypeNumbers: Readonly<Record<ElementType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
};

const byNumber = new Map(Object.entries(elementTypeNumbers).map(([type, number]) => [number, type as ElementType]));

/** The element type of an ONNX number; `undefined` for strings, complex numbers, 4- and 8-bit floats. */
export const elementTypeOf = (number: number): ElementType | undefined => byNumber.get(number);
