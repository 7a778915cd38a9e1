/** Activation functions. Masks are `step`s: with Mul they cost a third of Where (docs/speed.md). */
import type { Emitter } from "../emitter.ts";
import { foldTo } from "../gradient.ts";
import type { Rule } from "../rule.ts";

/**
 * dy times a slope that depends on y alone. Where dy was unpooled from maxima of y, the slopes at the maxima are taken
 * before: a quarter of the numbers, or fewer.
 */
function sloped(emit: Emitter, dy: string, y: string, slope: (y: string) => string): string {
  const unpool = emit.origin(dy);
  const [below, indices = "", ...rest] = unpool?.inputs ?? [];
  const pool = emit.origin(indices);
  if (unpool?.op !== "MaxUnpool" || pool?.op !== "MaxPool" || pool.inputs[0] !== y) return emit.mul(dy, slope(y));
  const passed = emit.mul(below!, slope(pool.outputs[0]!));
  return emit.op("MaxUnpool", [passed, indices, ...rest], unpool.attributes);
}

/** ReLU'(0) = 0, as in PyTorch and TensorFlow. */
export const Relu: Rule = (dy, { emit, y }) => [sloped(emit, dy, y(), emit.step)];

/**
 * Clip(0, c) counts as ReLU6: nothing passes at its bounds. Any other Clip passes at its bounds, as in PyTorch. The
 * first asks what came out, not what went in, so that the engine may still fuse the Clip with the convolution before it.
 */
export const Clip: Rule = (dy, { emit, x, y, wants }) => {
  const [low, high] = [x(1), x(2)];
  if (low !== "" && emit.known(low)?.[0] === 0 && !wants(2)) {
    const inside = (value: string): string => (high === "" ? value : emit.mul(value, emit.sub(high, value)));
    return [sloped(emit, dy, y(), (value) => emit.step(inside(value)))];
  }
  const held = [
    low === "" ? null : emit.mul(dy, emit.step(emit.sub(low, x()))),
    high === "" ? null : emit.mul(dy, emit.step(emit.sub(x(), high))),
  ];
  const passed = held.reduce<string>((rest, part) => (part ? emit.sub(rest, part) : rest), dy);
  const bounds = held.map((part, i) => (part && wants(i + 1) ? foldTo(emit, part, emit.shape(x()), x(i + 1)) : null));
  return [passed, ...bounds];
};
/** 1 outside [-lambd, lambd]. */
export const Shrink: Rule = (dy, { emit, x, float }) => {
  const lambd = float("lambd", 0.5);
  const outside = emit.add(emit.step(emit.sub(x(), lambd)), emit.step(emit.sub(-lambd, x())));
  return [emit.mul(dy, outside)];
};

/** slope + (1 - slope) [x > 0] */
export const LeakyRelu: Rule = (dy, { emit, x, float }) => {
  const slope = float("alpha", 0.01);
  return [emit.mul(dy, emit.add(emit.mul(emit.step(x()), 1 - slope), slope))];
};
export const PRelu: Rule = (dy, { emit, x, wants }) => {
  const on = emit.step(x());
  const dx = emit.mul(dy, emit.add(on, emit.mul(emit.sub(1, on), x(1))));
  return [dx, wants(1) ? emit.mul(dy, emit.op("Min", [x(), 0])) : null];
};
export const ThresholdedRelu: Rule = (dy, { emit, x, float }) => [
  emit.mul(dy, emit.step(emit.sub(x(), float("alpha", 1)))),
];

/** `right` where x > 0, else y + `left`: the slope of all exponential units, whose y + left is proportional to e^x. */
const exponential =
  (
    right: (alpha: number, gamma: number) => number,
    left: (alpha: number, gamma: number) => number,
    defaults: readonly [number, number],
  ): Rule =>
  (dy, { emit, x, y, float }) => {
    const [alpha, gamma] = [float("alpha", defaults[0]), float("gamma", defaults[1])];
    const on = emit.step(x());
    const off = emit.mul(emit.sub(1, on), emit.add(y(), left(alpha, gamma)));
    return [emit.mul(dy, emit.add(emit.mul(on, right(alpha, gamma)), off))];
  };
