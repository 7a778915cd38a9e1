/** Cases of normalizations, softmax and reductions. */
import { float, int } from "../../../src/graph/builder.ts";
import { bent, type GradientCase, i64, linear, w, x } from "./case.ts";

const map = x(["N", 4, 3, 5]);
/** The engine computes it in float32 whatever it is given. */
const single = { single: true };
const reductions = (op: string, input = map, make: typeof linear | typeof bent = bent): GradientCase[] => [
  make(op, [input]),
  make(op, [input], { keepdims: int(0) }),
  make(op, [input], { noop_with_empty_axes: int(1) }),
  make(op, [input, i64(2, -1)]),
  make(op, [input, i64(-1, 2)], { keepdims: int(0) }),
  make(op, [input, i64(1)], { keepdims: int(0) }),
  make(op, [input, i64(1, 3)]),
  make(op, [input, i64(0)]),
  make(op, [input, i64(0, 2)], { keepdims: int(0) }),
];

export const normalizations: readonly GradientCase[] = [
  linear("BatchNormalization", [map, w([4]), w([4]), w([4]), w([4], 0.5, 2)]),
  linear("BatchNormalization", [map, w([4]), w([4]), w([4]), w([4], 0.5, 2)], { epsilon: float(0.1) }),
  bent("BatchNormalization", [map, x([4]), x([4]), x([4]), x([4], { low: 0.5, high: 2 })]),
  linear("BatchNormalization", [x(["N", 4]), w([4]), w([4]), w([4]), w([4], 0.5, 2)]),
  linear("BatchNormalization", [x(["N", 4, 6]), x([4]), x([4]), w([4]), w([4], 0.5, 2)]),
  linear("BatchNormalization", [x(["N", 4, 2, 3, 2]), w([4]), w([4]), w([4]), w([4], 0.5, 2)]),
  bent("InstanceNormalization", [map, w([4]), w([4])]),
  bent("InstanceNormalization", [map, x([4]), x([4])], { epsilon: float(0.1) }),
  bent("InstanceNormalization", [x(["N", 4, 6]), w([4]), w([4])]),
  bent("InstanceNormalization", [x(["N", 4, 2, 3, 2]), w([4]), w([4])]),
  ...[1, 2, 4].map((groups) => bent("GroupNormalization", [map, w([4]), w([4])], { num_groups: int(groups) }, single)),
  bent("GroupNormalization", [map, x([4]), x([4])], { num_groups: int(2), epsilon: float(0.1) }, single),
  bent("GroupNormalization", [x(["N", 4, 6]), w([4]), w([4])], { num_groups: int(2) }, single),
  bent("LayerNormalization", [map, w([5]), w([5])]),
  bent("LayerNormalization", [map, w([5])], { epsilon: float(0.1) }),
  bent("LayerNormalization", [map, x([4, 3, 5]), x([4, 3, 5])], { axis: int(1) }),
  bent("LayerNormalization", [map, x([3, 5]), x([5])], { axis: int(-2) }),
  bent("LayerNormalization", [map, w([3, 1]), w([])], { axis: int(2) }),
  ...[1, 3, 5, 9].map((size) => bent("LRN", [map], { size: int(size), alpha: float(0.5), beta: float(0.75) })),
  bent("LRN", [map], { size: int(3), alpha: float(0.3), beta: float(1.5), bias: float(2) }),
  ...[1, 2].flatMap((p) =>
    [0, 1, -1].map((axis) => bent("LpNormalization", [x(["N", 4, 3], { avoid: [0] })], { p: int(p), axis: int(axis) })),
  ),
  bent("LpNormalization", [map]),
  bent("MeanVarianceNormalization", [map]),
  bent("MeanVarianceNormalization", [map], { axes: { kind: "ints", value: [2, 3] } }),
  ...["Softmax", "LogSoftmax"].flatMap((op) => [
    bent(op, [map]),
    bent(op, [map], { axis: int(1) }),
    bent(op, [x(["N", 6])], { axis: int(-1) }),
    bent(op, [map], { axis: int(-2) }),
  ]),
];

const away = x(["N", 4, 3, 5], { avoid: [0] });
const positive = x(["N", 4, 3, 5], { low: 0.3, high: 2 });
const few = x(["N", 2, 3, 2], { avoid: [0] });
export const reduced: readonly GradientCase[] = [
  ...reductions("ReduceSum", map, linear),
  ...reductions("ReduceMean", map, linear),
  ...reductions("ReduceMax"),
  ...reductions("ReduceMin"),
  ...reductions("ReduceL1", away),
  ...reductions("ReduceL2"),
  ...reductions("ReduceSumSquare"),
  ...reductions("ReduceLogSumExp"),
  ...reductions("ReduceLogSum", positive),
  ...reductions("ReduceProd", few),
  linear("CumSum", [map, i64(1)]),
  linear("CumSum", [map, i64(-1)], { exclusive: int(1) }),
  linear("CumSum", [map, i64(2)], { reverse: int(1) }),
  linear("CumSum", [map, i64(2)], { reverse: int(1), exclusive: int(1) }),
];
