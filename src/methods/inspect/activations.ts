/** Feature maps: the outputs of layers for one input, all from one pass. */
import { ConvlensError } from "../../core/errors.ts";
import type { Layer, Layout } from "../../core/layers.ts";
import type { Tensors } from "../../core/result.ts";
import { float32, type Tensor } from "../../core/tensor.ts";
import { feedsOf, type Method, mustApply, originOf, resolveOptions } from "../method.ts";

export interface ActivationsOptions {
  /** Names, patterns (`conv*`), `first:8` or `all`. */
  readonly layers: readonly string[];
  /** Indices of channels to keep; empty: all. */
  readonly channels: readonly number[];
}

export const activations: Method<ActivationsOptions, Tensors> = {
  id: "activations",
  title: "Feature maps",
  summary: "The outputs of layers, channel by channel, all from one pass.",
  paper: "Zeiler and Fergus 2014, arXiv:1311.2901",
  follows: "Keras Model(inputs, [layer.output …]).predict",
  kind: "tensors",
  needs: ["image", "graph"],
  options: {
    layers: { type: "list", default: ["first:8"], help: "layers by name, pattern (conv*), first:N or all" },
    channels: { type: "list", default: [], help: "channels to keep, by index; default all" },
  },
  applies: (model) => model.opaque,
  async run(model, input, given = {}) {
    mustApply(activations, model);
    const options = resolveOptions<ActivationsOptions>(activations.options, given);
    const layers = await model.findLayers(options.layers);
    const values = await model.run(feedsOf(activations, input), { ...given, outputs: layers.map((l) => l.name) });
    return {
      kind: "tensors",
      what: "activations",
      tensors: layers.map((layer) => ({
        layer,
        part: "output",
        tensor: pickChannels(values[layer.name]!, layer, model.sourceLayout, options.channels),
      })),
      origin: await originOf(model, "activations", options, input),
      notes: model.notes,
    };
  },
};

/** The axis of an activation that counts channels: 1 in NCHW maps, the last one everywhere else. */
export const channelAxis = (rank: number, layout: Layout): number => (rank === 4 && layout === "NCHW" ? 1 : rank - 1);

/** One channel of the first picture of a rank-4 activation: `height * width` values, rows from the top. */
export function channelMap(
  tensor: Tensor<"float32">,
  channel: number,
  layout: Layout,
): { values: Float32Array; height: number; width: number } {
  const [, a, b, c] = tensor.dims as readonly [number, number, number, number];
  const [height, width] = layout === "NCHW" ? [b, c] : [a, b];
  const area = height * width;
  if (layout === "NCHW") return { values: tensor.data.subarray(channel * area, (channel + 1) * area), height, width };
  return { values: Float32Array.from({ length: area }, (_, i) => tensor.data[i * c + channel]!), height, width };
}

/** Keeps the channels named, in the order named; all when none is. Throws `option-invalid` for one that is not there. */
function pickChannels(
  tensor: Tensor<"float32">,
  layer: Layer,
  layout: Layout,
  channels: readonly number[],
): Tensor<"float32"> {
  if (channels.length === 0) return tensor;
  const axis = channelAxis(tensor.dims.length, layout);
  const count = tensor.dims[axis]!;
  const missing = channels.find((c) => !Number.isInteger(c) || c < 0 || c >= count);
  if (missing !== undefined)
    throw new ConvlensError(
      "option-invalid",
      `layer "${layer.name}" has no channel ${missing}: its ${count} channels are 0 to ${count - 1}`,
    );
  const inner = tensor.dims.slice(axis + 1).reduce((product, n) => product * n, 1);
  const outer = tensor.data.length / (inner * count);
  const out = new Float32Array(outer * channels.length * inner);
  for (let o = 0; o < outer; o++)
    for (const [k, channel] of channels.entries()) {
      const from = (o * count + channel) * inner;
      out.set(tensor.data.subarray(from, from + inner), (o * channels.length + k) * inner);
    }
  return float32(
    tensor.dims.map((n, i) => (i === axis ? channels.length : n)),
    out,
  );
}
