/** Reductions over axes. */
import { int } from "../../graph/builder.ts";
import type { Rule, RuleContext } from "../rule.ts";

/** The reduced axes, and a reduced value with them put back as size 1. */
function reduced({ x, emit, rank, int, fail }: RuleContext): {
  axes: readonly number[];
  back: (value: string) => string;
} {
  const all = [...Array(rank()).keys()];
  const given = x(1) === "" ? [] : emit.known(x(1));
  if (!given) return fail("its axes are not known before it runs");
  const none = given.length === 0 && int("noop_with_empty_axes", 0) === 1;
  const axes = none
    ? []
    : given.length === 0
      ? all
      : given.map((axis) => (axis < 0 ? axis + rank() : axis)).sort((a, b) => a - b);
  const back = (value: string): string =>
    int("keepdims", 1) === 1 || axes.length === 0 ? value : emit.op("Unsqueeze", [value, emit.ints(axes)]);
  return { axes, back };
}

export const ReduceSum: Rule = (dy, context) => [context.emit.expandLike(reduced(context).back(dy), context.x()), null];
export const ReduceMean: Rule = (dy, context) => {
  const { emit, x } = context;
  const { axes, back } = reduced(context);
  const sizes = axes.map((axis) => emit.shape(x())[axis]);
  // Over the free batch axis the number is known only when it runs.
  const count = sizes.some((n) => typeof n !== "number")
    ? emit.sum(emit.expandLike(1, x()), axes)
    : sizes.reduce<number>((product, n) => product * (n ?? 1), 1);
  return [emit.expandLike(emit.div(back(dy), count), x()), null];
};
/** Ties share the gradient equally. */
const extreme: Rule = (dy, context) => {
  const { emit, x, y } = context;
  const { axes, back } = reduced(context);
  return [emit.mul(back(dy), emit.share(emit.op("Equal", [x(), back(y())]), axes)), null];
};

export { extreme as ReduceMax, extreme as ReduceMin };

export const ReduceL1: Rule = (dy, context) => [
  context.emit.mul(reduced(context).back(dy), context.emit.sign(context.x())),
  null,
];
/** x / |x|, and 0 where the norm is 0. */
export const ReduceL2: Rule = (dy, context) => {
  const { emit, x, y } = context;
  const { back } = reduced(context);
  return [emit.mul(emit.div(back(dy), emit.op("Max", [back(y()), 1e-30])), x()), null];
};
export const ReduceSumSquare: Rule = (dy, context) => {
  const { emit, x } = context;
  return [emit.mul(reduced(context).back(dy), emit.mul(x(), 2)), null];
};
export const ReduceLogSumExp: Rule = (dy, context) => {
  const { emit, x, y } = context;
  const { back } = reduced(context);
  return [emit.mul(back(dy), emit.op("Exp", [emit.sub(x(), back(y()))])), null];
};
export const ReduceLogSum: Rule = (dy, context) => {
  const { emit, x, y } = context;
  const { back } = reduced(context);
  const share = emit.div(back(dy), emit.op("Exp", [back(y())]));
  return [emit.expandLike(share, x()), null];
};
/** Running sums go back from the other end. */
export const CumSum: Rule = (dy, { x, emit, int: attribute }) => [
  emit.op("CumSum", [dy, x(1)], {
    exclusive: int(attribute("exclusive", 0)),
    reverse: int(1 - attribute("reverse", 0)),
  }),
  null,
];
/** The product of the others, also where some are 0. */
export const ReduceProd: Rule = (dy, context) => {
  const { emit, x } = context;
  const { axes, back } = reduced(context);
  if (axes.length === 0) return [dy, null];
  const isZero = emit.op("Equal", [x(), 0]);
  const zeros = emit.sum(emit.where(isZero, 1, 0), axes);
  const filled = emit.where(isZero, 1, x());
  const rest = emit.op("ReduceProd", [filled, emit.ints(axes)]);
  const alone = emit.where(emit.op("Equal", [zeros, 1]), rest, 0);
  const others = emit.where(emit.op("Equal", [zeros, 0]), emit.div(rest, filled), 0);
  return [emit.mul(back(dy), emit.where(isZero, alone, others)), null];
};
