/** Windows that slide over the sides of a value: strides, dilations, and how the borders are padded. */
import { ints, text } from "../../../graph/builder.ts";
import type { Attribute, Shape } from "../../../graph/graph.ts";

export type Attributes = Readonly<Record<string, Attribute>>;

/** How windows lie on the sides of a value. */
export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
}

/**
 * Padding "same" as TensorFlow does it: out = ceil(n / stride), what is missing is split with the odd one at the end.
 * Sides that the model leaves open are left to the engine's SAME_UPPER, which is the same rule.
 */
export function samePadding({ kernel, strides, dilations }: Window, sides: Shape): Attributes {
  const reach = kernel.map((k, i) => (k - 1) * dilations[i]! + 1);
  const totals = reach.map((k, i) => {
    const n = sides[i] ?? null;
    if (strides[i] === 1) return k - 1;
    return n === null ? null : Math.max((Math.ceil(n / strides[i]!) - 1) * strides[i]! + k - n, 0);
  });
  if (!totals.every((total) => total !== null)) return { auto_pad: text("SAME_UPPER") };
  const begins = totals.map((total) => Math.floor(total / 2));
  return { pads: ints([...begins, ...totals.map((total, i) => total - begins[i]!)]) };
}

export const noPadding = (sides: number): Attributes => ({ pads: ints(new Array<number>(2 * sides).fill(0)) });

export const windowAttributes = ({ kernel, strides, dilations }: Window): Attributes => ({
  kernel_shape: ints(kernel),
  strides: ints(strides),
  dilations: ints(dilations),
});
