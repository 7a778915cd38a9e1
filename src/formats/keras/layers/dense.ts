/** Dense layers: the kernel is used as Keras stores it, [in, out]. */
import type { LayerEmitter } from "../layer.ts";
import { activate } from "./functions.ts";
import { shapeText } from "./layout.ts";
import { onlyInput, settingsOf, weightsOf } from "./settings.ts";

/** Over the last axis of Keras' order: one Gemm for [batch, features], else a product of matrices. */
export const Dense: LayerEmitter = (layer, { inputs }, context) => {
  const { build } = context;
  const settings = settingsOf(layer, context);
  const units = settings.count("units");
  const hasBias = settings.flag("use_bias", true);
  const input = onlyInput(layer, inputs, context);
  const shape = context.kerasShapeOf(input);
  if (shape.length < 2) context.invalid(layer, `is given the shape [${shapeText(shape)}], expected 2 axes or more`);
  const weights = weightsOf(layer, context, [
    ["kernel", [shape.at(-1) ?? null, units]],
    ...(hasBias ? [["bias", [units]] as const] : []),
  ]);
  const kernel = weights.value("kernel");
  let output: string;
  if (shape.length === 2) output = build.node("Gemm", [input, kernel, ...(hasBias ? [weights.value("bias")] : [])]);
  else {
    const product = build.node("MatMul", [context.toKeras(input), kernel]);
    output = context.fromKeras(hasBias ? build.node("Add", [product, weights.value("bias")]) : product);
  }
  return { outputs: [activate(layer, context, output)], weights: weights.records };
};
