/**
 * Layer-wise relevance propagation (Bach et al. 2015, Montavon et al. 2019) as an overlay: the pass starts with the score
 * itself, and every rule hands the relevance of its output on to its inputs.
 */
import { float32 } from "../../core/tensor.ts";
import type { Emitter } from "../emitter.ts";
import type { Overlay, Rule, RuleContext, RuleTable } from "../rule.ts";
import {
  alphaBetaRule,
  boxRule,
  epsilonRule,
  gammaRule,
  linearOf,
  type Stretches,
  signedGammaRule,
  signedShares,
  stretchesOf,
  weightless,
} from "./lrp-linear.ts";

export interface LrpOptions {
  /** `composite`: zB at the first layer, gamma for either sign in convolutions and sums, epsilon in dense layers. */
  readonly rule: "composite" | "epsilon" | "gamma" | "alpha-beta";
  readonly epsilon: number;
  readonly gamma: number;
  /** Of alpha-beta; beta is alpha - 1. */
  readonly alpha: number;
  /** The least and the greatest number of each channel of the input, for zB; absent: those of each picture. */
  readonly box?: { readonly low: readonly number[]; readonly high: readonly number[] };
}

/** Sessions are kept by overlay: the same options must give the same object. */
const made = new Map<string, Overlay>();

export function lrp(options: LrpOptions): Overlay {
  const key = JSON.stringify(options);
  const overlay = made.get(key) ?? {
    id: "lrp",
    lay: (rules: RuleTable) => relevanceRules(rules, options),
    start: (emit: Emitter, of: string, seed: string) => emit.mul(of, seed),
  };
  made.set(key, overlay);
  return overlay;
}

/** Gives all relevance to each input that the score depends on: for functions of one input, and where others are fixed. */
const unchanged: Rule = (r, context) => context.node.inputs.map((_, i) => (takes(context, i) ? r : null));

const takes = ({ emit, wants, x }: RuleContext, input: number): boolean =>
  wants(input) && !stretchesOf(emit).isFixed(x(input));

/** Functions of one input element by element, and normalizations, whose statistics are taken as fixed. */
const passing = [
  ...["Relu", "LeakyRelu", "PRelu", "ThresholdedRelu", "Clip", "Elu", "Selu", "Celu", "Sigmoid", "HardSigmoid"],
  ...["HardSwish", "Tanh", "Softplus", "Softsign", "Mish", "Gelu", "Erf", "Pow", "Sqrt", "Exp", "Log", "Abs", "Neg"],
  ...["Reciprocal", "Shrink", "Sinh", "Asinh", "Atan"],
  ...["BatchNormalization", "LayerNormalization", "InstanceNormalization", "GroupNormalization", "LpNormalization"],
  ...["LRN", "Identity", "Dropout", "Cast", "CastLike"],
];

/** Linear without weights. */
const linear = ["AveragePool", "GlobalAveragePool", "ReduceMean", "ReduceSum", "Resize", "Upsample"];

/** What moves numbers about, and maxima, where the winner takes all: the ordinary gradient of relevance is relevance. */
const moving = [
  ...["MaxPool", "GlobalMaxPool", "ReduceMax", "ReduceMin", "Max", "Min", "Where", "Reshape", "Flatten", "Squeeze"],
  ...["Unsqueeze", "Transpose", "Concat", "Split", "Expand", "Tile", "DepthToSpace", "SpaceToDepth", "Gather"],
  ...["GatherElements", "GatherND", "Slice", "Pad"],
];

function relevanceRules(rules: RuleTable, options: LrpOptions): RuleTable {
  const refused: Rule = (_, { fail, node }) =>
    fail(
      `relevance has no rule for ${node.op}${/Softmax/.test(node.op) ? ": it does not cross a softmax, explain the logit" : ""}`,
    );
  const pick = (names: readonly string[], change: (rule: Rule) => Rule): [string, Rule][] =>
    names.flatMap((op) => (rules[op] ? [[op, change(rules[op])]] : []));
  return Object.fromEntries([
    ...Object.keys(rules).map((op): [string, Rule] => [op, refused]),
    // Sizes, indices and truths carry nothing: all of them have one rule.
    ...Object.entries(rules).filter(([, rule]) => rule === rules.Shape),
    ...pick(moving, (rule) => rule),
    ...pick(passing, () => unchanged),
    ...pick(linear, weightless),
    ...pick(["Conv", "ConvTranspose", "Gemm", "MatMul"], (rule) => layer(rule, options)),
    ...pick(["Add", "Sub", "Sum", "Mean"], () => shares(options.rule === "composite" ? options.gamma : 0)),
    ...pick(["Mul"], () => gated),
    ...pick(["Div"], () => (r) => [r, null]),
  ]);
}

/**
 * Summands share by what they add, those of the sum's own sign favoured by gamma; a summand that no input changes gets
 * nothing.
 */
const shares =
  (gamma: number): Rule =>
  (r, context) => {
    const { node, emit, x, y } = context;
    const moving = node.inputs.flatMap((_, i) => (takes(context, i) ? [i] : []));
    if (moving.length < 2) return unchanged(r, context);
    const scale = node.op === "Mean" ? 1 / node.inputs.length : 1;
    const parts = moving.map((i) => {
      const factor = node.op === "Sub" && i === 1 ? -1 : scale;
      return factor === 1 ? x(i) : emit.mul(x(i), factor);
    });
    const above = parts.map((part) => emit.op("Relu", [part]));
    const sum = (values: readonly string[]): string => values.slice(1).reduce(emit.add, values[0]!);
    const up = sum(above);
    const [s, rising, falling] = signedShares(emit, r, y(), up, emit.sub(sum(parts), up), gamma);
    const shared = parts.map((part, i) => {
      const plain = emit.mul(part, s);
      if (gamma === 0) return plain;
      const below = emit.sub(part, above[i]!);
      const favoured = emit.add(emit.mul(above[i]!, rising), emit.mul(below, falling));
      return emit.add(plain, emit.mul(favoured, gamma));
    });
    return node.inputs.map((_, i) => shared[moving.indexOf(i)] ?? null);
  };

