/** Normalizations: over batch statistics, over each picture's own numbers, and by fixed means. */
import { float32, sizeOf } from "../../../core/tensor.ts";
import { float, int, ints } from "../../../graph/builder.ts";
import type { Shape } from "../../../graph/graph.ts";
import type { EmitContext, KerasLayer, LayerEmitter } from "../layer.ts";
import { axisOf, shapeText, storedOrder, storedPermutation } from "./layout.ts";
import { numbersOf } from "./numbers.ts";
import { storedConstant } from "./operands.ts";
import { onlyInput, settingsOf, weightsOf } from "./settings.ts";

/** The one axis that holds the channels, in Keras' order, and its size. */
function channelAxis(layer: KerasLayer, context: EmitContext, value: string) {
  const shape = context.kerasShapeOf(value);
  const [axis, ...others] = settingsOf(layer, context).integers("axis", [-1]);
  if (axis === undefined || others.length > 0)
    return context.refuse(layer, `normalizes along ${others.length === 0 ? "no axis" : "several axes"}, expected one`);
  const at = axisOf(layer, context, axis, shape.length);
  const size = shape[at] ?? context.refuse(layer, `needs a fixed size of axis ${axis}, has [${shapeText(shape)}]`);
  return { axis: at, size, rank: shape.length };
}

/** Runs `body` on the value with the channel axis turned to place 1, and turns the result back. */
function withAxisFirst(
  context: EmitContext,
  value: string,
  axis: number,
  rank: number,
  body: (value: string) => string,
): string {
  const stored = context.storedAxis(axis, rank);
  if (stored === 1) return body(value);
  const rest = Array.from({ length: rank }, (_, i) => i).filter((i) => i !== 0 && i !== stored);
  const perm = [0, stored, ...rest];
  const turn = (x: string, order: readonly number[]): string =>
    context.build.node("Transpose", [x], { attributes: { perm: ints(order) } });
  return turn(
    body(turn(value, perm)),
    perm.map((_, i) => perm.indexOf(i)),
  );
}

const filled = (context: EmitContext, size: number, value: number): string =>
  context.build.constant(float32([size], new Float32Array(size).fill(value)));

/** gamma and beta, or ones and zeros where the layer has none. */
const gammaAndBeta = (layer: KerasLayer, context: EmitContext) => {
  const settings = settingsOf(layer, context);
  return { scale: settings.flag("scale", true), center: settings.flag("center", true) };
};

export const BatchNormalization: LayerEmitter = (layer, { inputs }, context) => {
  const settings = settingsOf(layer, context);
  const input = onlyInput(layer, inputs, context);
  const { axis, size, rank } = channelAxis(layer, context, input);
  const { scale, center } = gammaAndBeta(layer, context);
  const names = [...(scale ? ["gamma"] : []), ...(center ? ["beta"] : []), "~moving_mean", "~moving_variance"];
  // Renormalization keeps more statistics, which are not used after training.
  if (settings.flag("renorm", false) && layer.weights.length > names.length)
    names.push("~moving_stddev", "~renorm_mean", "~renorm_stddev");
  const weights = weightsOf(
    layer,
    context,
    names.map((name) => [name, [size]] as const),
  );
  const gamma = scale ? weights.value("gamma") : filled(context, size, 1);
  const beta = center ? weights.value("beta") : filled(context, size, 0);
  const statistics = [weights.value("moving_mean"), weights.value("moving_variance")];
  const epsilon = settings.number("epsilon", 1e-3);
  const output = withAxisFirst(context, input, axis, rank, (x) =>
    context.build.node("BatchNormalization", [x, gamma, beta, ...statistics], {
      attributes: { epsilon: float(epsilon) },
    }),
  );
  return { outputs: [output], weights: weights.records };
};

export const GroupNormalization: LayerEmitter = (layer, { inputs }, context) => {
  const settings = settingsOf(layer, context);
  const input = onlyInput(layer, inputs, context);
  const { axis, size, rank } = channelAxis(layer, context, input);
  const { scale, center } = gammaAndBeta(layer, context);
  const [given = 32] = settings.integers("groups", [32]);
  const groups = given === -1 ? size : given;
  if (groups < 1 || size % groups !== 0) context.invalid(layer, `has ${given} groups for ${size} channels`);
  const weights = weightsOf(layer, context, [
    ...(scale ? [["gamma", [size]] as const] : []),
    ...(center ? [["beta", [size]] as const] : []),
  ]);
  const gamma = scale ? weights.value("gamma") : filled(context, size, 1);
  const beta = center ? weights.value("beta") : filled(context, size, 0);
  const attributes = { num_groups: int(groups), epsilon: float(settings.number("epsilon", 1e-3)) };
  const output = withAxisFirst(context, input, axis, rank, (x) =>
    context.build.node("GroupNormalization", [x, gamma, beta], { attributes }),
  );
  return { outputs: [output], weights: weights.records };
};

/** The axes of a list, in Keras' order and rising. */
function axesOf(layer: KerasLayer, context: EmitContext, rank: number): readonly number[] {
  const axes = settingsOf(layer, context)
    .integers("axis", [-1])
    .map((axis) => axisOf(layer, context, axis, rank));
  return [...new Set(axes)].sort((a, b) => a - b);
}

/** The sizes of these axes, which the layer's weights have too. Throws where the model leaves one open. */
const fixedSizes = (layer: KerasLayer, context: EmitContext, shape: Shape, axes: readonly number[]): number[] =>
  axes.map(
    (axis) =>
      shape[axis] ?? context.refuse(layer, `normalizes axis ${axis} of [${shapeText(shape)}], which is not fixed`),
  );

