/**
 * What layer-wise relevance propagation sees as one linear layer: a convolution or dense layer together with the bias
 * and batch normalization that follow it, merged. Relevance at the end of the stretch passes unchanged to its head.
 */
import type { Graph, Node } from "../../graph/graph.ts";
import { producers, reads } from "../../graph/walk.ts";
import type { Emitter } from "../emitter.ts";
import { contextOf, type Rule, type RuleContext } from "../rule.ts";
import { withInputs } from "./inputs.ts";

const heads: ReadonlySet<string> = new Set(["Conv", "ConvTranspose", "Gemm", "MatMul"]);
const tails: ReadonlySet<string> = new Set(["BatchNormalization", "Add", "Sub", "Mul", "Div"]);

/** What gives truths, indices and sizes, or is flat wherever it has a slope. */
const steps: ReadonlySet<string> = new Set([
  ...["ArgMax", "ArgMin", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "IsNaN", "IsInf", "Shape"],
  ...["Size", "OneHot", "Sign", "Floor", "Ceil", "Round"],
]);

/** What is known of a graph: made once for each. */
export interface Stretches {
  /** By head: the affine nodes behind it, in order. */
  readonly tails: ReadonlyMap<Node, readonly Node[]>;
  readonly made: ReadonlyMap<string, Node>;
  /** Whether no change of an input changes a value little by little: constants, shapes, answers. */
  isFixed(value: string): boolean;
}

const known = new WeakMap<Graph, Stretches>();

export function stretchesOf(emit: Emitter): Stretches {
  const found = known.get(emit.base) ?? findStretches(emit);
  known.set(emit.base, found);
  return found;
}

function findStretches(emit: Emitter): Stretches {
  const { base } = emit;
  const fixed = new Set<string>(["", ...base.constants.keys()]);
  const readers = new Map<string, Node[]>();
  for (const node of base.nodes) {
    if (steps.has(node.op) || reads(node).every((x) => fixed.has(x))) for (const y of node.outputs) fixed.add(y);
    for (const x of reads(node)) readers.set(x, [...(readers.get(x) ?? []), node]);
  }
  const found = new Map<Node, readonly Node[]>();
  for (const head of base.nodes) {
    if (!heads.has(head.op) || head.domain !== "" || fixed.has(head.inputs[0]!)) continue;
    const tail: Node[] = [];
    for (let value = head.outputs[0]!; ; value = tail.at(-1)!.outputs[0]!) {
      const all = readers.get(value) ?? [];
      const [next] = all;
      if (all.length !== 1 || !next || !continues(emit, head, value, next, fixed)) break;
      tail.push(next);
    }
    found.set(head, tail);
  }
  return {
    tails: found,
    made: producers(base),
    isFixed: (value) => fixed.has(value),
  };
}

/** The axis of a linear layer's outputs. */
const outputAxis = ({ op }: Node, rank: number): number => (op.startsWith("Conv") ? 1 : rank - 1);

/** Whether a node scales and shifts the outputs of a linear layer one by one, by numbers that no input changes. */
function continues(emit: Emitter, head: Node, value: string, node: Node, fixed: ReadonlySet<string>): boolean {
  if (!tails.has(node.op) || node.domain !== "") return false;
  if (head.op === "ConvTranspose" && head.attributes.group?.kind === "int" && head.attributes.group.value !== 1)
    return false;
  const rank = emit.shape(value).length;
  const axis = outputAxis(head, rank);
  if (node.op === "BatchNormalization") return node.inputs[0] === value && axis === 1;
  const [a = "", b = ""] = node.inputs;
  const other = a === value ? b : a;
  const isTurned = a !== value && (node.op === "Sub" || node.op === "Div");
  if (isTurned || other === value || !fixed.has(other)) return false;
  const shape = emit.shape(other);
  return shape.length <= rank && shape.every((n, i) => n === 1 || i + rank - shape.length === axis);
}

/** One linear layer, y = W x + shift, biases and normalizations merged. */
export interface Linear {
  readonly x: string;
  /** Its outputs, as the network computes them. */
  readonly y: string;
  /** W: a weight of the head's shape. */
  readonly weight: string;
  /** Shaped to be added to outputs; `undefined` for none. */
  readonly shift: string | undefined;
  forward(x: string, weight: string): string;
  /** The transposed map. */
  backward(s: string, weight: string): string;
}

