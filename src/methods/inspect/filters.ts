/** The weights of layers as arrays: what a convolution has learned to look for. */
import { ConvlensError } from "../../core/errors.ts";
import type { Layer } from "../../core/layers.ts";
import type { NamedTensor, Tensors } from "../../core/result.ts";
import type { Model } from "../../model/model.ts";
import { type Method, mustApply, originOf, resolveOptions } from "../method.ts";

export interface FiltersOptions {
  /** Names, patterns, `first:8` or `all`; empty: the first convolution. */
  readonly layers: readonly string[];
}

export const filters: Method<FiltersOptions, Tensors> = {
  id: "filters",
  title: "Filters",
  summary: "Convolution weights and biases, in the shapes their framework gives them.",
  follows: "Keras layer.get_weights()",
  kind: "tensors",
  needs: ["graph"],
  options: {
    layers: {
      type: "list",
      default: [],
      help: "layers by name, pattern (conv*), first:N or all; default: the first convolution",
    },
  },
  applies: (model) => model.opaque,
  async run(model, _input, given = {}) {
    mustApply(filters, model);
    const options = resolveOptions<FiltersOptions>(filters.options, given);
    const layers = await layersWithWeights(model, options.layers);
    const tensors: NamedTensor[] = [];
    for (const layer of layers)
      for (const weight of layer.weights) {
        const tensor = await model.weight(layer, weight.name);
        if (tensor !== undefined) tensors.push({ layer, part: weight.name, tensor });
      }
    return {
      kind: "tensors",
      what: "filters",
      tensors,
      origin: await originOf(model, "filters", { ...options, layers: layers.map((layer) => layer.name) }),
      notes: model.fileNotes,
    };
  },
};

/** Whether a layer's first weight is a bank of 2-D filters. */
const isConvolution = (layer: Layer): boolean => layer.weights[0]?.shape.length === 4;

async function layersWithWeights(model: Model, patterns: readonly string[]): Promise<readonly Layer[]> {
  const all = await model.layers();
  const convolutions = all.filter(isConvolution);
  const known = convolutions.map((layer) => layer.name);
  const list = `${known.slice(0, 5).join(", ")}${known.length > 5 ? " …" : ""}`;
  if (patterns.length === 0) {
    if (convolutions[0] === undefined)
      throw new ConvlensError("layer-unknown", `"${model.name}" has no convolution with stored weights`);
    return [convolutions[0]];
  }
  const found = await model.findLayers(patterns);
  const weighted = found.filter((layer) => layer.weights.length > 0);
  if (weighted.length === 0)
    throw new ConvlensError(
      "layer-unknown",
      `layer "${found.map((layer) => layer.name).join('", "')}" has no weights; convolutions here: ${list || "none"}`,
    );
  return weighted;
}
