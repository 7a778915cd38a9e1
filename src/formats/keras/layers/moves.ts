/** Reshaping, turning and slicing a value in terms of Keras' order of axes. */
import { ints } from "../../../graph/builder.ts";
import type { EmitContext } from "../layer.ts";
import { storedPermutation } from "./layout.ts";

/** Reshape to `sizes` of Keras' order; 0 keeps the size at that place (the batch), -1 is what is left. */
export function reshape(context: EmitContext, value: string, sizes: readonly number[]): string {
  return context.fromKeras(context.build.node("Reshape", [context.toKeras(value), context.build.ints(sizes)]));
}

/** Turns the axes: `order[i]` is the axis of Keras' order that comes to place i. */
export function permute(context: EmitContext, value: string, order: readonly number[]): string {
  const rank = order.length;
  const perm = storedPermutation(context, rank).map((axis) => context.storedAxis(order[axis]!, rank));
  return context.build.node("Transpose", [value], { attributes: { perm: ints(perm) } });
}

/** Larger than any side: where a slice reaches to the end. */
const END = 2 ** 31 - 1;

/** Slices of Keras' axes: from `start` to `stop` (negative from the end; `null` is the end) by `step`. */
export function slice(
  context: EmitContext,
  value: string,
  parts: readonly { axis: number; start: number; stop: number | null; step?: number }[],
): string {
  const { build } = context;
  const rank = context.kerasShapeOf(value).length;
  if (parts.length === 0) return build.node("Identity", [value]);
  return build.node("Slice", [
    value,
    build.ints(parts.map(({ start }) => start)),
    build.ints(parts.map(({ stop, step = 1 }) => stop ?? (step > 0 ? END : -END))),
    build.ints(parts.map(({ axis }) => context.storedAxis(axis, rank))),
    build.ints(parts.map(({ step = 1 }) => step)),
  ]);
}
