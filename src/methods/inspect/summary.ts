/** The table of layers: names, shapes, parameters, connections, costs. */
import type { LayerWeight } from "../../core/layers.ts";
import type { Summary } from "../../core/result.ts";
import { sizeOf } from "../../core/tensor.ts";
import { type Method, originOf } from "../method.ts";

export const summary: Method<Record<never, never>, Summary> = {
  id: "summary",
  title: "Layer table",
  summary: "The table of layers: name and class, output shape, parameters, connections; totals.",
  follows: "Keras model.summary()",
  kind: "summary",
  needs: [],
  options: {},
  applies: () => undefined,
  async run(model) {
    const layers = await model.layers();
    // A weight that two layers share counts once.
    const weights = new Map<string, LayerWeight>();
    for (const layer of layers) for (const weight of layer.weights) weights.set(weight.value, weight);
    let trainable = 0;
    let nonTrainable = 0;
    for (const weight of weights.values()) {
      if (weight.trainable) trainable += sizeOf(weight.shape);
      else nonTrainable += sizeOf(weight.shape);
    }
    const known = layers.filter((layer) => layer.shape.length > 0);
    const notes = [...model.fileNotes];
    if (model.opaque !== undefined) notes.push(`the inside of this file is not shown: ${model.opaque}`);
    if (known.length < layers.length)
      notes.push(`the output shape of ${layers.length - known.length} of ${layers.length} layers is not known`);
    return {
      kind: "summary",
      title: model.name,
      inputs: model.inputs.map(({ name, shape }) => ({ name, shape })),
      layers,
      totals: {
        parameters: trainable + nonTrainable,
        trainable,
        nonTrainable,
        multiplyAdds: layers.reduce((sum, layer) => sum + layer.multiplyAdds, 0),
        activationBytes: known.reduce((sum, layer) => sum + 4 * sizeOf(layer.shape.map((n) => n ?? 1)), 0),
      },
      origin: await originOf(model, "summary", {}),
      notes,
    };
  },
};
