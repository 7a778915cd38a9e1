/** How empty the feature maps are, layer by layer: deeper channels answer to less and less. */
import type { Layer, Layout } from "../../core/layers.ts";
import type { Measure } from "../../core/result.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Model } from "../../model/model.ts";
import { feedsOf, type Method, mustApply, originOf, resolveOptions } from "../method.ts";
import { channelAxis } from "./activations.ts";

export interface SparsityOptions {
  /** Names, patterns, `first:8` or `all`. */
  readonly layers: readonly string[];
}

export const sparsity: Method<SparsityOptions, Measure> = {
  id: "sparsity",
  title: "Sparsity by depth",
  summary: "Per layer: the share of exact zeros and the channels that are zero everywhere.",
  follows: "Chollet, Deep Learning with Python, 5.4.1",
  kind: "measure",
  needs: ["image", "graph"],
  options: {
    layers: { type: "list", default: ["all"], help: "layers by name, pattern (conv*), first:N or all" },
  },
  applies: (model) => model.opaque,
  async run(model, input, given = {}) {
    mustApply(sparsity, model);
    const options = resolveOptions<SparsityOptions>(sparsity.options, given);
    const notes = [...model.notes];
    const layers = afterActivation(model, await model.findLayers(options.layers));
    if (layers.length === 0) notes.push("none of the chosen layers has feature maps (rank 4)");
    const outputs = layers.map((layer) => layer.name);
    const values = layers.length === 0 ? {} : await model.run(feedsOf(sparsity, input), { ...given, outputs });
    return {
      kind: "measure",
      title: "Sparsity by depth",
      columns: [
        { id: "zeros", title: "zeros", unit: "share" },
        { id: "dead", title: "dead channels", unit: "count" },
        { id: "channels", title: "channels", unit: "count" },
      ],
      rows: layers.map((layer) => ({ name: layer.name, values: emptiness(values[layer.name]!, model.sourceLayout) })),
      origin: await originOf(model, "sparsity", options, input),
      notes,
    };
  },
};

/** Share of exact zeros, channels that are zero everywhere, channels. */
function emptiness(tensor: Tensor<"float32">, layout: Layout): readonly [number, number, number] {
  const { dims, data } = tensor;
  const axis = channelAxis(dims.length, layout);
  const channels = dims[axis]!;
  const inner = dims.slice(axis + 1).reduce((product, n) => product * n, 1);
  const alive = new Uint8Array(channels);
  let zeros = 0;
  for (let from = 0, channel = 0; from < data.length; from += inner, channel = (channel + 1) % channels)
    for (let i = from; i < from + inner; i++) {
      if (data[i] === 0) zeros++;
      else alive[channel] = 1;
    }
  const living = alive.reduce((sum, one) => sum + one, 0);
  return [data.length === 0 ? 0 : zeros / data.length, channels - living, channels];
}

/** Operators whose outputs are sums, never exactly zero by design; their zeros would say nothing. */
const linear = new Set(["Conv", "ConvTranspose", "BatchNormalization", "InstanceNormalization", "Add", "Sub", "Pad"]);

/** Feature maps behind an activation; every feature map where none of the chosen layers has one. */
function afterActivation(model: Model, layers: readonly Layer[]): readonly Layer[] {
  const maps = layers.filter((layer) => layer.shape.length === 4);
  const maker = new Map(model.graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node])));
  const passing = new Set(["Transpose", "Identity", "Cast"]);
  const operator = (value: string): string | undefined => {
    const node = maker.get(value);
    return node !== undefined && passing.has(node.op) ? operator(node.inputs[0]!) : node?.op;
  };
  const active = maps.filter((layer) => !linear.has(operator(layer.output) ?? ""));
  return active.length > 0 ? active : maps;
}
