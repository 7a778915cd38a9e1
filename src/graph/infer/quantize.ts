/** From and to quantised integers. */
import { elementTypeOf } from "../element-types.ts";
import { fact, type Rule } from "./rule.ts";

export const QuantizeLinear: Rule = (call) => {
  const named = call.int("output_dtype", 0);
  const type = call.optional(2)?.type ?? (named === 0 ? "uint8" : elementTypeOf(named));
  return type ? [fact(type, call.input(0).shape)] : [];
};
export const DequantizeLinear: Rule = (call) => [fact(call.input(1).type, call.input(0).shape)];
export const DynamicQuantizeLinear: Rule = (call) => [
  fact("uint8", call.input(0).shape),
  fact("float32", []),
  fact("uint8", []),
];
