/**
 * DeepLIFT's rescale rule (Shrikumar et al. 2017) as an overlay. Picture and baseline run as one batch, pictures first
 * and their baselines behind them in the same order; at every unit that bends, the slope is replaced by the quotient of
 * the two differences, so that the shares of a change add up.
 */
import { int } from "../../graph/builder.ts";
import type { Emitter } from "../emitter.ts";
import type { Overlay, Rule, RuleContext, RuleTable } from "../rule.ts";
import { withInputs } from "./inputs.ts";

/** Below this difference of inputs the quotient is rounding noise, and the slope itself is taken. */
const NEAR = 1e-6;

const halves = (emit: Emitter, value: string): readonly [string, string] => {
  const [first, second] = emit.ops("Split", [value], 2, { axis: int(0), num_outputs: int(2) });
  return [first!, second!];
};
const twice = (emit: Emitter, value: string): string => emit.op("Concat", [value, value], { axis: int(0) });
const difference = (emit: Emitter, value: string): string => emit.sub(...halves(emit, value));
/** The mean of a value over picture and baseline, for both. */
const mean = (emit: Emitter, value: string): string => twice(emit, emit.mul(emit.add(...halves(emit, value)), 0.5));

/** `change` / (x - x0) for both halves, and `slope` where x and x0 are the same. */
function quotient(emit: Emitter, x: string, change: string, slope: string): string {
  const delta = difference(emit, x);
  const isNear = emit.op("LessOrEqual", [emit.op("Abs", [delta]), NEAR]);
  const ratio = emit.div(change, emit.where(isNear, 1, delta));
  return emit.where(twice(emit, isNear), slope, twice(emit, ratio));
}

/** dy (y - y0) / (x - x0) for a function of one input alone, element by element. */
const rescaled =
  (ordinary: Rule, at = 0): Rule =>
  (dy, context) => {
    const { emit, x, y, node } = context;
    const parts = ordinary(dy, context);
    const [own] = halves(emit, dy);
    const change = emit.mul(own, difference(emit, y()));
    return node.inputs.map((_, i) => (i === at ? quotient(emit, x(at), change, parts[at]!) : null));
  };

/** Max and Min of several inputs bend like a rectifier where only one of them changes. */
const extreme =
  (ordinary: Rule): Rule =>
  (dy, context) => {
    const { node, emit, wants, y, x } = context;
    const wanted = node.inputs.flatMap((_, i) => (wants(i) ? [i] : []));
    const at = wanted.length === 1 ? wanted[0]! : -1;
    const isWhole = at >= 0 && emit.shape(x(at)).join() === emit.shape(y()).join();
    return isWhole ? rescaled(ordinary, at)(dy, context) : plain(ordinary)(dy, context);
  };

/**
 * Pools: what the greater of the two maxima has above the baseline's goes to the place of the picture's maximum, the
 * rest to the place of the baseline's (captum's convention).
 */
const pooled =
  (ordinary: Rule, greater: "Max" | "Min"): Rule =>
  (dy, context) => {
    const { emit, x, y } = context;
    const slope = ordinary(dy, context)[0]!;
    const [own, base] = halves(emit, y());
    const most = emit.op(greater, [own, base]);
    const changes = emit.op("Concat", [emit.sub(most, base), emit.sub(own, most)], { axis: int(0) });
    const placed = ordinary(emit.mul(dy, changes), context)[0]!;
    return [quotient(emit, x(), emit.add(...halves(emit, placed)), slope), null];
  };

/** A product changes by (a - a0) mean(b) + (b - b0) mean(a). */
const Mul: Rule = (dy, { emit, x, wants }) => {
  const other = (i: number): string => (wants(0) && wants(1) ? mean(emit, x(i)) : x(i));
  return [wants(0) ? emit.mul(dy, other(1)) : null, wants(1) ? emit.mul(dy, other(0)) : null];
};

/** a/b as the product of a with 1/b, which changes by -(b - b0) / (b b0). */
const divided =
  (ordinary: Rule): Rule =>
  (dy, context) => {
    const { emit, x, wants } = context;
    if (!wants(1)) return ordinary(dy, context);
    const inverse = emit.op("Reciprocal", [x(1)]);
    const [own, base] = halves(emit, inverse);
    const slope = twice(emit, emit.neg(emit.mul(own, base)));
    const above = wants(0) ? mean(emit, x(0)) : x(0);
    return [wants(0) ? emit.mul(dy, mean(emit, inverse)) : null, emit.mul(emit.mul(dy, above), slope)];
  };

/** e / sum(e) with e = exp(x - c), the same c for picture and baseline: each of the three steps as above. */
const Softmax: Rule = (dy, { emit, x, axis }) => {
  const axes = [axis("axis", -1)];
  const at = emit.ints(axes);
  const top = emit.op("Max", [...halves(emit, emit.op("ReduceMax", [x(), at]))]);
  const e = emit.op("Exp", [emit.sub(x(), twice(emit, top))]);
  const inverse = emit.op("Reciprocal", [emit.sum(e, axes)]);
  const [own, base] = halves(emit, inverse);
  const bySum = emit.mul(emit.sum(emit.mul(dy, mean(emit, e)), axes), twice(emit, emit.mul(own, base)));
  const de = emit.sub(emit.mul(dy, mean(emit, inverse)), bySum);
  return [quotient(emit, x(), emit.mul(halves(emit, de)[0], difference(emit, e)), emit.mul(de, e))];
};

