/** Ordinary rules over other values than the node's own: their formulas serve overlays too. */
import type { RuleContext } from "../rule.ts";

/** The context of a node some of whose inputs, by index, are replaced by values of the same shape. */
export function withInputs(context: RuleContext, replaced: ReadonlyMap<number, string>): RuleContext {
  const { emit, x } = context;
  const own = new Map([...replaced].map(([index, value]) => [value, x(index)]));
  return {
    ...context,
    x: (index = 0) => replaced.get(index) ?? x(index),
    emit: {
      ...emit,
      shape: (value) => emit.shape(own.get(value) ?? value),
      dims: (value) => emit.dims(own.get(value) ?? value),
    },
  };
}
