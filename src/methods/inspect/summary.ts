/** The table of layers: names, shapes, parameters, connections, costs. */
import type { Layer, LayerWeight } from "../../core/layers.ts";
import type { Summary } from "../../core/result.ts";
import { sizeOf } from "../../core/tensor.ts";
import { type Method, originOf, resolveOptions } from "../method.ts";

export interface SummaryOptions {
  /** The layers of nested models too, behind the row of their model. */
  readonly expandNested: boolean;
}

export const summary: Method<SummaryOptions, Summary> = {
  id: "summary",
  title: "Layer table",
  summary: "The table of layers: name and class, output shape, parameters, connections; totals.",
  follows: "Keras model.summary()",
  kind: "summary",
  needs: [],
  options: {
    expandNested: {
      type: "boolean",
      default: false,
      help: "also the layers inside nested models (Keras), by path: vgg16/block5_conv3",
    },
  },
  applies: () => undefined,
  async run(model, _input, given = {}) {
    const options = resolveOptions<SummaryOptions>(summary.options, given);
    const layers = await model.layers();
    const shown = options.expandNested ? layers : collapsed(layers);
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
    if (shown.length < layers.length)
      notes.push(
        `${layers.length - shown.length} layers inside nested models are not listed: --expand-nested shows them`,
      );
    return {
      kind: "summary",
      title: model.name,
      inputs: model.inputs.map(({ name, shape }) => ({ name, shape })),
      layers: shown,
      totals: {
        parameters: trainable + nonTrainable,
        trainable,
        nonTrainable,
        multiplyAdds: layers.reduce((sum, layer) => sum + layer.multiplyAdds, 0),
        activationBytes: known.reduce((sum, layer) => sum + 4 * sizeOf(layer.shape.map((n) => n ?? 1)), 0),
      },
      origin: await originOf(model, "summary", { ...options }),
      notes,
    };
  },
};

/** Nested models as one row each, with all the work of what is in them. */
const collapsed = (layers: readonly Layer[]): readonly Layer[] =>
  layers
    .filter((layer) => layer.within === undefined)
    .map((layer) => {
      const inner = layers.filter((other) => other.within !== undefined && other.name.startsWith(`${layer.name}/`));
      return inner.length === 0
        ? layer
        : { ...layer, multiplyAdds: inner.reduce((sum, other) => sum + other.multiplyAdds, layer.multiplyAdds) };
    });
