/**
 * Objectives: what gradient ascent raises, as targets that `model.gradient` understands. One number a picture; sums,
 * weights and contrasts are made of parts.
 */
import type { Emitter } from "../../autodiff/emitter.ts";
import { ConvlensError } from "../../core/errors.ts";
import type { Layer } from "../../core/layers.ts";
import { float32 } from "../../core/tensor.ts";
import { int } from "../../graph/builder.ts";
import { channelsOf } from "../../model/channels.ts";
import type { Target } from "../../model/model.ts";

/** The graph's own axes of a layer's channels and places. */
export function axesOf(layer: Layer): { channels: number; places: readonly number[] } {
  const rank = layer.shape.length;
  if (rank === 4) return layer.layout === "NHWC" ? { channels: 3, places: [1, 2] } : { channels: 1, places: [2, 3] };
  return { channels: rank - 1, places: Array.from({ length: Math.max(0, rank - 2) }, (_, i) => i + 1) };
}

/** How many channels a layer has, in the model's own layout of axes. */
export const channelCount = (layer: Layer, sourceLayout: "NCHW" | "NHWC"): number =>
  layer.shape[layer.shape.length === 4 && sourceLayout === "NCHW" ? 1 : layer.shape.length - 1] ?? 0;

const refuse = (layer: Layer, channel: number, count: number): never => {
  throw new ConvlensError(
    "option-invalid",
    `layer "${layer.name}" has no channel ${channel}: its ${count} channels are 0 to ${count - 1}`,
  );
};

/**
 * Channel `channels[n]` for picture n, or one channel for all pictures: its mean over the map, or its value in the
 * middle (`neuron`). Only these channels of the layer are computed.
 */
export function channelObjective(
  layer: Layer,
  channels: readonly number[],
  count: number,
  at: "mean" | "neuron" = "mean",
): Target {
  for (const channel of channels)
    if (!Number.isInteger(channel) || channel < 0 || channel >= count) refuse(layer, channel, count);
  const { channels: axis, places } = axesOf(layer);
  return {
    label: `${at === "neuron" ? "neuron of " : ""}channel ${channels.join(", ")} of ${layer.name}`,
    reads: [layer.output],
    score(emit) {
      const cut = channelsOf(emit, layer.output, channels, axis);
      const rank = layer.shape.length;
      const one = at === "neuron" ? middle(emit, cut, layer, places) : cut;
      const means = places.length > 0 ? emit.op("ReduceMean", [one, emit.ints(places)], { keepdims: int(0) }) : one;
      if (channels.length === 1) return emit.reshape(means, [-1]);
      // Picture n counts channel n: the diagonal.
      const eye = new Float32Array(channels.length ** 2);
      for (let i = 0; i < channels.length; i++) eye[i * channels.length + i] = 1;
      const flat = rank === 2 ? means : emit.reshape(means, [channels.length, channels.length]);
      return emit.sum(emit.mul(flat, emit.constant(float32([channels.length, channels.length], eye))), [1], false);
    },
  };
}

/** The place at size/2 of each axis, as Lucid's neuron objective. */
function middle(emit: Emitter, value: string, layer: Layer, places: readonly number[]): string {
  const shape = emit.shape(layer.output);
  return places.reduce((cut, axis) => {
    const size = shape[axis];
    if (typeof size !== "number")
      throw new ConvlensError("model-unsupported", `the size of layer "${layer.name}" is open`);
    const at = Math.floor(size / 2);
    return emit.op("Slice", [cut, emit.ints([at]), emit.ints([at + 1]), emit.ints([axis])]);
  }, value);
}

/** DeepDream: the mean square of all that a layer gives. */
export const layerObjective = (layer: Layer): Target => ({
  label: `all of ${layer.name}`,
  reads: [layer.output],
  score(emit) {
    const axes = layer.shape.map((_, axis) => axis).slice(1);
    return emit.op("ReduceMean", [emit.mul(layer.output, layer.output), emit.ints(axes)], { keepdims: int(0) });
  },
});

/** A sum of objectives, each with its weight; a negative weight avoids. Class targets cannot take part: use weights of classes. */
export function sumObjective(parts: readonly { readonly weight: number; readonly target: Target }[]): Target {
  const scores = parts.map(({ weight, target }) => {
    if (!("score" in target))
      throw new ConvlensError("option-invalid", "only channels, neurons and layers are added up");
    return { weight, ...target };
  });
  return {
    label: scores.map(({ weight, label }) => (weight === 1 ? label : `${weight} x ${label}`)).join(" + "),
    reads: scores.flatMap(({ reads = [] }) => reads),
    score: (emit, head) =>
      scores
        .map(({ weight, score }) => (weight === 1 ? score(emit, head) : emit.mul(score(emit, head), weight)))
        .reduce((sum, part) => emit.add(sum, part)),
  };
}