export const Elu: Rule = exponential(
  () => 1,
  (alpha) => alpha,
  [1, 1],
);
export const Selu: Rule = exponential(
  (_, gamma) => gamma,
  (alpha, gamma) => alpha * gamma,
  [1.6732631921768188, 1.0507010221481323],
);
/** y = max(0, x) + min(0, alpha (e^(x / alpha) - 1)): on the left y' = y / alpha + 1. */
export const Celu: Rule = (dy, { emit, x, y, float }) => {
  const on = emit.step(x());
  const left = emit.add(emit.div(y(), float("alpha", 1)), 1);
  return [emit.mul(dy, emit.add(on, emit.mul(emit.sub(1, on), left)))];
};

export const Sigmoid: Rule = (dy, { emit, y }) => [emit.mul(dy, emit.mul(y(), emit.sub(1, y())))];
export const Tanh: Rule = (dy, { emit, y }) => [emit.mul(dy, emit.sub(1, emit.mul(y(), y())))];
export const Softplus: Rule = (dy, { emit, x }) => [emit.mul(dy, emit.op("Sigmoid", [x()]))];
export const Softsign: Rule = (dy, { emit, x }) => {
  const below = emit.add(emit.op("Abs", [x()]), 1);
  return [emit.div(dy, emit.mul(below, below))];
};
/** alpha strictly between the two bounds of y, 0 and 1. */
export const HardSigmoid: Rule = (dy, { emit, y, float }) => {
  const inside = emit.step(emit.mul(y(), emit.sub(1, y())));
  return [emit.mul(emit.mul(dy, float("alpha", 0.2)), inside)];
};
/** y = x h, h = clip(x/6 + 1/2, 0, 1). */
export const HardSwish: Rule = (dy, { emit, x }) => {
  const inside = emit.step(emit.mul(emit.add(x(), 3), emit.sub(3, x())));
  const h = emit.op("Clip", [emit.add(emit.div(x(), 6), 0.5), 0, 1]);
  return [emit.mul(dy, emit.add(h, emit.mul(emit.div(x(), 6), inside)))];
};
/** y = x tanh(softplus(x)) */
export const Mish: Rule = (dy, { emit, x }) => {
  const t = emit.op("Tanh", [emit.op("Softplus", [x()])]);
  const slope = emit.mul(emit.sub(1, emit.mul(t, t)), emit.op("Sigmoid", [x()]));
  return [emit.mul(dy, emit.add(t, emit.mul(x(), slope)))];
};
/** y = x F(x) with F the normal distribution function; or its tanh approximation. */
export const Gelu: Rule = (dy, { emit, x, text }) => {
  const square = emit.mul(x(), x());
  if (text("approximate", "none") === "tanh") {
    // u = c (x + 0.044715 x^3), y = x (1 + tanh u) / 2
    const c = Math.sqrt(2 / Math.PI);
    const u = emit.mul(emit.mul(x(), emit.add(emit.mul(square, 0.044715), 1)), c);
    const t = emit.op("Tanh", [u]);
    const du = emit.mul(emit.add(emit.mul(square, 3 * 0.044715), 1), c);
    const bent = emit.mul(emit.mul(x(), emit.sub(1, emit.mul(t, t))), du);
    return [emit.mul(dy, emit.mul(emit.add(emit.add(t, 1), bent), 0.5))];
  }
  const distribution = emit.mul(emit.add(emit.op("Erf", [emit.mul(x(), Math.SQRT1_2)]), 1), 0.5);
  const density = emit.mul(emit.op("Exp", [emit.mul(square, -0.5)]), 1 / Math.sqrt(2 * Math.PI));
  return [emit.mul(dy, emit.add(distribution, emit.mul(x(), density)))];
};
