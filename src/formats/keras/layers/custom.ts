/** Classes that keras.applications define beside Keras' own layers. */
import type { LayerEmitter } from "../layer.ts";
import { storedPermutation } from "./layout.ts";
import { onlyInput, settingsOf, weightsOf } from "./settings.ts";

/** ConvNeXt: x * gamma, one factor for each channel. */
export const LayerScale: LayerEmitter = (layer, { inputs }, context) => {
  const x = onlyInput(layer, inputs, context);
  const rank = context.kerasShapeOf(x).length;
  const channels = settingsOf(layer, context).count("projection_dim");
  const weights = weightsOf(layer, context, [["gamma", [channels]]]);
  // gamma lies along Keras' last axis.
  const shape = storedPermutation(context, rank).map((axis) => (axis === rank - 1 ? channels : 1));
  const gamma = weights.value("gamma", { shape });
  return { outputs: [context.build.node("Mul", [x, gamma])], weights: weights.records };
};

/** InceptionResNetV2: the first value plus the second times `scale`. */
export const CustomScaleLayer: LayerEmitter = (layer, { inputs }, context) => {
  const { build } = context;
  const [x, y] = inputs;
  if (x === undefined || y === undefined || inputs.length !== 2)
    return context.invalid(layer, `is given ${inputs.length} values, expected 2`);
  const scale = build.scalar(settingsOf(layer, context).number("scale", 1));
  const output = build.node("Add", [x, build.node("Mul", [y, scale])]);
  return { outputs: [output], weights: context.weightRecords(layer, []) };
};
