/** Cases of arithmetic and activation rules. */
import { float32, int64 } from "../../../src/core/tensor.ts";
import { float, int, text } from "../../../src/graph/builder.ts";
import { bent, flat, type GradientCase, linear, w, whole, x } from "./case.ts";

const map = x(["N", 3, 4, 2]);
const away = x(["N", 3, 4, 2], { avoid: [0] });
const positive = x(["N", 3, 4, 2], { low: 0.2, high: 3 });
const inside = x(["N", 3, 4, 2], { low: -0.9, high: 0.9 });
const above = x(["N", 3, 4, 2], { low: 1.2, high: 3 });
/** The engine computes it in float32 whatever it is given. */
const single = { single: true };
const truth = { feed: "bool", dims: ["N", 3], low: 0, high: 2 } as const;
const scalar = (value: number) => float32([], [value]);

/** Operand shapes that broadcast: same, per channel, ranks that differ, a scalar, one of size 1 beside the batch. */
const pairs = (a = {}, b = a) =>
  [
    [x(["N", 3, 4, 2], a), x(["N", 3, 4, 2], b)],
    [x(["N", 3, 4, 2], a), x([3, 1, 1], b)],
    [x([4, 2], a), x(["N", 3, 4, 2], b)],
    [x(["N", 3, 1, 2], a), x(["N", 1, 4, 1], b)],
    [x(["N", 3, 4, 2], a), x([], b)],
    [x([1, 1], a), x(["N", 4], b)],
    [x(["N", 1], a), x([1, 4], b)],
  ] as const;

