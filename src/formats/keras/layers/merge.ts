/** Layers that combine several values. */
import { int } from "../../../graph/builder.ts";
import type { EmitContext, LayerCall, LayerEmitter } from "../layer.ts";
import { axisOf, shapeText } from "./layout.ts";
import { operation } from "./operations.ts";
import { settingsOf } from "./settings.ts";

/**
 * Values brought to the same number of axes: Keras puts new ones behind the batch, so [batch, channels] beside
 * [batch, height, width, channels] counts as [batch, 1, 1, channels].
 */
function aligned(inputs: readonly string[], context: EmitContext): readonly string[] {
  const ranks = inputs.map((value) => context.kerasShapeOf(value).length);
  const rank = Math.max(...ranks);
  return inputs.map((value, i) => {
    if (ranks[i] === rank) return value;
    const added = context.build.ints(Array.from({ length: rank - ranks[i]! }, (_, k) => k + 1));
    return context.fromKeras(context.build.node("Unsqueeze", [context.toKeras(value), added]));
  });
}

/** A merge layer takes one list; the operation of the same name takes its operands as arguments of their own. */
const isOperation = ({ args, kwargs }: LayerCall): boolean => args.length !== 1 || Object.hasOwn(kwargs, "x2");

function merge(combine: (values: readonly string[], context: EmitContext) => string, fixed?: number): LayerEmitter {
  return (layer, call, context) => {
    if (isOperation(call)) return operation(layer, call, context);
    const count = call.inputs.length;
    if (fixed === undefined ? count < 1 : count !== fixed)
      context.invalid(layer, `is given ${count} values, expected ${fixed ?? "one or more"}`);
    return { outputs: [combine(aligned(call.inputs, context), context)], weights: context.weightRecords(layer, []) };
  };
}

const pairs =
  (op: string) =>
  (values: readonly string[], { build }: EmitContext): string =>
    values.length === 1 ? build.node("Identity", values) : values.reduce((a, b) => build.node(op, [a, b]));

const sum = (values: readonly string[], { build }: EmitContext): string =>
  values.length === 2 ? build.node("Add", values) : build.node("Sum", values);

export const Add: LayerEmitter = merge(sum);
export const Subtract: LayerEmitter = merge(pairs("Sub"), 2);
export const Multiply: LayerEmitter = merge(pairs("Mul"));
export const Maximum: LayerEmitter = merge((values, { build }) => build.node("Max", values));
export const Minimum: LayerEmitter = merge((values, { build }) => build.node("Min", values));
const average: LayerEmitter = merge((values, context) =>
  context.build.node("Mul", [sum(values, context), context.build.scalar(1 / values.length)]),
);
/** The operation of that name is the mean along an axis. */
export const Average: LayerEmitter = (layer, call, context) =>
  Array.isArray(call.args[0]) ? average(layer, call, context) : operation(layer, call, context);

/** The layer and the operation have the same form. */
export const Concatenate: LayerEmitter = (layer, { inputs }, context) => {
  const [first] = inputs;
  if (first === undefined) return context.invalid(layer, "is given no values, expected one or more");
  const shape = context.kerasShapeOf(first);
  for (const value of inputs)
    if (context.kerasShapeOf(value).length !== shape.length)
      context.invalid(
        layer,
        `is given the shapes [${inputs.map((x) => shapeText(context.kerasShapeOf(x))).join("], [")}], which do not fit together`,
      );
  const [axis = -1] = settingsOf(layer, context).integers("axis", [-1]);
  const stored = context.storedAxis(axisOf(layer, context, axis, shape.length), shape.length);
  const output = context.build.node("Concat", inputs, { attributes: { axis: int(stored) } });
  return { outputs: [output], weights: context.weightRecords(layer, []) };
};

/** Sums of products along an axis of each, picture by picture; `normalize` divides by the norms along it first. */
export const Dot: LayerEmitter = (layer, call, context) => {
  if (layer.config.axes === undefined) return operation(layer, call, context);
  const { build } = context;
  if (call.inputs.length !== 2) context.invalid(layer, `is given ${call.inputs.length} values, expected 2`);
  const settings = settingsOf(layer, context);
  const given = settings.integers("axes", []);
  const normalize = settings.flag("normalize", false);
  const sides = call.inputs.map((input, i) => {
    const rank = context.kerasShapeOf(input).length;
    const axis = axisOf(layer, context, given[i] ?? given[0] ?? -1, rank);
    if (axis === 0) context.refuse(layer, "multiplies along the batch axis");
    const plain = context.toKeras(input);
    if (!normalize) return { value: plain, rank, axis };
    const norm = build.node("ReduceL2", [plain, build.ints([axis])]);
    return { value: build.node("Div", [plain, build.node("Max", [norm, build.scalar(1e-6)])]), rank, axis };
  });
  const [a, b] = [sides[0]!, sides[1]!];
  // Letters of the einsum: n the batch, z what is summed, others one for each axis that stays.
  let letter = "a".charCodeAt(0);
  const letters = sides.map(({ rank, axis }) =>
    Array.from({ length: rank }, (_, i) => (i === 0 ? "n" : i === axis ? "z" : String.fromCharCode(letter++))),
  );
  const kept = letters.flat().filter((name) => name !== "n" && name !== "z");
  const equation = `${letters.map((names) => names.join("")).join(",")}->n${kept.join("")}`;
  const product = build.node("Einsum", [a.value, b.value], {
    attributes: { equation: { kind: "string", value: equation } },
  });
  const output = kept.length === 0 ? build.node("Unsqueeze", [product, build.ints([1])]) : context.fromKeras(product);
  return { outputs: [output], weights: context.weightRecords(layer, []) };
};
