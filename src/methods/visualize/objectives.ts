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

/** A target that is a function of a layer. */
export type LayerTarget = Extract<Target, { readonly score: unknown }>;

/** Which places of a layer's maps count. */
export interface Places {
  /** All of them, by their mean, or one: in the middle unless `position` says where. */
  readonly at: "mean" | "neuron";
  /** Row and column. */
  readonly position?: readonly [number, number];
  /** Places at the edges that do not count, as in later editions of the Keras book. */
  readonly trim?: number;
}

/** The channels that one picture's objective adds up, each with its weight. */
export type Weighted = readonly { readonly channel: number; readonly weight: number }[];

/** The graph's own axes of a layer's channels and places. */
function axesOf(layer: Layer): { readonly channels: number; readonly places: readonly number[] } {
  const rank = layer.shape.length;
  if (rank === 4) return layer.layout === "NHWC" ? { channels: 3, places: [1, 2] } : { channels: 1, places: [2, 3] };
  return { channels: rank - 1, places: Array.from({ length: Math.max(0, rank - 2) }, (_, i) => i + 1) };
}

/** How many channels a layer has, in the model's own layout of axes. */
export const channelCount = (layer: Layer, sourceLayout: "NCHW" | "NHWC"): number =>
  layer.shape[layer.shape.length === 4 && sourceLayout === "NCHW" ? 1 : layer.shape.length - 1] ?? 0;

/** Throws `option-invalid` for a channel that the layer has not. */
export function mustHaveChannels(layer: Layer, channels: readonly number[], count: number): void {
  const wrong = channels.find((channel) => !Number.isInteger(channel) || channel < 0 || channel >= count);
  if (wrong === undefined) return;
  const range = count === 0 ? "it has none" : `its ${count} channels are 0 to ${count - 1}`;
  throw new ConvlensError("option-invalid", `layer "${layer.name}" has no channel ${wrong}: ${range}`);
}

/**
 * For picture n the weighted sum of the channels `pictures[n]`, each by its mean over the map or its value at one place.
 * Only these channels of the layer are computed. One entry serves any number of pictures.
 */
export function channelObjective(layer: Layer, pictures: readonly Weighted[], places: Places): LayerTarget {
  const channels = [...new Set(pictures.flatMap((parts) => parts.map(({ channel }) => channel)))];
  const weights = new Float32Array(pictures.length * channels.length);
  for (const [n, parts] of pictures.entries())
    for (const { channel, weight } of parts) weights[n * channels.length + channels.indexOf(channel)]! += weight;
  const axes = axesOf(layer);
  return {
    label: `${places.at === "neuron" ? "neuron of " : ""}channel ${channels.join(", ")} of ${layer.name}`,
    reads: [layer.output],
    score(emit) {
      const cut = inside(emit, channelsOf(emit, layer.output, channels, axes.channels), layer, places);
      const each =
        axes.places.length > 0 ? emit.op("ReduceMean", [cut, emit.ints(axes.places)], { keepdims: int(0) }) : cut;
      if (weights.length === 1 && weights[0] === 1) return emit.reshape(each, [-1]);
      return emit.sum(emit.mul(each, emit.constant(float32([pictures.length, channels.length], weights))), [1], false);
    },
  };
}

/** The places of a layer's maps that count. Lucid's neuron is the one at size / 2 of each axis. */
function inside(emit: Emitter, value: string, layer: Layer, { at, position, trim = 0 }: Places): string {
  const shape = emit.shape(layer.output);
  return axesOf(layer).places.reduce((cut, axis, i) => {
    const size = shape[axis];
    if (at === "mean" && trim === 0) return cut;
    if (typeof size !== "number")
      throw new ConvlensError("model-unsupported", `the size of layer "${layer.name}" is open`);
    const one = position?.[i] ?? Math.floor(size / 2);
    if (at === "neuron" && one >= size)
      throw new ConvlensError(
        "option-invalid",
        `layer "${layer.name}" has ${size} places along its ${i === 0 ? "height" : "width"} here: there is none at ${one}`,
      );
    // Small maps keep at least one place.
    const edge = Math.min(trim, Math.floor((size - 1) / 2));
    const [first, end] = at === "neuron" ? [one, one + 1] : [edge, size - edge];
    return emit.op("Slice", [cut, emit.ints([first]), emit.ints([end]), emit.ints([axis])]);
  }, value);
}