/** Functions whose values lie between bounds: what comes out of them scales a signal and is none. */
const bounded = new Set(["Sigmoid", "HardSigmoid", "Tanh", "Clip", "Softmax", "Erf"]);

/** A product of a signal and a gate: the signal takes all. Where none of the two is a gate, each takes half. */
const gated: Rule = (r, context) => {
  const { emit, x } = context;
  if (!takes(context, 0) || !takes(context, 1)) return unchanged(r, context);
  const stretches = stretchesOf(emit);
  const [a, b] = [emit.shape(x(0)), emit.shape(x(1))];
  const isSpread = (small: typeof a, large: typeof a): boolean =>
    small.length < large.length || small.some((n, i) => n === 1 && large[i] !== 1);
  const gates =
    isSpread(a, b) !== isSpread(b, a)
      ? [isSpread(a, b), isSpread(b, a)]
      : [isGate(x(0), stretches), isGate(x(1), stretches)];
  if (gates[0] === gates[1]) {
    const half = emit.mul(r, 0.5);
    return [half, half];
  }
  return [gates[0] ? null : r, gates[1] ? null : r];
};

/** Whether a value comes out of a bounded function, but for arithmetic with fixed numbers. */
function isGate(value: string, stretches: Stretches, depth = 0): boolean {
  const node = stretches.made.get(value);
  if (!node || depth > 4) return false;
  if (bounded.has(node.op)) return true;
  if (!["Add", "Sub", "Mul", "Div", "Identity"].includes(node.op)) return false;
  const moving = node.inputs.filter((x) => !stretches.isFixed(x));
  return moving.length === 1 && isGate(moving[0]!, stretches, depth + 1);
}

/** Convolutions and dense layers, with the bias and normalization behind them merged in. */
const layer =
  (ordinary: Rule, { rule, epsilon, gamma, alpha, box }: LrpOptions): Rule =>
  (r, context) => {
    const { emit, x, node, fail } = context;
    const stretches = stretchesOf(emit);
    if (!stretches.isFixed(x(1))) return fail("relevance has no rule for a product of two feature maps");
    const one = linearOf(context, ordinary);
    const isDense = node.op === "Gemm" || node.op === "MatMul";
    if (rule === "composite" && isFirst(x(), stretches)) {
      const bounds = box && isInput(x(), context, stretches) ? boxOf(context, box) : undefined;
      return [boxRule(emit, r, one, bounds ?? extremes(context), epsilon), null, null];
    }
    if (rule === "epsilon" || (rule === "composite" && isDense))
      return [epsilonRule(emit, r, one, epsilon), null, null];
    if (rule === "alpha-beta")
      return [alphaBetaRule(emit, r, one, alpha, epsilon, isPositive(x(), stretches)), null, null];
    if (rule === "composite") return [signedGammaRule(emit, r, one, gamma, isPositive(x(), stretches)), null, null];
    return [gammaRule(emit, r, one, gamma, epsilon), null, null];
  };

/** The bounds of each channel, the input's second axis here. */
function boxOf({ emit, rank }: RuleContext, { low, high }: NonNullable<LrpOptions["box"]>): readonly [string, string] {
  const shape = Array.from({ length: rank() }, (_, i) => (i === 1 ? low.length : 1));
  return [emit.constant(float32(shape, low)), emit.constant(float32(shape, high))];
}

/** The least and the greatest number of each picture. */
function extremes({ emit, x, rank }: RuleContext): readonly [string, string] {
  const axes = emit.ints(Array.from({ length: rank() - 1 }, (_, i) => i + 1));
  return [emit.op("ReduceMin", [x(), axes]), emit.op("ReduceMax", [x(), axes])];
}

/** Whether no layer with weights lies before a value. */
function isFirst(value: string, stretches: Stretches): boolean {
  const seen = new Set<string>();
  const open = [value];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (seen.has(at)) continue;
    seen.add(at);
    const node = stretches.made.get(at);
    if (!node) continue;
    if (stretches.tails.has(node)) return false;
    open.push(...node.inputs.filter((x) => !stretches.isFixed(x)));
  }
  return true;
}

/** Whether a value is the network's input with its channels second, its numbers as they were fed. */
function isInput(value: string, context: RuleContext, stretches: Stretches): boolean {
  if (context.rank() !== 4) return false;
  const node = stretches.made.get(value);
  if (!node) return true;
  return ["Transpose", "Identity", "Cast"].includes(node.op) && isInput(node.inputs[0]!, context, stretches);
}

/** Whether a value is known never to be below 0. */
function isPositive(value: string, stretches: Stretches): boolean {
  const node = stretches.made.get(value);
  if (!node) return false;
  if (["Relu", "Sigmoid", "HardSigmoid", "Softmax", "Exp"].includes(node.op)) return true;
  const through = ["MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "Flatten", "Reshape", "Squeeze"];
  const kept = [...through, "Unsqueeze", "Transpose", "Identity", "Dropout", "ReduceMean"];
  return kept.includes(node.op) && isPositive(node.inputs[0]!, stretches);
}
