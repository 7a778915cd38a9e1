/** Layers that are one activation function. */
import type { LayerEmitter } from "../layer.ts";
import { activate, elu, leakyRelu, relu, softmax } from "./functions.ts";
import { layerOf } from "./layer-of.ts";
import { storedOrder, storedPermutation } from "./layout.ts";
import { onlyInput, settingsOf, weightsOf } from "./settings.ts";

export const Activation: LayerEmitter = layerOf((x, layer, context) => {
  const y = activate(layer, context, x);
  return y === x ? context.build.node("Identity", [x]) : y;
});

export const ReLU: LayerEmitter = layerOf(relu);
export const LeakyReLU: LayerEmitter = layerOf(leakyRelu(0.3));
export const ELU: LayerEmitter = layerOf(elu);
export const Softmax: LayerEmitter = layerOf(softmax);

/** Keras 2: x where it is larger than theta, else 0. */
export const ThresholdedReLU: LayerEmitter = layerOf((x, layer, context) => {
  const { build } = context;
  const theta = build.scalar(settingsOf(layer, context).number("theta", 1));
  return build.node("Where", [build.node("Greater", [x, theta]), x, build.scalar(0)]);
});

export const PReLU: LayerEmitter = (layer, { inputs }, context) => {
  const input = onlyInput(layer, inputs, context);
  const shape = context.kerasShapeOf(input);
  const shared = new Set(settingsOf(layer, context).integers("shared_axes", []));
  const slopes = shape.map((n, axis) => (axis === 0 || shared.has(axis) ? 1 : n));
  const weights = weightsOf(layer, context, [["alpha", slopes.slice(1)]]);
  // Transposed with the batch axis left out, then given it back: [h, w, c] to [1, c, h, w].
  const order = storedPermutation(context, shape.length);
  const sizes = [1, ...layer.weights[0]!.dims];
  const alpha = weights.value("alpha", {
    axes: order.slice(1).map((axis) => axis - 1),
    shape: storedOrder(context, sizes),
  });
  return { outputs: [context.build.node("PRelu", [input, alpha])], weights: weights.records };
};
