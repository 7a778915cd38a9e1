/**
 * What rewrites may know of a value before any shape is inferred: its element type, and its rank and those sizes that
 * do not depend on the input's. Enough to tell a Softmax over the last axis from one that flattens. Reads nodes of
 * the IR's opset.
 */
import type { ElementType } from "../../../core/tensor.ts";
import { elementTypeOf } from "../../../graph/element-types.ts";
import type { Constant, Dimension, Node, Shape } from "../../../graph/graph.ts";

export interface Known {
  readonly values: Map<string, { readonly type: ElementType | undefined; readonly shape: Shape | undefined }>;
  readonly constants: ReadonlyMap<string, Constant>;
}

/** Operators whose output has not the type of their first input: the input whose type it is, or the type. */
const types: Readonly<Record<string, number | ElementType>> = {
  ArgMax: "int64",
  ArgMin: "int64",
  CastLike: 1,
  ConvInteger: "int32",
  DequantizeLinear: 1,
  MatMulInteger: "int32",
  NonZero: "int64",
  OneHot: 2,
  QLinearConv: 7,
  QLinearMatMul: 7,
  QuantizeLinear: 2,
  Shape: "int64",
  Size: "int64",
  Where: 1,
};
const comparisons = /^(Equal|Less|LessOrEqual|Greater|GreaterOrEqual|Not|And|Or|Xor|IsNaN|IsInf)$/;

type ShapeOf = (node: Node, shape: Shape, known: Known) => Shape | undefined;

const same: ShapeOf = (_, shape) => shape;
/** The batch and the channels of the second input stay known, the spatial sizes do not. */
const window: ShapeOf = (node, shape, { values }) => {
  const weight = /Conv/.test(node.op) ? values.get(node.inputs[1] ?? "")?.shape : undefined;
  const channels = node.op === "Conv" ? (weight?.[0] ?? null) : node.op === "ConvTranspose" ? null : (shape[1] ?? null);
  return shape.map((n, i) => (i === 0 ? n : i === 1 ? channels : null));
};
const globalPool: ShapeOf = (_, shape) => shape.map((n, i) => (i < 2 ? n : 1));
const broadcast: ShapeOf = (node, _, { values }) => {
  const shapes = node.inputs.map((input) => values.get(input)?.shape);
  if (!shapes.every((s) => s !== undefined)) return undefined;
  const rank = shapes.reduce((most, s) => Math.max(most, s.length), 0);
  return Array.from({ length: rank }, (_, i): Dimension => {
    const sizes = shapes.map((s): Dimension => (i - rank + s.length < 0 ? 1 : s[i - rank + s.length]!));
    return sizes.find((n) => n !== null && n !== 1) ?? (sizes.includes(null) ? null : 1);
  });
};
const matrixProduct: ShapeOf = (node, left, { values }) => {
  const right = values.get(node.inputs[1] ?? "")?.shape;
  if (left.length < 2 || !right || right.length < 2) return undefined;
  const rank = Math.max(left.length, right.length);
  return Array.from({ length: rank }, (_, i) =>
    i === rank - 1 ? right.at(-1)! : i === rank - 2 ? left.at(-2)! : null,
  );
};
const reduced: ShapeOf = (node, shape, known) => {
  const axes = node.inputs[1] ? smallConstant(node.inputs[1], known) : shape.map((_, i) => i);
  if (!axes) return undefined;
  const gone = new Set(axes.map((axis) => (axis < 0 ? axis + shape.length : axis)));
  const keep = node.attributes.keepdims?.value !== 0;
  return shape.flatMap((n, i) => (!gone.has(i) ? [n] : keep ? [1] : []));
};