/**
 * (x - mean x) r with r = 1/sqrt(v + eps), v the mean square of what is centred: a product, a bend and a square. `g` is
 * the gradient behind the normalization's own weight, `axes` those of the means.
 */
function normalized(emit: Emitter, g: string, x: string, axes: readonly number[], epsilon: number): string {
  const centred = emit.sub(x, emit.mean(x, axes));
  const v = emit.mean(emit.mul(centred, centred), axes);
  const r = emit.op("Reciprocal", [emit.op("Sqrt", [emit.add(v, epsilon)])]);
  const cubed = emit.mul(emit.mul(r, r), r);
  const [own] = halves(emit, emit.sum(emit.mul(g, mean(emit, centred)), axes));
  const slope = emit.mul(twice(emit, own), emit.mul(cubed, -0.5));
  const bySquare = quotient(emit, v, emit.mul(own, difference(emit, r)), slope);
  // The mean square changes by the mean of (c + c0) (c - c0).
  const count = emit.sum(emit.expandLike(1, x), axes);
  const squared = emit.mul(mean(emit, centred), emit.div(emit.mul(bySquare, 2), count));
  const change = emit.add(emit.mul(g, mean(emit, r)), squared);
  return emit.sub(change, emit.mean(change, axes));
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
const perChannel = ({ emit, x, rank }: RuleContext): string =>
  emit.reshape(x(1), [-1, ...range(2, rank()).map(() => 1)]);

const LayerNormalization: Rule = (dy, { x, emit, rank, axis, float }) => [
  normalized(emit, emit.mul(dy, x(1)), x(), range(axis("axis", -1), rank()), float("epsilon", 1e-5)),
];
const InstanceNormalization: Rule = (dy, context) => {
  const { x, emit, rank, float } = context;
  return [normalized(emit, emit.mul(dy, perChannel(context)), x(), range(2, rank()), float("epsilon", 1e-5))];
};
const GroupNormalization: Rule = (dy, context) => {
  const { x, emit, int: attribute, float } = context;
  const grouped = (value: string): string => emit.reshape(value, [0, attribute("num_groups", 1), -1]);
  const g = grouped(emit.mul(dy, perChannel(context)));
  return [emit.reshapeLike(normalized(emit, g, grouped(x()), [2], float("epsilon", 1e-5)), x())];
};

/** Keeps the gradient, and says so: its shares need not add up. */
const plain =
  (ordinary: Rule): Rule =>
  (dy, context: RuleContext) => {
    context.note(`deeplift has no rule for ${context.node.op}: it passes its gradient, so the shares need not add up`);
    return ordinary(dy, context);
  };

/** Functions of one input, element by element. */
const bending = [
  ...["Relu", "LeakyRelu", "PRelu", "ThresholdedRelu", "Clip", "Elu", "Selu", "Celu", "Sigmoid", "HardSigmoid"],
  ...["HardSwish", "Tanh", "Softplus", "Softsign", "Mish", "Gelu", "Erf", "Pow", "Sqrt", "Reciprocal", "Exp", "Log"],
  ...["Abs", "Sin", "Cos", "Tan", "Sinh", "Cosh", "Asin", "Acos", "Atan", "Asinh", "Acosh", "Atanh", "Shrink"],
];

/** Functions of many inputs at once that have no rule of their own. */
const mixing = [
  ...[
    "LpNormalization",
    "LRN",
    "LogSoftmax",
    "LpPool",
    "GlobalLpPool",
    "ReduceL1",
    "ReduceL2",
    "ReduceSumSquare",
    "ReduceLogSumExp",
    "ReduceLogSum",
  ],
  ...["ReduceProd"],
];

const changed = (rules: RuleTable, ops: readonly string[], change: (rule: Rule) => Rule): RuleTable =>
  Object.fromEntries(ops.flatMap((op) => (rules[op] ? [[op, change(rules[op])]] : [])));

/** A product of two matrices that both change: each with the mean of the other. */
const product =
  (ordinary: Rule): Rule =>
  (dy, context) => {
    const { emit, x, wants } = context;
    if (!wants(0) || !wants(1)) return ordinary(dy, context);
    const means = new Map([0, 1].map((i) => [i, mean(emit, x(i))]));
    return ordinary(dy, withInputs(context, means));
  };

export const deeplift: Overlay = {
  id: "deeplift",
  lay: (rules) => ({
    ...rules,
    ...changed(rules, bending, (rule) => rescaled(rule)),
    ...changed(rules, mixing, plain),
    ...changed(rules, ["Max", "Min"], extreme),
    ...changed(rules, ["MaxPool", "GlobalMaxPool", "ReduceMax"], (rule) => pooled(rule, "Max")),
    ...changed(rules, ["ReduceMin"], (rule) => pooled(rule, "Min")),
    ...changed(rules, ["Div"], divided),
    ...changed(rules, ["MatMul", "Gemm"], product),
    Mul,
    Softmax,
    LayerNormalization,
    InstanceNormalization,
    GroupNormalization,
  }),
};
