/** Small arrays of configurations and arguments as constants of the graph, in the order in which it stores values. */
import { type Tensor, transpose } from "../../../core/tensor.ts";
import type { EmitContext } from "../layer.ts";
import { storedPermutation } from "./layout.ts";

/** A small array in Keras' order as constant in the stored order. */
export function storedConstant(context: EmitContext, array: Tensor<"float32">): string {
  return context.build.constant(transpose(array, storedPermutation(context, array.dims.length)));
}

/** An operand in Keras' order that is to be combined with values of `rank` axes: ones are put before its own axes. */
export function operandOf(context: EmitContext, array: Tensor<"float32">, rank: number): string {
  if (array.data.length === 1) return context.build.scalar(array.data[0]!);
  const ones = new Array<number>(Math.max(0, rank - array.dims.length)).fill(1);
  return storedConstant(context, { ...array, dims: [...ones, ...array.dims] });
}
