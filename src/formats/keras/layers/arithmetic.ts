/** Operations that compute: arithmetic with broadcasting, functions, sums along axes. By Keras 3's class name. */
import { int } from "../../../graph/builder.ts";
import type { EmitContext } from "../layer.ts";
import { type ActivationFunction, clip, functions, leakyRelu, operator } from "./functions.ts";
import { numbersOf } from "./numbers.ts";
import { operandOf } from "./operands.ts";
import { activation, flag, isValue, type Operation, of, operand, withArguments } from "./operation.ts";
import { settingsOf } from "./settings.ts";

const named = (name: string, parameters?: string): Operation => activation(functions[name]!, parameters);
const plain = (op: string): Operation => activation(operator(op));

/** Two operands, values or numbers, broadcast as NumPy does: missing axes are put before. */
const binary = (op: string, swapped = false): Operation =>
  of("x1 x2", ({ get, layer, context }) => {
    const operands = ["x1", "x2"].map((name) => get(name) ?? null);
    const shapes = operands.map((given) => (isValue(given) ? context.kerasShapeOf(given.value) : []));
    const arrays = operands.map((given) => (isValue(given) ? undefined : numbersOf(given)));
    const rank = Math.max(...shapes.map((shape) => shape.length), ...arrays.map((array) => array?.dims.length ?? 0));
    const names = operands.map((given, i) => {
      if (isValue(given)) return broadcastTo(context, given.value, rank);
      const array = arrays[i] ?? context.refuse(layer, `takes ${JSON.stringify(given)}, expected a value or numbers`);
      return operandOf(context, array, rank);
    });
    return context.build.node(op, swapped ? names.toReversed() : names);
  });

function broadcastTo(context: EmitContext, value: string, rank: number): string {
  const own = context.kerasShapeOf(value).length;
  if (own === rank || own === 0) return value;
  const added = context.build.ints(Array.from({ length: rank - own }, (_, i) => i));
  return context.fromKeras(context.build.node("Unsqueeze", [context.toKeras(value), added]));
}

/** A reduction over `axis` (none: all but nothing is kept, the batch too, which no picture's pass can have). */
const reduction = (op: string): Operation =>
  of("x axis keepdims", (bound) => {
    const { layer, context, x, rank, axes: asked } = operand(bound);
    const axes = asked();
    if (!axes || axes.includes(0)) return context.refuse(layer, "works across the pictures of a batch");
    const keep = flag(bound, "keepdims");
    const { build } = context;
    // Where axes vanish and four do not stay, what stays must be in Keras' order.
    const isSafe = keep || rank !== 4 || keptInOrder(context, axes);
    const from = isSafe ? x : context.toKeras(x);
    const list = isSafe ? axes.map((axis) => context.storedAxis(axis, rank)) : axes;
    const y = build.node(op, [from, build.ints(list)], { attributes: { keepdims: int(keep ? 1 : 0) } });
    return keep ? y : context.fromKeras(y);
  });

/** Whether the axes that a reduction leaves stand in the same order as Keras has them. */
function keptInOrder(context: EmitContext, axes: readonly number[]): boolean {
  const kept = [0, 1, 2, 3].filter((axis) => !axes.includes(axis)).map((axis) => context.storedAxis(axis, 4));
  return kept.every((axis, i) => i === 0 || axis > kept[i - 1]!);
}

/** x above the threshold, else another number. */
const threshold: ActivationFunction = (x, layer, context) => {
  const { build } = context;
  const settings = settingsOf(layer, context);
  const limit = build.scalar(settings.number("threshold", 0));
  return build.node("Where", [build.node("Greater", [x, limit]), x, build.scalar(settings.number("default_value", 0))]);
};

