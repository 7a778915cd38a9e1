/** What a case of the gradient suite is: one node in one setting of its attributes, and numbers to try it at. */
import { type ElementType, float32, int64, type Tensor } from "../../../src/core/tensor.ts";
import type { Attribute } from "../../../src/graph/graph.ts";
import { seeded } from "../../random.ts";

/** A value that is fed; "N" stands for the batch. */
export interface Fed {
  readonly feed: ElementType;
  readonly dims: readonly (number | "N")[];
  /** The range of its numbers, [-2, 2] unless told; those of whole types are below `high`. */
  readonly low?: number;
  readonly high?: number;
  /** Where the operator has a kink or a pole: no number comes nearer than a fortieth of the range. */
  readonly avoid?: readonly number[];
  /** Whether the operator has a gradient for it; true for floats. */
  readonly differentiable?: boolean;
}
export type Input = Fed | Tensor | undefined;

export interface GradientCase {
  readonly op: string;
  readonly inputs: readonly Input[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly outputs: number;
  /** The operator is linear in each input: differences are exact whatever the step. */
  readonly linear: boolean;
  /** By definition nothing flows. */
  readonly flat: boolean;
  /** The engine computes it in float32 whatever it is given. */
  readonly single: boolean;
}

export const isFed = (input: Input): input is Fed => input !== undefined && "feed" in input;

export const x = (dims: readonly (number | "N")[], more: Omit<Fed, "feed" | "dims"> = {}): Fed => ({
  feed: "float32",
  dims,
  ...more,
});
/** A fed value of whole numbers from 0 (or `low`) to below `high`. */
export const whole = (dims: readonly (number | "N")[], high: number, low = 0): Fed => ({
  feed: "int64",
  dims,
  low,
  high,
  differentiable: false,
});

interface Options {
  readonly outputs?: number;
  readonly flat?: boolean;
  readonly single?: boolean;
}
type Attributes = Readonly<Record<string, Attribute>>;

/** A case of an operator that bends. */
export const bent = (
  op: string,
  inputs: readonly Input[],
  attributes: Attributes = {},
  more: Options = {},
): GradientCase => ({ op, inputs, attributes, outputs: 1, linear: false, flat: false, single: false, ...more });
/** A case of an operator that is linear in each of its inputs. */
export const linear: typeof bent = (op, inputs, attributes, more) => ({
  ...bent(op, inputs, attributes, more),
  linear: true,
});
/** A case of an operator through which nothing flows by definition. */
export const flat = (op: string, inputs: readonly Input[], attributes: Attributes = {}): GradientCase =>
  bent(op, inputs, attributes, { flat: true });

export const i64 = (...values: number[]): Tensor => int64([values.length], values);
/** Weights: numbers between -1 and 1, or as told, the same in every run. */
export function w(dims: readonly number[], low = -1, high = 1): Tensor<"float32"> {
  const next = seeded(dims.reduce((sum, n) => sum * 31 + n, 7));
  const data = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => low + (high - low) * next());
  return float32(dims, data);
}

/**
 * Numbers for a fed value: whole ones at random; others in equal steps over the range, shuffled, so that no two are
 * equal and maxima stay where they are under a small push.
 */
export function numbers(fed: Fed, dims: readonly number[], seed: number): number[] {
  const { feed, low = -2, high = 2, avoid = [] } = fed;
  const next = seeded(seed);
  const size = dims.reduce((a, b) => a * b, 1);
  if (feed !== "float32") return Array.from({ length: size }, () => Math.floor(low + (high - low) * next()));
  const all = Array.from({ length: size }, (_, i) => low + ((high - low) * (i + 0.7)) / size);
  for (let i = size - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [all[i], all[j]] = [all[j]!, all[i]!];
  }
  const margin = (high - low) / 40;
  return all.map((value) => {
    const kink = avoid.find((at) => Math.abs(value - at) < margin);
    return kink === undefined ? value : kink + (value < kink ? -margin : margin);
  });
}
