/** Operators that make values from attributes or sizes. */
import { sizeOf, toFloat32 } from "../../core/tensor.ts";
import { constantNode } from "../constants.ts";
import { elementTypeOf } from "../element-types.ts";
import { type Call, type Fact, fact, type Rule, smallSize } from "./rule.ts";

export const Constant: Rule = (call) => {
  const value = constantNode(call.node);
  if (!value) return [];
  if (value.data.length > smallSize) return [fact(value.type, value.dims)];
  const data = /float16$/.test(value.type) ? toFloat32(value) : (value.data as ArrayLike<number | bigint>);
  return [fact(value.type, value.dims, Array.from(data, Number))];
};

export const ConstantOfShape: Rule = (call) => {
  const shape = call.data(0);
  const given = call.node.attributes.value;
  const value = given?.kind === "tensor" ? given.value : undefined;
  const size = sizeOf(shape);
  const filled = size >= 0 && size <= smallSize && shape.every((n) => n >= 0);
  const element = value ? Number(value.data[0] ?? 0) : 0;
  const known = filled && value?.type !== "float16" && value?.type !== "bfloat16";
  return [fact(value?.type ?? "float32", shape, known ? new Array<number>(size).fill(element) : undefined)];
};

export const Range: Rule = (call) => {
  const [start, limit, delta] = [call.data(0)[0]!, call.data(1)[0]!, call.data(2)[0]!];
  if (delta === 0) call.fail("the step is 0");
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  const data = count <= smallSize ? Array.from({ length: count }, (_, i) => start + i * delta) : undefined;
  return [fact(call.input(0).type, [count], data)];
};

/** The type that attribute `dtype` names, else `otherwise`. */
const typed = (call: Call, otherwise: Fact["type"], shape: Fact["shape"]): readonly Fact[] => {
  const type = elementTypeOf(call.int("dtype", 0)) ?? (call.int("dtype", 0) === 0 ? otherwise : undefined);
  return type ? [fact(type, shape)] : [];
};
const likeInput: Rule = (call) => typed(call, call.input(0).type, call.input(0).shape);
export const EyeLike: Rule = likeInput;
export const RandomNormalLike: Rule = likeInput;
export const RandomUniformLike: Rule = likeInput;
export const Bernoulli: Rule = likeInput;
const fromShape: Rule = (call) => typed(call, "float32", call.ints("shape") ?? call.fail("shape is missing"));
export const RandomNormal: Rule = fromShape;
export const RandomUniform: Rule = fromShape;
