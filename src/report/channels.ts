/** Numbers on each channel of an activation. */
import type { Layout } from "../core/layers.ts";
import type { NamedTensor } from "../core/result.ts";

export interface ChannelFacts {
  readonly mean: number;
  /** Standard deviation over n, as numpy's. */
  readonly deviation: number;
  readonly max: number;
  /** Share of exact zeros, 0 to 1. */
  readonly zeros: number;
  /** `dead`: zero everywhere, the channel found nothing; `constant`: another single value everywhere. */
  readonly state: "live" | "dead" | "constant";
}

/** The channels of the first picture of a rank-4 activation in source layout. */
export function channels({ tensor }: NamedTensor, layout: Layout): readonly ChannelFacts[] {
  const { dims, data } = tensor;
  const last = layout === "NHWC";
  const count = dims[last ? 3 : 1]!;
  const size = data.length / dims[0]! / count;
  const [step, jump] = last ? [count, 1] : [1, size];
  return Array.from({ length: count }, (_, channel) => {
    let [sum, squares, zeros] = [0, 0, 0];
    let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = 0, at = channel * jump; i < size; i++, at += step) {
      const v = data[at]!;
      sum += v;
      if (v === 0) zeros++;
      if (v < min) min = v;
      if (v > max) max = v;
    }
    const mean = sum / size;
    for (let i = 0, at = channel * jump; i < size; i++, at += step) squares += (data[at]! - mean) ** 2;
    const state = min !== max ? "live" : max === 0 ? "dead" : "constant";
    return { mean, deviation: Math.sqrt(squares / size), max, zeros: zeros / size, state };
  });
}
