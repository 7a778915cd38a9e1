/** Inputs of the shape inference suite: for each operator with a rule, nodes in its attribute cases. */
import { arrayTypes, type ElementType, float32, int64, sizeOf, type Tensor } from "../../src/core/tensor.ts";
import { float, int, ints, tensor, text } from "../../src/graph/builder.ts";
import type { Attribute } from "../../src/graph/graph.ts";

/** A value that is fed; "N" stands for the batch. */
export interface Fed {
  readonly feed: ElementType;
  readonly dims: readonly (number | "N")[];
}
export type Input = Fed | Tensor | undefined;
export interface InferenceCase {
  readonly op: string;
  readonly inputs: readonly Input[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly outputs: number;
  readonly domain: string;
}

const fed = (feed: ElementType, ...dims: readonly (number | "N")[]): Fed => ({ feed, dims });
const x = fed("float32", "N", 4, 7, 6);
const flat = fed("float32", "N", 6);
const w = (...dims: number[]): Tensor => float32(dims, new Float32Array(sizeOf(dims)).fill(0.5));
const i64 = (...values: number[]): Tensor => int64([values.length], values);
const filled = (type: ElementType, dims: readonly number[], value: number): Tensor => {
  const data = new arrayTypes[type](sizeOf(dims));
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) data.fill(BigInt(value));
  else data.fill(value);
  return { type, dims, data };
};
const scale = float32([], [0.5]);
const zero = filled("uint8", [], 3);
const of = (
  op: string,
  inputs: readonly Input[],
  attributes: Readonly<Record<string, Attribute>> = {},
  outputs = 1,
  domain = "",
): InferenceCase => ({ op, inputs, attributes, outputs, domain });

const unary =
  "Abs Acos Acosh Asin Asinh Atan Atanh Ceil Celu Cos Cosh Elu Erf Exp Floor Gelu HardSigmoid HardSwish Identity IsInf IsNaN LeakyRelu Log Mish Neg Reciprocal Relu Round Selu Shrink Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Tan Tanh ThresholdedRelu";
const binary = "Add Sub Mul Div Pow Max Min Sum Mean Equal Greater GreaterOrEqual Less LessOrEqual";
const logical = "And Or Xor";
const bitwise = "BitwiseAnd BitwiseOr BitwiseXor";
const reductions =
  "ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare";

const window = { kernel_shape: ints([3, 2]), strides: ints([2, 2]) };
const poolings: readonly Readonly<Record<string, Attribute>>[] = [
  window,
  { ...window, pads: ints([1, 0, 1, 1]) },
  { ...window, ceil_mode: int(1) },
  { ...window, ceil_mode: int(1), pads: ints([1, 1, 0, 0]) },
  { kernel_shape: ints([2, 2]), strides: ints([3, 3]), pads: ints([1, 1, 1, 1]), ceil_mode: int(1) },
  { ...window, dilations: ints([2, 3]) },
  { ...window, auto_pad: text("SAME_UPPER") },
  { ...window, auto_pad: text("SAME_LOWER") },
  { ...window, auto_pad: text("VALID") },
];

