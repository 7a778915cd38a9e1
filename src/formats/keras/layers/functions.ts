/**
 * Keras' activation functions by name, as graph nodes. Most are one ONNX operator. Each reads its parameters from the
 * configuration it is given: that of a layer (`ELU`), of an operation, or an empty one where only the name is known.
 */
import { nearest } from "../../../core/nearest.ts";
import { float32 } from "../../../core/tensor.ts";
import { float, int, text } from "../../../graph/builder.ts";
import type { Attribute } from "../../../graph/graph.ts";
import type { Config, EmitContext, KerasLayer } from "../layer.ts";
import { axisOf } from "./layout.ts";
import { settingsOf } from "./settings.ts";

/** Appends the function of `x`, elementwise or along an axis; the order of axes stays. */
export type ActivationFunction = (x: string, layer: KerasLayer, context: EmitContext) => string;

/** An operator without parameters, or with the same ones always. */
export const operator =
  (op: string, attributes: Readonly<Record<string, Attribute>> = {}): ActivationFunction =>
  (x, _, { build }) =>
    build.node(op, [x], { attributes });

/** Clip between two numbers, either of which may be left out. */
export const clip = ({ build }: EmitContext, x: string, least?: number, most?: number): string =>
  build.node("Clip", [
    x,
    least === undefined ? "" : build.scalar(least),
    ...(most === undefined ? [] : [build.scalar(most)]),
  ]);

const clipped =
  (least: number, most: number): ActivationFunction =>
  (x, _, context) =>
    clip(context, x, least, most);

/** relu(x) = min(x, max_value) above the threshold, negative_slope * (x - threshold) below. */
export const relu: ActivationFunction = (x, layer, context) => {
  const settings = settingsOf(layer, context);
  const slope = settings.number("negative_slope", 0);
  const threshold = settings.number("threshold", 0);
  const most = settings.optional("max_value");
  const { build } = context;
  if (threshold === 0 && slope === 0) return most === undefined ? build.node("Relu", [x]) : clip(context, x, 0, most);
  let y: string;
  if (threshold === 0) y = build.node("LeakyRelu", [x], { attributes: { alpha: float(slope) } });
  else {
    const limit = build.scalar(threshold);
    const below =
      slope === 0 ? build.scalar(0) : build.node("Mul", [build.node("Sub", [x, limit]), build.scalar(slope)]);
    y = build.node("Where", [build.node("Greater", [x, limit]), x, below]);
  }
  return most === undefined ? y : clip(context, y, undefined, most);
};

const alphaOperator =
  (op: string): ActivationFunction =>
  (x, layer, context) =>
    context.build.node(op, [x], { attributes: { alpha: float(settingsOf(layer, context).number("alpha", 1)) } });

export const elu: ActivationFunction = alphaOperator("Elu");

/** `negative_slope` in Keras 3, `alpha` before. */
export const leakyRelu =
  (otherwise: number): ActivationFunction =>
  (x, layer, context) => {
    const settings = settingsOf(layer, context);
    const slope = settings.optional("negative_slope") ?? settings.number("alpha", otherwise);
    return context.build.node("LeakyRelu", [x], { attributes: { alpha: float(slope) } });
  };

const silu: ActivationFunction = (x, _, { build }) => build.node("Mul", [x, build.node("Sigmoid", [x])]);

/** Keras 3: relu6(x + 3) / 6. Before: 0.2 x + 0.5, cut to 0 … 1. */
const hardSigmoid: ActivationFunction = (x, _, { build, kerasVersion }) =>
  build.node("HardSigmoid", [x], { attributes: { alpha: float(kerasVersion >= 3 ? 1 / 6 : 0.2), beta: float(0.5) } });

const gelu: ActivationFunction = (x, layer, context) => {
  const approximate = settingsOf(layer, context).flag("approximate", false);
  return context.build.node("Gelu", [x], { attributes: { approximate: text(approximate ? "tanh" : "none") } });
};

