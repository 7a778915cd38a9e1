/** The feature maps of a layer, channel by channel, whatever the order of axes; and sums over channels. */
import type { Layout } from "../../../core/layers.ts";
import type { Tensor } from "../../../core/tensor.ts";

export interface FeatureMaps {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** All numbers of the picture, in the order in which they are stored. */
  readonly numbers: Float32Array | Float64Array;
  /** Copies a channel's `height * width` numbers, rows from the top. */
  read(channel: number, into: Float64Array): void;
}

/** Picture `row` of a rank-4 tensor. */
export function featureMaps(
  { dims, data }: Pick<Tensor<"float32">, "dims"> & { readonly data: Float32Array | Float64Array },
  layout: Layout,
  row = 0,
): FeatureMaps {
  const [, a, b, c] = dims as readonly [number, number, number, number];
  const [channels, height, width] = layout === "NCHW" ? [a, b, c] : [c, a, b];
  const area = height * width;
  const numbers = data.subarray(row * channels * area, (row + 1) * channels * area);
  const [perChannel, perPlace] = layout === "NCHW" ? [area, 1] : [1, channels];
  return {
    channels,
    height,
    width,
    numbers,
    read(channel, into) {
      for (let i = 0, from = channel * perChannel; i < area; i++, from += perPlace) into[i] = numbers[from]!;
    },
  };
}

/**
 * What a channel adds to the map at place `i`. `planes` are what the pass gave of that channel, `height * width` numbers
 * each: its activations, then its gradients.
 */
export type Contribution = (...planes: readonly Float64Array[]) => (i: number) => number;

/** A contribution that gives a channel the same weight everywhere. */
export const weighted =
  (weight: (a: Float64Array, g: Float64Array) => number): Contribution =>
  (a, g) => {
    const w = weight(a!, g!);
    return (i) => w * a![i]!;
  };

/** The sum of `f` over a channel. */
export function sum(values: Float64Array, f: (value: number, i: number) => number = (value) => value): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += f(values[i]!, i);
  return total;
}

/** Calls `visit` with what each channel adds to the map; the array is used again for the next. */
export function eachContribution(
  contribution: Contribution,
  maps: readonly FeatureMaps[],
  visit: (part: Float64Array) => void,
): void {
  const { channels, height, width } = maps[0]!;
  const planes = maps.map(() => new Float64Array(height * width));
  const part = new Float64Array(height * width);
  for (let channel = 0; channel < channels; channel++) {
    maps.forEach((one, k) => {
      one.read(channel, planes[k]!);
    });
    const at = contribution(...planes);
    for (let i = 0; i < part.length; i++) part[i] = at(i);
    visit(part);
  }
}

/** The map: the sum of all channels' contributions, signed. */
export function sumContributions(contribution: Contribution, maps: readonly FeatureMaps[]): Float64Array {
  const map = new Float64Array(maps[0]!.height * maps[0]!.width);
  eachContribution(contribution, maps, (part) => {
    for (let i = 0; i < map.length; i++) map[i]! += part[i]!;
  });
  return map;
}
