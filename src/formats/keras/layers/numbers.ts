/** Numbers in configurations and arguments: plain, in nested lists, or in the objects Keras wraps arrays in. */
import { float32, sizeOf, type Tensor, transpose } from "../../../core/tensor.ts";
import type { EmitContext } from "../layer.ts";
import { storedPermutation } from "./layout.ts";

/**
 * A number, nested lists of them, or Keras' {class_name: "__numpy__" | "__tensor__", config: {value}} (also in the form
 * that call arguments have) as a float32 array; `undefined` for anything else, ragged lists too.
 */
export function numbersOf(given: unknown): Tensor<"float32"> | undefined {
  const value = unwrapped(given);
  const dims: number[] = [];
  for (let inner = value; Array.isArray(inner); inner = inner[0]) dims.push(inner.length);
  const flat: unknown[] = dims.length === 0 ? [value] : (value as unknown[]).flat(dims.length - 1);
  const isNumber = (x: unknown): boolean => typeof x === "number" && !Number.isNaN(x);
  if (flat.length !== sizeOf(dims) || !flat.every(isNumber)) return undefined;
  return float32(dims, flat as number[]);
}

function unwrapped(given: unknown): unknown {
  if (typeof given !== "object" || given === null || Array.isArray(given)) return given;
  const fields = ("fields" in given ? given.fields : given) as Readonly<Record<string, unknown>>;
  const config = fields.config;
  const isArray = fields.class_name === "__numpy__" || fields.class_name === "__tensor__";
  return isArray && typeof config === "object" && config !== null && "value" in config ? config.value : undefined;
}

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