export function linearOf(context: RuleContext, ordinary: Rule): Linear {
  const { node, emit, x, y } = context;
  const tail = stretchesOf(emit).tails.get(node) ?? [];
  const rank = emit.shape(y()).length;
  const axis = outputAxis(node, rank);
  const flat = (value: string): string => emit.reshape(value, [-1]);
  let gain: string | undefined;
  let shift = biasOf(context);
  const scale = (by: string): void => {
    gain = gain === undefined ? by : emit.mul(gain, by);
    shift = shift === undefined ? undefined : emit.mul(shift, by);
  };
  const add = (by: string): void => {
    shift = shift === undefined ? by : emit.add(shift, by);
  };
  for (const step of tail) {
    if (step.op === "BatchNormalization") {
      const normalization = contextOf({ node: step, emit, dys: [], isDownstream: () => false, note: () => {} });
      const variance = emit.add(step.inputs[4]!, normalization.float("epsilon", 1e-5));
      const by = emit.div(step.inputs[1]!, emit.op("Sqrt", [variance]));
      scale(by);
      add(emit.sub(step.inputs[2]!, emit.mul(step.inputs[3]!, by)));
      continue;
    }
    const isFirst = stretchesOf(emit).isFixed(step.inputs[1]!);
    const other = flat(step.inputs[isFirst ? 1 : 0]!);
    if (step.op === "Add") add(other);
    else if (step.op === "Sub") add(emit.neg(other));
    else scale(step.op === "Mul" ? other : emit.op("Reciprocal", [other]));
  }
  const turned = context.int("transB", 0) === 1;
  const weightRank = emit.shape(x(1)).length;
  // Where the weight counts outputs: Conv and a turned Gemm first, the others behind.
  const first = node.op === "Conv" || (node.op === "Gemm" && turned);
  const along = first ? 0 : node.op === "ConvTranspose" ? 1 : weightRank - 1;
  const spread = Array.from({ length: weightRank }, (_, i) => (i === along ? -1 : 1));
  const outputs = Array.from({ length: rank - axis }, (_, i) => (i === 0 ? -1 : 1));
  const alpha = node.op === "Gemm" ? context.float("alpha", 1) : 1;
  const weight = gain === undefined ? x(1) : emit.mul(x(1), emit.reshape(gain, spread));
  return {
    x: x(),
    y: tail.at(-1)?.outputs[0] ?? y(),
    weight: alpha === 1 ? weight : emit.mul(weight, alpha),
    shift: shift === undefined ? undefined : emit.reshape(shift, outputs),
    forward: (value, by) => emit.op(node.op, [value, by], withoutScale(node)),
    backward: (s, by) => ordinary(s, withWeight(context, by))[0]!,
  };
}

/** Gemm's factors are merged into the weight and the bias. */
const withoutScale = ({ op, attributes: { alpha: _, beta: __, ...attributes }, attributes: all }: Node) =>
  op === "Gemm" ? attributes : all;

/** One number for each output, or one for all. */
function biasOf({ node, emit, x, float }: RuleContext): string | undefined {
  if (x(2) === "" || node.op === "MatMul") return undefined;
  const flat = emit.reshape(x(2), [-1]);
  const beta = node.op === "Gemm" ? float("beta", 1) : 1;
  return beta === 1 ? flat : emit.mul(flat, beta);
}

/** The context of a node whose weight is replaced by another of the same shape, with all factors in it. */
const withWeight = (context: RuleContext, weight: string): RuleContext => ({
  ...withInputs(context, new Map([[1, weight]])),
  node: { ...context.node, attributes: withoutScale(context.node) },
  float: (name, otherwise) => (name === "alpha" ? 1 : context.float(name, otherwise)),
  wants: (index) => index === 0,
});

/** What keeps denominators from 0 where nothing else is asked for. */
const LEAST = 1e-9;

/** z moved away from 0 by epsilon, on its own side. */
export function stabilized(emit: Emitter, z: string, epsilon: number = LEAST): string {
  const side = emit.where(emit.op("GreaterOrEqual", [z, 0]), epsilon, -epsilon);
  return emit.add(z, side);
}

const shifted = (emit: Emitter, z: string, { shift }: Linear): string => (shift === undefined ? z : emit.add(z, shift));

/** x W^T (R / z): what each input adds to the output. */
export function epsilonRule(emit: Emitter, r: string, linear: Linear, epsilon: number): string {
  const s = emit.div(r, stabilized(emit, linear.y, epsilon));
  return emit.mul(linear.x, linear.backward(s, linear.weight));
}

/** The same with W + gamma W+ in place of W. */
export function gammaRule(emit: Emitter, r: string, linear: Linear, gamma: number, epsilon: number): string {
  const weight = emit.add(linear.weight, emit.mul(emit.op("Relu", [linear.weight]), gamma));
  const z = shifted(emit, linear.forward(linear.x, weight), linear);
  return emit.mul(linear.x, linear.backward(emit.div(r, stabilized(emit, z, epsilon)), weight));
}