export const inferenceCases: readonly InferenceCase[] = [
  ...unary.split(" ").map((op) => of(op, [x])),
  ...[...binary.split(" ")].flatMap((op) => [of(op, [x, w(4, 1, 6)]), of(op, [w(7, 6), x]), of(op, [w(1), flat])]),
  of("Sum", [x, w(6), w(1, 1)]),
  of("Max", [x, x, w(7, 1)]),
  ...logical.split(" ").map((op) => of(op, [fed("bool", "N", 1, 3), fed("bool", 2, 1)])),
  ...bitwise.split(" ").map((op) => of(op, [fed("int32", "N", 3), fed("int32", 1)])),
  of("BitwiseNot", [fed("int32", "N", 3)]),
  of("BitShift", [fed("uint8", "N", 3), filled("uint8", [1], 2)], { direction: text("LEFT") }),
  of("Not", [fed("bool", "N", 3)]),
  of("Mod", [x, w(6)], { fmod: int(1) }),
  of("PRelu", [x, w(4, 1, 1)]),
  of("Clip", [x, scale]),
  of("Clip", [x, undefined, scale]),
  of("Where", [fed("bool", "N", 1, 1, 1), x, w(7, 1)]),
  of("Cast", [x], { to: int(7) }),
  of("Cast", [x], { to: int(10) }),
  of("CastLike", [x, zero]),
  of("Dropout", [x], {}, 2),
  of("Trilu", [x], { upper: int(0) }),

  of("Conv", [x, w(8, 4, 3, 3)]),
  of("Conv", [x, w(8, 2, 3, 2), w(8)], { group: int(2), strides: ints([2, 3]), pads: ints([1, 0, 2, 1]) }),
  of("Conv", [x, w(4, 1, 3, 3)], { group: int(4), dilations: ints([2, 1]), pads: ints([2, 1, 2, 1]) }),
  of("Conv", [x, w(8, 4, 3, 3)], { auto_pad: text("SAME_UPPER"), strides: ints([2, 2]) }),
  of("Conv", [x, w(8, 4, 3, 3)], { auto_pad: text("SAME_LOWER"), strides: ints([3, 1]) }),
  of("Conv", [x, w(8, 4, 3, 3)], { auto_pad: text("VALID"), strides: ints([2, 1]) }),
  of("Conv", [fed("float32", "N", 3, 9), w(5, 3, 4)], { strides: ints([2]), pads: ints([1, 1]) }),
  of("Conv", [fed("float32", "N", 2, 4, 5, 6), w(3, 2, 2, 3, 3)], { pads: ints([0, 1, 1, 0, 1, 1]) }),
  of("ConvInteger", [fed("uint8", "N", 2, 5, 5), filled("int8", [3, 2, 3, 3], 1)], { pads: ints([1, 1, 1, 1]) }),
  of("QLinearConv", [
    fed("uint8", "N", 2, 5, 5),
    scale,
    zero,
    filled("uint8", [3, 2, 3, 3], 1),
    scale,
    zero,
    scale,
    zero,
    filled("int32", [3], 0),
  ]),
  of("DeformConv", [x, w(8, 4, 3, 3), fed("float32", "N", 18, 5, 4)]),
  of("ConvTranspose", [x, w(4, 3, 3, 3)], { strides: ints([2, 2]), output_padding: ints([1, 0]) }),
  of("ConvTranspose", [x, w(4, 3, 3, 2), w(6)], { group: int(2), pads: ints([1, 0, 0, 1]), dilations: ints([2, 1]) }),
  of("ConvTranspose", [x, w(4, 3, 3, 3)], { auto_pad: text("SAME_UPPER"), strides: ints([2, 3]) }),
  of("ConvTranspose", [x, w(4, 3, 3, 3)], { auto_pad: text("VALID"), strides: ints([2, 1]) }),
  of("ConvTranspose", [x, w(4, 3, 3, 3)], { output_shape: ints([14, 13]), strides: ints([2, 2]) }),
  ...poolings.map((attributes) => of("MaxPool", [x], attributes, 2)),
  ...poolings.map((attributes) => of("AveragePool", [x], attributes)),
  ...poolings.map((attributes) => of("LpPool", [x], attributes)),
  of("MaxPool", [fed("float32", "N", 3, 9)], { kernel_shape: ints([4]) }),
  of("MaxUnpool", [fed("float32", "N", 1, 2, 2), fed("int64", "N", 1, 2, 2)], {
    kernel_shape: ints([2, 2]),
    strides: ints([2, 2]),
  }),
  of("MaxUnpool", [fed("float32", 1, 1, 2, 2), filled("int64", [1, 1, 2, 2], 0), i64(1, 1, 5, 5)], {
    kernel_shape: ints([2, 2]),
    strides: ints([2, 2]),
  }),
  of("GlobalAveragePool", [x]),
  of("GlobalMaxPool", [x]),
  of("GlobalLpPool", [x]),
  of("MaxRoiPool", [x, w(3, 5)], { pooled_shape: ints([2, 3]) }),
  of("RoiAlign", [x, w(3, 4), i64(0, 0, 0)], { output_height: int(2), output_width: int(5) }),
  of("Col2Im", [fed("float32", "N", 12, 20), i64(5, 6), i64(2, 2)]),

  of("Gemm", [flat, w(6, 3), w(3)]),
  of("Gemm", [flat, w(3, 6)], { transB: int(1) }),
  of("Gemm", [w(6, 2), w(6, 3), w(1, 3)], { transA: int(1) }),
  of("MatMul", [flat, w(6, 3)]),
  of("MatMul", [x, w(4, 6, 2)]),
  of("MatMul", [x, w(6)]),
  of("MatMul", [w(7), x]),
  of("MatMulInteger", [fed("uint8", "N", 6), filled("int8", [6, 3], 1)]),
  of("QLinearMatMul", [fed("uint8", "N", 6), scale, zero, filled("uint8", [6, 3], 1), scale, zero, scale, zero]),
  of("Det", [fed("float32", "N", 3, 3)]),
  of("Einsum", [x, w(6, 5)], { equation: text("nchw,wk->nkch") }),
  of("Einsum", [x, w(4)], { equation: text("n...w, c -> c...n") }),
  of("Einsum", [flat, w(6, 2)], { equation: text("ij,jk") }),
  of("Einsum", [fed("float32", "N", 5, 5)], { equation: text("nii->n") }),

  of("BatchNormalization", [x, w(4), w(4), w(4), w(4)]),
  of("InstanceNormalization", [x, w(4), w(4)]),
  of("GroupNormalization", [x, w(4), w(4)], { num_groups: int(2) }),
  of("LayerNormalization", [x, w(7, 6), w(7, 6)], { axis: int(2) }, 3),
  of("LRN", [x], { size: int(3) }),
  of("LpNormalization", [x], { axis: int(1) }),
  of("MeanVarianceNormalization", [x]),
  of("Softmax", [x], { axis: int(1) }),
  of("LogSoftmax", [x]),
  of("Hardmax", [flat]),

  ...reductions
    .split(" ")
    .flatMap((op) => [
      of(op, [x, i64(2, -1)]),
      of(op, [x, i64(1)], { keepdims: int(0) }),
      of(op, [x]),
      of(op, [x], { noop_with_empty_axes: int(1) }),
      of(op, [x], { keepdims: int(0) }),
    ]),
  of("ArgMax", [x], { axis: int(1), keepdims: int(0) }),
  of("ArgMin", [x], { axis: int(-1) }),
  of("CumSum", [x, int64([], [1])]),
  of("TopK", [x, i64(3)], { axis: int(2) }, 2),

  of("Shape", [x]),
  of("Shape", [x], { start: int(1), end: int(-1) }),
  of("Size", [x]),
  of("Reshape", [x, i64(0, 2, -1, 6)]),
  of("Reshape", [fed("float32", "N", 0, 2), i64(0, 0, 3)], { allowzero: int(1) }),
  of("Flatten", [x], { axis: int(2) }),
  of("Flatten", [x], { axis: int(-1) }),
  of("Flatten", [x], { axis: int(0) }),
  of("Squeeze", [fed("float32", "N", 1, 3, 1), i64(1, -1)]),
  of("Unsqueeze", [flat, i64(0, -1)]),
  of("Transpose", [x]),
  of("Transpose", [x], { perm: ints([0, 2, 3, 1]) }),
  of("Concat", [x, fed("float32", "N", 2, 7, 6)], { axis: int(1) }),
  of("Split", [x], { axis: int(2), num_outputs: int(3) }, 3),
  of("Split", [x, i64(1, 3)], { axis: int(1) }, 2),
  of("Expand", [fed("float32", "N", 1, 3), i64(2, 1, 4, 1)]),
  of("Tile", [x, i64(1, 2, 1, 3)]),

  of("Slice", [x, i64(1, -4), i64(100, -1), i64(2, 3), i64(2, 1)]),
  of("Slice", [x, i64(5, -1), i64(0, -100), i64(2, 3), i64(-2, -1)]),
  of("Slice", [x, i64(0, 2), i64(3, 2)]),
  of("Gather", [x, i64(0, 2, 1)], { axis: int(2) }),
  of("Gather", [x, int64([], [-1])], { axis: int(1) }),
  of("Gather", [x, int64([2, 2], [0, 1, 2, 3])], { axis: int(-1) }),
  of("GatherElements", [x, fed("int64", "N", 2, 7, 6)], { axis: int(1) }),
  of("GatherND", [x, int64([3, 2], [0, 1, 0, 2, 0, 3])]),
  of("GatherND", [x, fed("int64", "N", 5, 1)], { batch_dims: int(1) }),
  of("ScatterElements", [x, fed("int64", "N", 1, 1, 1), fed("float32", "N", 1, 1, 1)], { axis: int(1) }),
  of("ScatterND", [x, int64([1, 1], [0]), fed("float32", 1, 4, 7, 6)]),
  of("ReverseSequence", [fed("float32", 5, 2), i64(3, 4)]),
  of("OneHot", [fed("int64", "N", 3), int64([], [5]), w(2)], { axis: int(1) }),
  of("Pad", [x, i64(0, 1, 2, 0, 0, 0, 1, 3)]),
  of("Pad", [x, i64(-1, 2, 1, -2), undefined, i64(2, -1)]),
  of("Pad", [x, i64(1, 1), undefined, i64(3)], { mode: text("reflect") }),
  of("CenterCropPad", [x, i64(5, 9)], { axes: ints([2, 3]) }),

  of("Constant", [], { value: tensor(w(2, 3)) }),
  of("Constant", [], { value_ints: ints([1, 2, 3]) }),
  of("Constant", [], { value_float: float(1.5) }),
  of("ConstantOfShape", [i64(2, 3)], { value: tensor(i64(4)) }),
  of("ConstantOfShape", [i64(2, 0)]),
  of("Range", [int64([], [1]), int64([], [10]), int64([], [4])]),
  of("Range", [scale, float32([], [-2]), float32([], [-0.75])]),
  of("EyeLike", [flat], { dtype: int(6) }),
  of("RandomNormal", [], { shape: ints([2, 3]) }),
  of("RandomUniform", [], { shape: ints([2, 3]), dtype: int(11) }),
  of("RandomNormalLike", [x]),
  of("RandomUniformLike", [x]),
  of("Bernoulli", [x], { dtype: int(9) }),

  of("QuantizeLinear", [x, scale, zero]),
  of("QuantizeLinear", [x, scale]),
  of("QuantizeLinear", [x, scale], { output_dtype: int(3) }),
  of("DequantizeLinear", [fed("uint8", "N", 3), scale, zero]),
  of("DynamicQuantizeLinear", [x], {}, 3),

  of(
    "GRU",
    [fed("float32", 5, "N", 3), w(2, 12, 3), w(2, 12, 4)],
    { hidden_size: int(4), direction: text("bidirectional") },
    2,
  ),
  of("LSTM", [fed("float32", 5, "N", 3), w(1, 16, 3), w(1, 16, 4)], { hidden_size: int(4) }, 3),
  of("RNN", [fed("float32", 5, "N", 3), w(1, 4, 3), w(1, 4, 4)], { hidden_size: int(4) }, 2),

  of("Resize", [x, undefined, w(4)], { mode: text("nearest") }),
  of("Resize", [x, undefined, float32([4], [1, 1, 1.7, 2.3])], { mode: text("linear") }),
  of("Resize", [fed("float32", "N", 3, 10, 10), undefined, float32([4], [1, 1, 0.7, 0.3])]),
  of("Resize", [x, undefined, undefined, i64(10, 3)], { axes: ints([2, 3]), mode: text("cubic") }),
  of("Resize", [x, undefined, undefined, i64(15, 9)], {
    axes: ints([2, 3]),
    keep_aspect_ratio_policy: text("not_larger"),
  }),
  of("Resize", [x, undefined, undefined, i64(15, 9)], {
    axes: ints([2, 3]),
    keep_aspect_ratio_policy: text("not_smaller"),
  }),
  of("DepthToSpace", [fed("float32", "N", 8, 3, 2)], { blocksize: int(2) }),
  of("SpaceToDepth", [fed("float32", "N", 2, 4, 6)], { blocksize: int(2) }),
  of("GridSample", [x, fed("float32", "N", 5, 3, 2)]),
  of("AffineGrid", [fed("float32", 1, 2, 3), i64(1, 3, 5, 6)]),
  of("AffineGrid", [fed("float32", 1, 3, 4), i64(1, 3, 5, 6, 7)]),

  of(
    "QLinearAdd",
    [fed("uint8", "N", 3), scale, zero, filled("uint8", [3], 1), scale, zero, scale, zero],
    {},
    1,
    "com.microsoft",
  ),
  of(
    "QLinearMul",
    [fed("uint8", "N", 3), scale, zero, filled("uint8", [3], 1), scale, zero, scale, zero],
    {},
    1,
    "com.microsoft",
  ),
  of("QLinearSigmoid", [fed("uint8", "N", 3), scale, zero, scale, zero], {}, 1, "com.microsoft"),
  of("QLinearLeakyRelu", [fed("uint8", "N", 3), scale, zero, scale, zero], {}, 1, "com.microsoft"),
  of("QLinearSoftmax", [fed("uint8", "N", 3), scale, zero, scale, zero], { opset: int(13) }, 1, "com.microsoft"),
  of("QLinearGlobalAveragePool", [fed("uint8", "N", 3, 4, 4), scale, zero, scale, zero], {}, 1, "com.microsoft"),
  of(
    "QLinearGlobalAveragePool",
    [fed("uint8", "N", 4, 4, 3), scale, zero, scale, zero],
    { channels_last: int(1) },
    1,
    "com.microsoft",
  ),
  of(
    "QLinearConcat",
    [scale, zero, fed("uint8", "N", 3), scale, zero, fed("uint8", "N", 2), scale, zero],
    { axis: int(1) },
    1,
    "com.microsoft",
  ),
  of("FusedConv", [x, w(8, 4, 3, 3)], { activation: text("Relu"), pads: ints([1, 1, 0, 0]) }, 1, "com.microsoft"),
  of(
    "QLinearAveragePool",
    [fed("uint8", "N", 3, 5, 5), scale, zero, scale, zero],
    { kernel_shape: ints([2, 2]) },
    1,
    "com.microsoft",
  ),
  of("Gelu", [x], {}, 1, "com.microsoft"),
  of("QuickGelu", [x], {}, 1, "com.microsoft"),
];