/** The weighted sum of classes' logits. One output unit stands for two classes: class 0 has its negative. */
export const classSum = (
  parts: readonly { readonly class: number; readonly weight: number }[],
  label: string,
): Target => ({
  label,
  score(emit, { logits }) {
    const count = emit
      .shape(logits)
      .slice(1)
      .reduce<number>((product, size) => product * (size ?? 1), 1);
    const row = new Float32Array(count);
    for (const { class: index, weight } of parts)
      if (count > 1) row[index]! += weight;
      else row[0]! += index === 0 ? -weight : weight;
    return emit.sum(emit.mul(emit.reshape(logits, [-1, count]), emit.constant(float32([1, count], row))), [1], false);
  },
});

/** DeepDream: the mean square of all that a layer gives, but for `trim` places at the edges. */
export const layerObjective = (layer: Layer, trim: number): LayerTarget => ({
  label: `all of ${layer.name}`,
  reads: [layer.output],
  score(emit) {
    const axes = layer.shape.map((_, axis) => axis).slice(1);
    const a = inside(emit, layer.output, layer, { at: "mean", trim });
    return emit.op("ReduceMean", [emit.mul(a, a), emit.ints(axes)], { keepdims: int(0) });
  },
});

/** A sum of objectives, each with its weight. */
export const sumObjective = (
  parts: readonly { readonly weight: number; readonly target: LayerTarget }[],
): LayerTarget => ({
  label: parts.map(({ weight, target }) => `${weight} x ${target.label}`).join(" + "),
  reads: [...new Set(parts.flatMap(({ target }) => target.reads ?? []))],
  score: (emit, head) =>
    parts
      .map(({ weight, target }) => emit.mul(target.score(emit, head), weight))
      .reduce((sum, part) => emit.add(sum, part)),
});

/**
 * A direction in the space of channels (Lucid's `direction`): the mean over the places of
 * dot(a, v) max(0.1, cos(a, v))^power. A power above 0 keeps the picture from raising other channels too.
 */
export function directionObjective(
  layer: Layer,
  direction: readonly number[],
  power: number,
  places: Places,
): LayerTarget {
  const axes = axesOf(layer);
  const length = Math.hypot(...direction);
  if (length === 0) throw new ConvlensError("option-invalid", "the direction is 0 for every channel");
  const dims = layer.shape.map((_, axis) => (axis === axes.channels ? direction.length : 1));
  return {
    label: `a direction of ${layer.name}`,
    reads: [layer.output],
    score(emit) {
      const a = inside(emit, layer.output, layer, places);
      const dot = emit.sum(emit.mul(a, emit.constant(float32(dims, Float32Array.from(direction)))), [axes.channels]);
      const size = emit.op("Sqrt", [emit.add(emit.sum(emit.mul(a, a), [axes.channels]), 1e-6)]);
      const cosine = emit.op("Clip", [emit.div(dot, emit.mul(emit.add(size, 1e-4), length)), 0.1, 1]);
      const weighted = Array.from({ length: power }, () => cosine).reduce((x, c) => emit.mul(x, c), dot);
      return emit.op("ReduceMean", [weighted, emit.ints(dims.map((_, axis) => axis).slice(1))], { keepdims: int(0) });
    },
  };
}

/**
 * An objective less the likeness of the batch's pictures to each other (Lucid's `diversity`): the sum over pairs of the
 * products of their Gram matrices over channels, each of length 1, over the number of pictures.
 */
export function diverse(target: LayerTarget, layer: Layer, count: number, weight: number): LayerTarget {
  const axes = axesOf(layer);
  const others = new Float32Array(count * count).fill(1);
  for (let n = 0; n < count; n++) others[n * count + n] = 0;
  return {
    ...target,
    score(emit, head) {
      const own = target.score(emit, head);
      const first = emit.transpose(layer.output, [0, axes.channels, ...axes.places]);
      const channels = emit.shape(layer.output)[axes.channels] ?? 1;
      const flat = emit.reshape(first, [count, channels, -1]);
      const gram = emit.reshape(emit.matMul(flat, emit.transpose(flat, [0, 2, 1])), [count, channels * channels]);
      const length = emit.op("Sqrt", [emit.add(emit.sum(emit.mul(gram, gram), [1]), 1e-12)]);
      const unit = emit.div(gram, length);
      const alike = emit.mul(
        emit.matMul(unit, emit.transpose(unit, [1, 0])),
        emit.constant(float32([count, count], others)),
      );
      return emit.sub(emit.reshape(own, [count]), emit.mul(emit.sum(alike, [1], false), weight / count));
    },
  };
}
