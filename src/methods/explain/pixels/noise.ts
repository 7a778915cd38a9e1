/** Gradients at noisy copies of the input: what SmoothGrad and its relatives add up. */
import { random } from "../../../core/random.ts";
import type { OptionSpec } from "../../method.ts";
import { seedOption, targetOptions } from "../options.ts";
import { addNormal } from "./normal.ts";
import {
  type ChannelReduce,
  channelReduceOption,
  type PixelOptions,
  samplesOption,
  variantsOption,
} from "./options.ts";
import type { Job } from "./pixel-method.ts";

export interface NoiseOptions extends PixelOptions {
  readonly samples: number;
  readonly noise: number;
  readonly seed: number;
  readonly batch: number;
}

export const noiseOptions = (by: ChannelReduce): Readonly<Record<keyof NoiseOptions & string, OptionSpec>> => ({
  ...targetOptions,
  samples: samplesOption,
  noise: {
    type: "number",
    default: 0.15,
    min: 0,
    max: 10,
    help: "standard deviation of the noise, in parts of the input's maximum - minimum",
  },
  channelReduce: channelReduceOption(by),
  seed: seedOption,
  batch: variantsOption,
});

/** One stream of random numbers a sample, so that the size of batches changes nothing. */
export const streamOf = (seed: number, sample: number): ReturnType<typeof random> =>
  random(Math.imul(seed + 1, 0x85ebca6b) + sample);

/** Adds up the gradients of each target at all noisy copies, in double precision: `add` sees one sample at a time. */
export async function overNoise(
  { options: { samples, noise, seed }, subject: { x }, each }: Job<NoiseOptions>,
  add: (target: number, gradient: Float32Array) => void,
): Promise<void> {
  const [low, high] = extremes(x);
  const sigma = noise * (high - low);
  const make = (sample: number, into: Float32Array): void => addNormal(x, sigma, streamOf(seed, sample), into);
  await each(samples, make, (target, _, gradient) => add(target, gradient));
}

/** The least and the greatest number. */
export function extremes(x: Float32Array): readonly [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of x) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}