/** The axis an along-axis function works on, as the graph stores it, and its length. */
function alongAxis(x: string, layer: KerasLayer, context: EmitContext) {
  const rank = context.kerasShapeOf(x).length;
  const [axis, ...others] = settingsOf(layer, context).integers("axis", [-1]);
  if (axis === undefined || others.length > 0) return context.refuse(layer, "works along several axes at once");
  const stored = context.storedAxis(axisOf(layer, context, axis, rank), rank);
  return { stored, rank, size: context.shapeOf(x)[stored] ?? null };
}

const alongOperator =
  (op: string): ActivationFunction =>
  (x, layer, context) =>
    context.build.node(op, [x], { attributes: { axis: int(alongAxis(x, layer, context).stored) } });

/** Over several axes (the Softmax layer takes a list): exp(x - max) / sum of exp(x - max). */
export const softmax: ActivationFunction = (x, layer, context) => {
  const axes = settingsOf(layer, context).integers("axis", [-1]);
  if (axes.length === 1) return alongOperator("Softmax")(x, layer, context);
  const { build } = context;
  const rank = context.kerasShapeOf(x).length;
  const stored = build.ints(axes.map((axis) => context.storedAxis(axisOf(layer, context, axis, rank), rank)));
  const exp = build.node("Exp", [build.node("Sub", [x, build.node("ReduceMax", [x, stored])])]);
  return build.node("Div", [exp, build.node("ReduceSum", [exp, stored])]);
};

/** The first half times the sigmoid of the second. */
const glu: ActivationFunction = (x, layer, context) => {
  const [a, b] = context.build.nodes("Split", [x], {
    outputs: 2,
    attributes: { axis: int(alongAxis(x, layer, context).stored), num_outputs: int(2) },
  });
  return context.build.node("Mul", [a!, context.build.node("Sigmoid", [b!])]);
};

const shrink =
  (bias: (threshold: number) => number): ActivationFunction =>
  (x, layer, context) => {
    const threshold = settingsOf(layer, context).number("threshold", 0.5);
    return context.build.node("Shrink", [x], { attributes: { lambd: float(threshold), bias: float(bias(threshold)) } });
  };

/** 0 up to -1, (x + 1)^2 / 4 up to 1, then x. */
const sparsePlus: ActivationFunction = (x, _, context) => {
  const { build } = context;
  const ramp = clip(context, build.node("Add", [x, build.scalar(1)]), 0);
  const bend = build.node("Mul", [build.node("Mul", [ramp, ramp]), build.scalar(0.25)]);
  return build.node("Where", [build.node("Less", [x, build.scalar(1)]), bend, x]);
};

/** (x + sqrt(x^2 + b)) / 2 */
const squareplus: ActivationFunction = (x, layer, context) => {
  const { build } = context;
  const b = build.scalar(settingsOf(layer, context).number("b", 4));
  const root = build.node("Sqrt", [build.node("Add", [build.node("Mul", [x, x]), b])]);
  return build.node("Mul", [build.node("Add", [x, root]), build.scalar(0.5)]);
};

/**
 * As Keras computes it: the numbers in falling order z, their running sums c, S = {k: z_k > (c_k - 1) / k},
 * tau = (sum of c over S - 1) / |S|, max(x - tau, 0). (The paper, arXiv 1602.02068, takes the last c of S for the sum.)
 */
