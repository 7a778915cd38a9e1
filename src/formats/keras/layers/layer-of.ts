/** The frame of the many layers that take one value and have no weights. */
import type { LayerEmitter } from "../layer.ts";
import type { ActivationFunction } from "./functions.ts";
import { onlyInput } from "./settings.ts";

/** A layer of one input without weights. */
export const layerOf =
  (body: ActivationFunction): LayerEmitter =>
  (layer, { inputs }, context) => ({
    outputs: [body(onlyInput(layer, inputs, context), layer, context)],
    weights: context.weightRecords(layer, []),
  });