export const elementwise: readonly GradientCase[] = [
  linear("Identity", [map]),
  linear("Dropout", [map]),
  linear("Dropout", [map, scalar(0.3), { type: "bool", dims: [], data: Uint8Array.of(0) }], { seed: int(1) }),
  linear("Cast", [map], { to: int(1) }),
  bent("Cast", [map], { to: int(11) }),
  linear("CastLike", [map, w([2])]),
  linear("Neg", [map]),
  ...pairs().flatMap((both) => [
    linear("Add", both),
    linear("Sub", both),
    linear("Mul", both),
    linear("Sum", both),
    linear("Mean", both),
  ]),
  linear("Sum", [map]),
  linear("Sum", [map, x([4, 1]), x([1, 3, 1, 1]), map]),
  linear("Mean", [map, x([4, 1]), x([])]),
  ...pairs({}, { low: 0.5, high: 2 }).map((both) => bent("Div", both)),
  bent("Div", [w([3, 1, 1]), positive]),
  ...pairs({}, {}).flatMap((both) => [bent("Max", both), bent("Min", both)]),
  bent("Max", [map]),
  bent("Max", [map, scalar(0), x([2])]),
  bent("Min", [map, scalar(0), x([2])]),

  bent("Pow", [map, scalar(2)]),
  bent("Pow", [map, scalar(1)]),
  bent("Pow", [map, scalar(0)]),
  bent("Pow", [map, scalar(3)]),
  bent("Pow", [positive, scalar(0.5)]),
  bent("Pow", [positive, scalar(-1.5)]),
  bent("Pow", [map, int64([1], [2])]),
  bent("Pow", [map, int64([1, 1], [3])]),
  bent("Pow", [positive, float32([2], [0.5, 2])]),
  bent("Pow", [map, int64([4, 1], [0, 1, 2, 3])]),
  bent("Pow", [positive, x([4, 1])]),
  bent("Pow", [scalar(2), x(["N", 3])]),
  bent("Pow", [x(["N", 3], { low: 0.3 }), x(["N", 3])]),

  bent("Sqrt", [positive]),
  bent("Reciprocal", [away]),
  bent("Exp", [map]),
  bent("Log", [positive]),
  bent("Abs", [away]),
  bent("Erf", [map]),
  ...["Sin", "Cos", "Sinh", "Cosh", "Atan", "Asinh"].map((op) => bent(op, [map])),
  bent("Tan", [inside]),
  ...["Asin", "Acos", "Atanh"].map((op) => bent(op, [inside])),
  bent("Acosh", [above]),
  bent("Where", [{ feed: "bool", dims: ["N", 1, 4, 1], low: 0, high: 2 }, map, map]),
  linear("Where", [{ feed: "bool", dims: [4, 2], low: 0, high: 2 }, map, x([3, 1, 1])]),

  ...["Floor", "Ceil", "Round", "Sign", "IsNaN", "IsInf", "Shape", "Size"].map((op) => flat(op, [map])),
  ...["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"].map((op) => flat(op, [map, x([2])])),
  flat("ArgMax", [map], { axis: int(1) }),
  flat("ArgMin", [map], { axis: int(1) }),
  flat("Cast", [map], { to: int(7) }),
  ...["And", "Or", "Xor"].map((op) => flat(op, [truth, truth])),
  flat("Not", [truth]),
  flat("OneHot", [whole(["N", 3], 5), int64([], [5]), w([2])], { axis: int(1) }),
  bent("DynamicQuantizeLinear", [x([4])], {}, { outputs: 3, flat: true }),

  bent("Relu", [away]),
  bent("Clip", [x(["N", 20], { low: -3, high: 9, avoid: [0, 6] }), scalar(0), scalar(6)]),
  bent("Clip", [x(["N", 20], { avoid: [0] }), scalar(0)]),
  bent("Clip", [x(["N", 20], { avoid: [0.5] }), undefined, scalar(0.5)]),
  bent("Clip", [x(["N", 20], { avoid: [-1, 0.5] }), scalar(-1), scalar(0.5)]),
  bent("Clip", [x(["N", 20])]),
  bent("Clip", [x(["N", 20]), x([], { low: -1.031, high: -1.03 }), x([], { low: 0.52, high: 0.521 })]),
  bent("LeakyRelu", [away]),
  bent("LeakyRelu", [away], { alpha: float(0.3) }),
  bent("LeakyRelu", [away], { alpha: float(-0.5) }),
  bent("PRelu", [away, w([3, 1, 1])]),
  bent("PRelu", [away, x([3, 1, 1])]),
  bent("PRelu", [away, x([1])]),
  bent("ThresholdedRelu", [x(["N", 20], { avoid: [1] })]),
  bent("ThresholdedRelu", [x(["N", 20], { avoid: [0.3] })], { alpha: float(0.3) }),
  ...["Elu", "Celu"].flatMap((op) => [
    bent(op, [away]),
    bent(op, [away], { alpha: float(0.4) }),
    bent(op, [away], { alpha: float(2.5) }),
  ]),
  bent("Selu", [away]),
  bent("Selu", [away], { alpha: float(0.7), gamma: float(1.3) }),
  ...["Sigmoid", "Tanh", "Softplus", "Mish"].map((op) => bent(op, [x(["N", 20], { low: -4, high: 4 })])),
  bent("Softsign", [away]),
  bent("HardSigmoid", [x(["N", 20], { low: -5, high: 5, avoid: [-2.5, 2.5] })]),
  bent("HardSigmoid", [x(["N", 20], { low: -5, high: 5, avoid: [-3, 3] })], { alpha: float(1 / 6), beta: float(0.5) }),
  bent("HardSigmoid", [x(["N", 20], { low: -2, high: 2, avoid: [-0.5, 0.5] })], { alpha: float(-1), beta: float(0.5) }),
  bent("HardSwish", [x(["N", 20], { low: -5, high: 5, avoid: [-3, 3] })]),
  bent("Gelu", [x(["N", 20], { low: -4, high: 4 })]),
  bent("Gelu", [x(["N", 20], { low: -4, high: 4 })], { approximate: text("tanh") }),
  bent("Shrink", [x(["N", 20], { avoid: [-0.5, 0.5] })], {}, single),
  bent("Shrink", [x(["N", 20], { avoid: [-1, 1] })], { lambd: float(1), bias: float(0.4) }, single),
];
