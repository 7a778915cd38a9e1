/** The feature maps of a layer, channel by channel, whatever the order of axes; and what sums over them. */
import type { Layout } from "../../../core/layers.ts";
import type { Tensor } from "../../../core/tensor.ts";

export interface FeatureMaps {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Copies a channel's `height * width` numbers, rows from the top. */
  read(channel: number, into: Float64Array): void;
}

/** Picture `row` of a rank-4 tensor. */
export function featureMaps({ dims, data }: Tensor<"float32">, layout: Layout, row = 0): FeatureMaps {
  const [, a, b, c] = dims as readonly [number, number, number, number];
  const [channels, height, width] = layout === "NCHW" ? [a, b, c] : [c, a, b];
  const area = height * width;
  const start = row * channels * area;
  const [perChannel, perPlace] = layout === "NCHW" ? [area, 1] : [1, channels];
  return {
    channels,
    height,
    width,
    read(channel, into) {
      let from = start + channel * perChannel;
      for (let i = 0; i < area; i++, from += perPlace) into[i] = data[from]!;
    },
  };
}

/** What a channel with activations `a` and gradients `g` adds to the map at place `i`. */
export type Contribution = (a: Float64Array, g: Float64Array) => (i: number) => number;

/** A contribution that weights whole channels. */
export const weighted =
  (weight: (a: Float64Array, g: Float64Array) => number): Contribution =>
  (a, g) => {
    const w = weight(a, g);
    return (i) => w * a[i]!;
  };

/** The sum of `f` over a channel. */
export function sum(values: Float64Array, f: (value: number, i: number) => number = (value) => value): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += f(values[i]!, i);
  return total;
}

/** Calls `visit` with what each channel adds to the map: `height * width` numbers, valid during the call. */
export function eachContribution(
  contribution: Contribution,
  activations: FeatureMaps,
  gradients: FeatureMaps,
  visit: (part: Float64Array, channel: number) => void,
): void {
  const area = activations.height * activations.width;
  const [a, g, part] = [new Float64Array(area), new Float64Array(area), new Float64Array(area)];
  for (let channel = 0; channel < activations.channels; channel++) {
    activations.read(channel, a);
    gradients.read(channel, g);
    const at = contribution(a, g);
    for (let i = 0; i < area; i++) part[i] = at(i);
    visit(part, channel);
  }
}

/** The map: the sum of all channels' contributions, signed. */
export function sumContributions(
  contribution: Contribution,
  activations: FeatureMaps,
  gradients: FeatureMaps,
): Float64Array {
  const map = new Float64Array(activations.height * activations.width);
  eachContribution(contribution, activations, gradients, (part) => {
    for (let i = 0; i < map.length; i++) map[i]! += part[i]!;
  });
  return map;
}