/** ONNX normalizes the axes at the end of the order; other choices are turned there. */
export const LayerNormalization: LayerEmitter = (layer, { inputs }, context) => {
  const { build } = context;
  const settings = settingsOf(layer, context);
  const input = onlyInput(layer, inputs, context);
  const shape = context.kerasShapeOf(input);
  const axes = axesOf(layer, context, shape.length);
  const sizes = fixedSizes(layer, context, shape, axes);
  if (settings.flag("rms_scaling", false)) context.refuse(layer, "has rms_scaling, which is not supported");
  const { scale, center } = gammaAndBeta(layer, context);
  const weights = weightsOf(layer, context, [
    ...(scale ? [["gamma", sizes] as const] : []),
    ...(center ? [["beta", sizes] as const] : []),
  ]);
  const ones = build.constant.bind(build, float32(sizes, new Float32Array(sizeOf(sizes)).fill(1)));
  const parameters = [scale ? weights.value("gamma") : ones(), ...(center ? [weights.value("beta")] : [])];
  const attributes = { axis: int(-axes.length), epsilon: float(settings.number("epsilon", 1e-3)) };
  const order = [...shape.keys()].filter((axis) => !axes.includes(axis)).concat(axes);
  const turn = (x: string, perm: readonly number[]): string =>
    perm.every((axis, i) => axis === i) ? x : build.node("Transpose", [x], { attributes: { perm: ints(perm) } });
  const normalized = build.node("LayerNormalization", [turn(context.toKeras(input), order), ...parameters], {
    attributes,
  });
  const back = order.map((_, i) => order.indexOf(i));
  return { outputs: [context.fromKeras(turn(normalized, back))], weights: weights.records };
};

/** x / sqrt(mean of x^2 + epsilon) * scale */
export const RMSNormalization: LayerEmitter = (layer, { inputs }, context) => {
  const { build } = context;
  const input = onlyInput(layer, inputs, context);
  const shape = context.kerasShapeOf(input);
  const axes = axesOf(layer, context, shape.length);
  const sizes = fixedSizes(layer, context, shape, axes);
  const weights = weightsOf(layer, context, [["scale", sizes]]);
  const broadcast = storedOrder(
    context,
    shape.map((_, axis) => sizes[axes.indexOf(axis)] ?? 1),
  );
  const stored = build.ints(axes.map((axis) => context.storedAxis(axis, shape.length)));
  const mean = build.node("ReduceMean", [build.node("Mul", [input, input]), stored]);
  const epsilon = build.scalar(settingsOf(layer, context).number("epsilon", 1e-6));
  const normalized = build.node("Div", [input, build.node("Sqrt", [build.node("Add", [mean, epsilon])])]);
  const order = storedPermutation(context, shape.length).filter((axis) => axes.includes(axis));
  const scale = weights.value("scale", { axes: order.map((axis) => axes.indexOf(axis)), shape: broadcast });
  return { outputs: [build.node("Mul", [normalized, scale])], weights: weights.records };
};

/** x / max(norm, 1e-12) */
export const UnitNormalization: LayerEmitter = (layer, { inputs }, context) => {
  const { build } = context;
  const input = onlyInput(layer, inputs, context);
  const rank = context.kerasShapeOf(input).length;
  const axes = build.ints(axesOf(layer, context, rank).map((axis) => context.storedAxis(axis, rank)));
  const norm = build.node("ReduceL2", [input, axes]);
  const output = build.node("Div", [input, build.node("Max", [norm, build.scalar(1e-12)])]);
  return { outputs: [output], weights: context.weightRecords(layer, []) };
};

/**
 * (x - mean) / max(sqrt(variance), 1e-7), mean and variance learned from data (weights) or given in the configuration.
 * `invert` turns it round. `axis` names the axes that have their own mean; none: one for all.
 */
export const Normalization: LayerEmitter = (layer, { inputs }, context) => {
  const { build } = context;
  const input = onlyInput(layer, inputs, context);
  const shape = context.kerasShapeOf(input);
  const axes = layer.config.axis === null ? [] : axesOf(layer, context, shape.length);
  const kept = fixedSizes(layer, context, shape, axes);
  const sizes = shape.map((_, axis) => kept[axes.indexOf(axis)] ?? 1);
  let [mean, variance]: readonly string[] = [];
  let records: ReturnType<LayerEmitter>["weights"] = [];
  if ((layer.config.mean ?? null) !== null) {
    records = context.weightRecords(layer, []);
    const constant = (key: string): string => {
      const { data } = numbersOf(layer.config[key]) ?? context.invalid(layer, `has no numbers in ${key}`);
      if (data.length === 1) return build.scalar(data[0]!);
      if (data.length !== sizeOf(sizes))
        context.invalid(layer, `has ${data.length} numbers in ${key}, expected ${sizeOf(sizes)}`);
      return storedConstant(context, float32(sizes, data));
    };
    [mean, variance] = [constant("mean"), constant("variance")];
  } else {
    const names = ["~mean", "~variance", ...(layer.weights.length === 3 ? ["~count"] : [])];
    const weights = weightsOf(
      layer,
      context,
      names.map((name) => [name, name === "~count" ? [] : kept] as const),
    );
    records = weights.records;
    const order = storedPermutation(context, shape.length).filter((axis) => axes.includes(axis));
    const wish = { axes: order.map((axis) => axes.indexOf(axis)), shape: storedOrder(context, sizes) };
    [mean, variance] = [weights.value("mean", wish), weights.value("variance", wish)];
  }
  const deviation = build.node("Max", [build.node("Sqrt", [variance!]), build.scalar(1e-7)]);
  const output = settingsOf(layer, context).flag("invert", false)
    ? build.node("Add", [build.node("Mul", [input, deviation]), mean!])
    : build.node("Div", [build.node("Sub", [input, mean!]), deviation]);
  return { outputs: [output], weights: records };
};