/**
 * Gamma for inputs and outputs of either sign (Andéol et al. 2021): what has the output's own sign is favoured, so that
 * denominators never come nearer to 0 than the output is. For inputs and outputs above 0 it is the gamma rule.
 */
export function signedGammaRule(
  emit: Emitter,
  r: string,
  { x, y, weight, forward, backward }: Linear,
  gamma: number,
  isPositive: boolean,
): string {
  const positive = emit.op("Relu", [weight]);
  const negative = emit.sub(weight, positive);
  const above = isPositive ? x : emit.op("Relu", [x]);
  const below = isPositive ? undefined : emit.sub(x, above);
  const alike = forward(above, positive);
  const up = below === undefined ? alike : emit.add(alike, forward(below, negative));
  // Without the bias, which is not favoured: what pulls down is the rest.
  const down = emit.sub(forward(x, weight), up);
  const [s, rising, falling] = signedShares(emit, r, y, up, down, gamma);
  const back = (by: string, one: string, other: string): string => {
    const part = emit.mul(above, backward(by, one));
    return below === undefined ? part : emit.add(part, emit.mul(below, backward(by, other)));
  };
  const favoured = emit.add(back(rising, positive, negative), back(falling, negative, positive));
  return emit.add(emit.mul(x, backward(s, weight)), emit.mul(favoured, gamma));
}

/** R / (y + gamma y+) where y is above 0, R / (y + gamma y-) elsewhere: all of it, and the two parts with 0 elsewhere. */
export function signedShares(
  emit: Emitter,
  r: string,
  y: string,
  up: string,
  down: string,
  gamma: number,
): readonly [string, string, string] {
  const isUp = emit.op("GreaterOrEqual", [y, 0]);
  const z = emit.add(y, emit.mul(emit.where(isUp, up, down), gamma));
  const s = emit.div(r, stabilized(emit, z));
  return [s, emit.where(isUp, s, 0), emit.where(isUp, 0, s)];
}

/** What speaks for an output and what speaks against it are shared apart: alpha of R goes to the first, -(alpha - 1) to the second. */
export function alphaBetaRule(
  emit: Emitter,
  r: string,
  linear: Linear,
  alpha: number,
  epsilon: number,
  isPositive: boolean,
): string {
  const { x, weight, shift, forward, backward } = linear;
  const positive = emit.op("Relu", [weight]);
  const negative = emit.sub(weight, positive);
  const above = isPositive ? x : emit.op("Relu", [x]);
  const below = isPositive ? undefined : emit.sub(x, above);
  /** The part of the outputs that `one` makes of what is above 0 and `other` of what is below. */
  const part = (factor: number, one: string, other: string, bias: string | undefined): string => {
    let z = forward(above, one);
    if (below !== undefined) z = emit.add(z, forward(below, other));
    if (bias !== undefined) z = emit.add(z, bias);
    const s = emit.div(emit.mul(r, factor), stabilized(emit, z, epsilon));
    const shared = emit.mul(above, backward(s, one));
    return below === undefined ? shared : emit.add(shared, emit.mul(below, backward(s, other)));
  };
  const up = shift === undefined ? undefined : emit.op("Relu", [shift]);
  const relevance = part(alpha, positive, negative, up);
  if (alpha === 1) return relevance;
  const down = shift === undefined || up === undefined ? undefined : emit.sub(shift, up);
  return emit.sub(relevance, part(alpha - 1, negative, positive, down));
}

/** For the pixels, which lie between `low` and `high` (zB): x w - low w+ - high w-, which is never below 0. */
export function boxRule(
  emit: Emitter,
  r: string,
  { x, weight, forward, backward }: Linear,
  [low, high]: readonly [string, string],
  epsilon: number,
): string {
  const positive = emit.op("Relu", [weight]);
  const negative = emit.sub(weight, positive);
  const [least, most] = [emit.expandLike(low, x), emit.expandLike(high, x)];
  const z = emit.sub(emit.sub(forward(x, weight), forward(least, positive)), forward(most, negative));
  const s = emit.div(r, stabilized(emit, z, epsilon));
  const down = emit.mul(least, backward(s, positive));
  return emit.sub(emit.sub(emit.mul(x, backward(s, weight)), down), emit.mul(most, backward(s, negative)));
}

/** A reduction or pool, which is linear without weights: x J^T (R / y). */
export const weightless =
  (ordinary: Rule): Rule =>
  (r, context) => {
    const { emit, x, y } = context;
    const part = ordinary(emit.div(r, stabilized(emit, y())), context)[0];
    return [typeof part === "string" ? emit.mul(x(), part) : part, null, null, null];
  };
