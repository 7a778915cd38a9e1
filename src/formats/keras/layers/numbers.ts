/** Numbers in configurations and arguments: plain, in nested lists, or in the objects Keras wraps arrays in. */
import { float32, sizeOf, type Tensor } from "../../../core/tensor.ts";
import { MOST_AXES } from "../../../graph/graph.ts";

/**
 * A number, nested lists of them, or Keras' {class_name: "__numpy__" | "__tensor__", config: {value}} (also in the form
 * that call arguments have; before 2.3 {type: "ndarray", value}) as a float32 array; `undefined` for anything else,
 * ragged lists too.
 */
export function numbersOf(given: unknown): Tensor<"float32"> | undefined {
  const value = unwrapped(given);
  const dims: number[] = [];
  for (let inner = value; Array.isArray(inner); inner = inner[0]) dims.push(inner.length);
  if (dims.length > MOST_AXES) return undefined;
  const flat: unknown[] = dims.length === 0 ? [value] : (value as unknown[]).flat(dims.length - 1);
  const isNumber = (x: unknown): boolean => typeof x === "number" && !Number.isNaN(x);
  if (flat.length !== sizeOf(dims) || !flat.every(isNumber)) return undefined;
  return float32(dims, flat as number[]);
}

function unwrapped(given: unknown): unknown {
  if (typeof given !== "object" || given === null || Array.isArray(given)) return given;
  const fields = ("fields" in given && given.fields ? given.fields : given) as Readonly<Record<string, unknown>>;
  if (fields.type === "ndarray") return fields.value;
  const config = fields.config;
  const isArray = fields.class_name === "__numpy__" || fields.class_name === "__tensor__";
  return isArray && typeof config === "object" && config !== null && "value" in config ? config.value : undefined;
}