export const arithmetic: Readonly<Record<string, Operation>> = {
  Absolute: plain("Abs"),
  Add: binary("Add"),
  Average: of("x axis", (bound) => reduction("ReduceMean").emit(bound)[0]!),
  Cast: of("x dtype", (bound) => {
    const to = bound.get("dtype");
    if (typeof to === "string" && !/^b?float(16|32|64)$/.test(to))
      return bound.context.refuse(bound.layer, `converts to ${to}, only floating-point numbers are supported`);
    return bound.context.build.node("Identity", [bound.value("x")]);
  }),
  Celu: named("celu", "alpha"),
  Ceil: plain("Ceil"),
  Clip: of("x x_min x_max", ({ value, get, layer, context }) => {
    const [least, most] = [get("x_min"), get("x_max")];
    if (typeof least !== "number" || typeof most !== "number")
      return context.refuse(layer, "has bounds that are no numbers");
    return clip(context, value("x"), least, most);
  }),
  Divide: binary("Div"),
  Elu: named("elu", "alpha"),
  Cos: plain("Cos"),
  Erf: plain("Erf"),
  Exp: plain("Exp"),
  Floor: plain("Floor"),
  Gelu: named("gelu", "approximate"),
  Glu: named("glu", "axis"),
  HardShrink: named("hard_shrink", "threshold"),
  HardSigmoid: named("hard_sigmoid"),
  HardSilu: named("hard_silu"),
  HardTanh: named("hard_tanh"),
  Identity: plain("Identity"),
  LeakyRelu: activation(leakyRelu(0.2), "negative_slope"),
  Log: plain("Log"),
  LogSigmoid: named("log_sigmoid"),
  LogSoftmax: named("log_softmax", "axis"),
  Matmul: of("x1 x2", ({ value, context }) =>
    context.fromKeras(context.build.node("MatMul", [context.toKeras(value("x1")), context.toKeras(value("x2"))])),
  ),
  Max: reduction("ReduceMax"),
  Maximum: binary("Max"),
  Mean: reduction("ReduceMean"),
  Min: reduction("ReduceMin"),
  Minimum: binary("Min"),
  Multiply: binary("Mul"),
  Negative: plain("Neg"),
  Normalize: of("x axis order epsilon", (bound) => {
    const { layer, context, x, rank, axes: asked } = operand(bound);
    const axes = (asked() ?? [rank - 1]).map((axis) => context.storedAxis(axis, rank));
    if ((bound.get("order") ?? 2) !== 2) context.refuse(layer, "normalizes by another norm than the Euclidean");
    const least = settingsOf(withArguments(bound, ["epsilon"]), context).number("epsilon", 1e-7);
    const norm = context.build.node("ReduceL2", [x, context.build.ints(axes)]);
    return context.build.node("Div", [x, context.build.node("Max", [norm, context.build.scalar(least)])]);
  }),
  Power: binary("Pow"),
  ReLU: named("relu", "negative_slope max_value threshold"),
  Reciprocal: plain("Reciprocal"),
  Relu: named("relu"),
  Relu6: named("relu6"),
  Rsqrt: of("x", ({ value, context: { build } }) => build.node("Reciprocal", [build.node("Sqrt", [value("x")])])),
  Selu: named("selu"),
  Sigmoid: named("sigmoid"),
  Sign: plain("Sign"),
  Silu: named("silu"),
  Sin: plain("Sin"),
  SoftShrink: named("soft_shrink", "threshold"),
  Softmax: named("softmax", "axis"),
  Softplus: named("softplus"),
  Softsign: named("softsign"),
  SparsePlus: named("sparse_plus"),
  SparseSigmoid: named("sparse_sigmoid"),
  Sparsemax: named("sparsemax", "axis"),
  Sqrt: plain("Sqrt"),
  Square: of("x", ({ value, context: { build } }) => build.node("Mul", [value("x"), value("x")])),
  Squareplus: named("squareplus", "b"),
  StopGradient: plain("Identity"),
  Subtract: binary("Sub"),
  Sum: reduction("ReduceSum"),
  Tanh: named("tanh"),
  TanhShrink: named("tanh_shrink"),
  Threshold: activation(threshold, "threshold default_value"),
  TrueDivide: binary("Div"),
};
