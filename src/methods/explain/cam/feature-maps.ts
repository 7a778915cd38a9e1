/** The feature maps of a layer, channel by channel, and sums over channels. Plain loops: a map costs far less than its pass. */
import type { Layout } from "../../../core/layers.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { float32, transpose } from "../../../core/tensor.ts";

type Numbers = Float32Array | Float64Array;

export interface FeatureMaps {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Channel after channel, each `height * width` numbers, rows from the top. */
  readonly numbers: Numbers;
}

/** Picture `row` of a rank-4 tensor, which is not copied where its channels come first. */
export function featureMaps(tensor: Tensor<"float32">, layout: Layout, row = 0): FeatureMaps {
  const size = tensor.data.length / tensor.dims[0]!;
  const one = float32([1, ...tensor.dims.slice(1)], tensor.data.subarray(row * size, (row + 1) * size));
  const { dims, data } = layout === "NCHW" ? one : transpose(one, [0, 3, 1, 2]);
  const [, channels, height, width] = dims as readonly [number, number, number, number];
  return { channels, height, width, numbers: data };
}

/** A channel's numbers; not a copy. */
export const plane = ({ height, width, numbers }: FeatureMaps, channel: number): Numbers =>
  numbers.subarray(channel * height * width, (channel + 1) * height * width);

/**
 * Writes what a channel adds to the map, place by place, into `part`. `planes` are what the pass gave of that channel:
 * its activations, then its gradients.
 */
export type Contribution = (part: Float64Array, ...planes: readonly Numbers[]) => void;

/** A contribution that gives a channel the same weight everywhere. */
export const weighted =
  (weight: (a: Numbers, g: Numbers) => number): Contribution =>
  (part, a, g) => {
    const w = weight(a!, g!);
    for (let i = 0; i < part.length; i++) part[i] = w * a![i]!;
  };

export function sum(values: Numbers): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total;
}

export function dot(a: Numbers, b: Numbers): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i]! * b[i]!;
  return total;
}

/** Calls `visit` with what each channel adds to the map; the array is used again for the next. */
export function eachContribution(
  contribution: Contribution,
  maps: readonly FeatureMaps[],
  visit: (part: Float64Array) => void,
): void {
  const { channels, height, width } = maps[0]!;
  const part = new Float64Array(height * width);
  for (let channel = 0; channel < channels; channel++) {
    contribution(part, ...maps.map((one) => plane(one, channel)));
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