const sparsemax: ActivationFunction = (x, layer, context) => {
  const { stored, size, rank } = alongAxis(x, layer, context);
  if (size === null) return context.refuse(layer, "needs a fixed size along its axis for sparsemax");
  const { build } = context;
  const axes = build.ints([stored]);
  const [z] = build.nodes("TopK", [x, build.ints([size])], { outputs: 2, attributes: { axis: int(stored) } });
  const sums = build.node("CumSum", [z!, axes]);
  const one = build.scalar(1);
  const counts = float32(
    Array.from({ length: rank }, (_, axis) => (axis === stored ? size : 1)),
    Float32Array.from({ length: size }, (_, i) => i + 1),
  );
  const floor = build.node("Div", [build.node("Sub", [sums, one]), build.constant(counts)]);
  const inside = build.node("Greater", [z!, floor]);
  const total = build.node("ReduceSum", [build.node("Where", [inside, sums, build.scalar(0)]), axes]);
  const count = build.node("ReduceSum", [build.node("Cast", [inside], { attributes: { to: int(1) } }), axes]);
  const tau = build.node("Div", [build.node("Sub", [total, one]), count]);
  return build.node("Relu", [build.node("Sub", [x, tau])]);
};

export const functions: Readonly<Record<string, ActivationFunction>> = {
  celu: alphaOperator("Celu"),
  elu,
  exponential: operator("Exp"),
  gelu,
  glu,
  hard_shrink: shrink(() => 0),
  hard_sigmoid: hardSigmoid,
  hard_silu: operator("HardSwish"),
  hard_swish: operator("HardSwish"),
  hard_tanh: clipped(-1, 1),
  leaky_relu: leakyRelu(0.2),
  linear: operator("Identity"),
  log_sigmoid: (x, _, { build }) => build.node("Neg", [build.node("Softplus", [build.node("Neg", [x])])]),
  log_softmax: alongOperator("LogSoftmax"),
  mish: operator("Mish"),
  relu,
  relu6: clipped(0, 6),
  selu: operator("Selu"),
  sigmoid: operator("Sigmoid"),
  silu,
  soft_shrink: shrink((limit) => limit),
  softmax,
  softplus: operator("Softplus"),
  softsign: operator("Softsign"),
  sparse_plus: sparsePlus,
  sparse_sigmoid: operator("HardSigmoid", { alpha: float(0.5), beta: float(0.5) }),
  sparsemax,
  squareplus,
  swish: silu,
  tanh: operator("Tanh"),
  tanh_shrink: (x, _, { build }) => build.node("Sub", [x, build.node("Tanh", [x])]),
};

/** Activation layers given as `activation=LeakyReLU(…)`, by class name; those with weights cannot be. */
const layerFunctions: Readonly<Record<string, ActivationFunction>> = {
  ReLU: relu,
  LeakyReLU: leakyRelu(0.3),
  ELU: elu,
  Softmax: softmax,
};

/**
 * The layer's activation behind `x`; `x` itself for none and "linear". Throws `model-unsupported` for a function that
 * is not Keras' own.
 */
export function activate(layer: KerasLayer, context: EmitContext, x: string, key = "activation"): string {
  const given = layer.config[key] ?? "linear";
  const { name, config } = named(given);
  if (name === "linear") return x;
  const made = Object.hasOwn(functions, name)
    ? functions[name]
    : Object.hasOwn(layerFunctions, name)
      ? layerFunctions[name]
      : undefined;
  if (made) return made(x, { ...layer, config }, context);
  const near = nearest(name, Object.keys(functions));
  const hint = near.length > 0 ? `; nearest: ${near.map((one) => `"${one}"`).join(", ")}` : "";
  return context.refuse(layer, `has the activation ${JSON.stringify(given)}, no function of Keras itself${hint}`);
}

/** "relu"; Keras 3's {class_name: "function", config: "relu"}; or a layer, {class_name: "LeakyReLU", config: {…}}. */
function named(given: unknown): { readonly name: string; readonly config: Config } {
  if (typeof given === "string") return { name: given, config: {} };
  if (typeof given !== "object" || given === null) return { name: "", config: {} };
  const { class_name: className, config } = given as Config;
  if (typeof config === "string") return { name: config, config: {} };
  if (typeof className !== "string") return { name: "", config: {} };
  return { name: className, config: (config ?? {}) as Config };
}