const shapes: Readonly<Record<string, ShapeOf>> = {
  AveragePool: window,
  BatchNormalization: same,
  Cast: same,
  Clip: same,
  Concat: (node, shape) => {
    const axis = Number(node.attributes.axis?.value ?? 0);
    return shape.map((n, i) => (i === (axis < 0 ? axis + shape.length : axis) ? null : n));
  },
  Conv: window,
  ConvTranspose: window,
  DequantizeLinear: same,
  Dropout: same,
  Flatten: () => [null, null],
  Gemm: () => [null, null],
  GlobalAveragePool: globalPool,
  GlobalMaxPool: globalPool,
  Identity: same,
  InstanceNormalization: same,
  LRN: same,
  MatMul: matrixProduct,
  MaxPool: window,
  Pad: (_, shape) => shape.map(() => null),
  PRelu: same,
  QuantizeLinear: same,
  ReduceMax: reduced,
  ReduceMean: reduced,
  ReduceSum: reduced,
  Reshape: (node, shape, known) =>
    smallConstant(node.inputs[1] ?? "", known)?.map((n, i) => (n === -1 ? null : n === 0 ? (shape[i] ?? null) : n)),
  Squeeze: (node, shape, known) => {
    const axes = smallConstant(node.inputs[1] ?? "", known)?.map((axis) => (axis < 0 ? axis + shape.length : axis));
    return axes && shape.filter((_, i) => !axes.includes(i));
  },
  Transpose: (node, shape) => {
    const perm = node.attributes.perm;
    return perm?.kind === "ints" ? perm.value.map((axis) => shape[axis] ?? null) : shape.toReversed();
  },
  Unsqueeze: (node, shape, known) => {
    const axes = smallConstant(node.inputs[1] ?? "", known);
    if (!axes) return undefined;
    const rank = shape.length + axes.length;
    const added = new Set(axes.map((axis) => (axis < 0 ? axis + rank : axis)));
    const rest = [...shape];
    return Array.from({ length: rank }, (_, i) => (added.has(i) ? 1 : (rest.shift() ?? null)));
  },
};
const unary =
  /^(Abs|Celu|Elu|Erf|Exp|Gelu|HardSigmoid|HardSwish|LeakyRelu|Log|LogSoftmax|Mish|Neg|Relu|Selu|Sigmoid|Softmax|Softplus|Softsign|Sqrt|Tanh)$/;
/** Operators that say something of their output where nothing is known of their input. */
const fromNothing = /^(Flatten|Gemm|Reshape)$/;
const binary = /^(Add|Sub|Mul|Div|Pow|Max|Min|Sum|Mean)$/;

/** The elements of a small constant in memory. */
export function smallConstant(value: string, { constants }: Pick<Known, "constants">): number[] | undefined {
  const constant = constants.get(value);
  return constant && !("stored" in constant) && constant.data.length <= 64
    ? Array.from(constant.data as ArrayLike<number | bigint>, Number)
    : undefined;
}

/** Notes what follows for the outputs of a node. */
export function learn(node: Node, known: Known): void {
  const output = node.outputs[0];
  if (output === undefined || output === "") return;
  const first = known.values.get(node.inputs[0] ?? "");
  const declared = known.values.get(output);
  const type = (node.domain === "" ? typeOf(node, known) : undefined) ?? declared?.type;
  const shapeOf = unary.test(node.op) ? same : binary.test(node.op) ? broadcast : own(shapes, node.op);
  const from = first?.shape ?? (fromNothing.test(node.op) ? [] : undefined);
  const shape = declared?.shape ?? (node.domain === "" && from ? shapeOf?.(node, from, known) : undefined);
  if (type || shape) known.values.set(output, { type, shape });
}

function typeOf(node: Node, { values }: Known): ElementType | undefined {
  if (node.op === "Cast") return elementTypeOf(Number(node.attributes.to?.value ?? 0));
  if (comparisons.test(node.op)) return "bool";
  if (node.op === "ConstantOfShape")
    return node.attributes.value?.kind === "tensor" ? node.attributes.value.value.type : "float32";
  const from = own(types, node.op) ?? 0;
  return typeof from === "string" ? from : values.get(node.inputs[from] ?? "")?.type;
}

/** Operators are named by the file: a name that every object inherits is none of the table. */
const own = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;
