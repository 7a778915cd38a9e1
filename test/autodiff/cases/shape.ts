/** Cases of operators that arrange, pick and resize. */
import { float32, int64 } from "../../../src/core/tensor.ts";
import { float, int, ints, text } from "../../../src/graph/builder.ts";
import type { Attribute } from "../../../src/graph/graph.ts";
import { bent, type GradientCase, i64, linear, w, whole, x } from "./case.ts";

const map = x(["N", 4, 3, 5]);

export const arranged: readonly GradientCase[] = [
  linear("Reshape", [map, i64(0, -1)]),
  linear("Reshape", [map, i64(-1, 5)]),
  linear("Reshape", [x(["N", 4, 3, 3]), i64(0, 2, -1, 3)]),
  linear("Flatten", [map]),
  linear("Flatten", [map], { axis: int(2) }),
  linear("Flatten", [map], { axis: int(0) }),
  linear("Flatten", [map], { axis: int(-1) }),
  linear("Squeeze", [x(["N", 1, 3, 1]), i64(1, -1)]),
  linear("Squeeze", [x([1, 4, 1])]),
  linear("Unsqueeze", [map, i64(1)]),
  linear("Unsqueeze", [map, i64(0, -1)]),
  linear("Transpose", [map]),
  linear("Transpose", [map], { perm: ints([0, 2, 3, 1]) }),
  linear("Transpose", [map], { perm: ints([2, 0, 3, 1]) }),
  linear("Concat", [map, x(["N", 2, 3, 5]), map], { axis: int(1) }),
  linear("Concat", [map, map], { axis: int(-1) }),
  linear("Concat", [map], { axis: int(1) }),
  linear("Concat", [x([2, 3]), w([1, 3]), x([4, 3])], { axis: int(0) }),
  linear("Split", [map, i64(1, 3)], { axis: int(1) }, { outputs: 2 }),
  linear("Split", [map], { axis: int(-1), num_outputs: int(2) }, { outputs: 2 }),
  linear("Split", [map], { axis: int(1), num_outputs: int(4) }, { outputs: 4 }),
  linear("Split", [x([5, 2]), i64(2, 3)], {}, { outputs: 2 }),
  linear("Expand", [x(["N", 1, 3]), i64(2, 1, 4, 1)]),
  linear("Expand", [x([3, 1]), i64(2, 3, 4)]),
  linear("Expand", [x([]), i64(2, 3)]),
  linear("Expand", [map, i64(1)]),
  linear("Tile", [map, i64(1, 2, 1, 3)]),
  linear("Tile", [map, i64(2, 1, 1, 1)]),
  linear("Tile", [x(["N", 3]), i64(1, 1)]),
  ...["DCR", "CRD"].map((mode) =>
    linear("DepthToSpace", [x(["N", 12, 3, 2])], { blocksize: int(2), mode: text(mode) }),
  ),
  linear("DepthToSpace", [x(["N", 9, 2, 2])], { blocksize: int(3) }),
  linear("SpaceToDepth", [x(["N", 3, 4, 6])], { blocksize: int(2) }),
  linear("SpaceToDepth", [x(["N", 2, 6, 3])], { blocksize: int(3) }),
  linear("Trilu", [x(["N", 4, 5])]),
  linear("Trilu", [x(["N", 4, 5]), int64([], [1])], { upper: int(0) }),
];

const slice = (starts: number[], ends: number[], axes?: number[], steps?: number[], input = map): GradientCase =>
  linear("Slice", [
    input,
    i64(...starts),
    i64(...ends),
    ...(axes ? [i64(...axes)] : []),
    ...(steps ? [i64(...steps)] : []),
  ]);
const pad = (widths: number[], mode = "constant", axes?: number[], value?: number): GradientCase =>
  linear(
    "Pad",
    [map, i64(...widths), value === undefined ? undefined : float32([], [value]), ...(axes ? [i64(...axes)] : [])],
    { mode: text(mode) },
  );

export const picked: readonly GradientCase[] = [
  slice([1], [3], [1]),
  slice([1, -4], [100, -1], [2, 3], [1, 1]),
  slice([0, 1], [100, 3], undefined, undefined),
  slice([-2], [Number.MAX_SAFE_INTEGER], [-1]),
  slice([0, 1], [3, 5], [2, 3], [2, 3]),
  slice([1], [100], [3], [2]),
  slice([5, -1], [0, -100], [1, 3], [-2, -1]),
  slice([-1], [-100], [2], [-1]),
  slice([0], [1], [0]),
  slice([100], [200], [1]),
  slice([0], [100], [0], [2]),
  linear("Gather", [map, i64(0, 2, 1)], { axis: int(2) }),
  linear("Gather", [map, i64(2, 0)], { axis: int(1) }),
  linear("Gather", [map, i64(-1, 0)], { axis: int(-1) }),
  linear("Gather", [map, i64(0, 2, 0, 0)], { axis: int(1) }),
  linear("Gather", [map, int64([], [-1])], { axis: int(1) }),
  linear("Gather", [map, int64([2, 2], [0, 1, 2, 3])], { axis: int(-1) }),
  linear("Gather", [map, int64([2, 2], [0, 1, 0, 3])], { axis: int(-1) }),
  linear("Gather", [map, i64(0, 0)]),
  linear("Gather", [map, int64([], [0])]),
  linear("Gather", [map, whole([3], 4)], { axis: int(1) }),
  linear("GatherElements", [map, whole(["N", 2, 3, 5], 4)], { axis: int(1) }),
  linear("GatherElements", [map, whole(["N", 4, 3, 7], 5, -5)], { axis: int(-1) }),
  linear("GatherND", [x([4, 3, 2]), int64([3, 2], [0, 1, 3, 2, 0, 1])]),
  linear("GatherND", [map, whole(["N", 5, 1], 4)], { batch_dims: int(1) }),
  pad([0, 1, 2, 0, 0, 0, 1, 3]),
  pad([0, 1, 2, 0, 0, 0, 1, 3], "constant", undefined, 5),
  pad([-1, 2, 1, -2], "constant", [2, -1]),
  pad([1, 0, 0, 0, 0, 0, 0, 0]),
  ...["reflect", "edge", "wrap"].flatMap((mode) => [
    pad([0, 0, 1, 2, 0, 0, 2, 3], mode),
    pad([0, 2, 0, 0, 0, 1, 0, 0], mode, undefined, 5),
    pad([2, 0, 1, 2], mode, [2, -1]),
    pad([0, 0, -1, 2, 0, 0, 1, -1], mode),
  ]),
  pad([2, 0, 0, 0, 1, 0, 0, 0], "edge"),
  bent("TopK", [map, i64(3)], { axis: int(3) }, { outputs: 2 }),
  bent("TopK", [map, i64(2)], { axis: int(1), largest: int(0) }, { outputs: 2 }),
  bent("TopK", [map, i64(2)], {}, { outputs: 2 }),
  linear("ScatterElements", [map, int64([1, 2, 1, 1], [0, 2]), x([1, 2, 1, 1])], { axis: int(1) }),
  linear("ScatterElements", [x(["N", 6]), whole(["N", 3], 6), x(["N", 3])], { axis: int(1), reduction: text("add") }),
  linear("ScatterND", [x([4, 3]), int64([2, 1], [3, 1]), x([2, 3])]),
  linear("ScatterND", [x([4, 3]), int64([3, 2], [3, 1, 0, 0, 3, 1]), x([3])], { reduction: text("add") }),
];

const resize = (
  scales: number[] | undefined,
  sizes: number[] | undefined,
  attributes: Readonly<Record<string, Attribute>> = {},
  input = map,
): GradientCase =>
  linear(
    "Resize",
    [input, undefined, scales && float32([scales.length], scales), ...(sizes ? [i64(...sizes)] : [])],
    attributes,
  );
const modes = ["nearest", "linear", "cubic"];
const spatialAxes = { axes: ints([2, 3]) };
const transformations = ["half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric"];

export const resized: readonly GradientCase[] = [
  ...modes.flatMap((mode) =>
    [
      ...transformations.flatMap((transformation) => {
        const attributes = { mode: text(mode), coordinate_transformation_mode: text(transformation) };
        return [
          resize([1, 1, 2, 3], undefined, attributes),
          resize([1, 1, 1.7, 2.3], undefined, attributes),
          resize([1, 1, 0.7, 0.5], undefined, attributes),
          resize(undefined, [7, 4], { ...attributes, ...spatialAxes }),
        ];
      }),
      resize(undefined, [1, 4, 7, 12], { mode: text(mode) }, x([1, 4, 3, 5])),
      resize(undefined, [2, 2], { mode: text(mode), antialias: int(1), ...spatialAxes }),
      resize([2, 2], undefined, { mode: text(mode), ...spatialAxes }),
      resize(undefined, [9, 9], { mode: text(mode), ...spatialAxes, keep_aspect_ratio_policy: text("not_larger") }),
      resize(undefined, [9, 9], { mode: text(mode), ...spatialAxes, keep_aspect_ratio_policy: text("not_smaller") }),
    ].filter(({ attributes }) => mode !== "nearest" || attributes.antialias === undefined),
  ),
  ...["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"].map((nearest) =>
    resize([1, 1, 1.5, 2.5], undefined, { mode: text("nearest"), nearest_mode: text(nearest) }),
  ),
  resize([1, 1, 2, 2], undefined, { mode: text("cubic"), cubic_coeff_a: float(-0.5), exclude_outside: int(1) }),
  resize([1, 1, 0.5, 0.6], undefined, { mode: text("cubic"), antialias: int(1) }),
  resize([1, 1, 2], undefined, { mode: text("linear") }, x(["N", 2, 5])),
  resize([1, 1, 2], undefined, { mode: text("nearest") }, x(["N", 2, 5])),
  resize([1, 1, 2, 2, 3], undefined, { mode: text("nearest") }, x(["N", 2, 2, 3, 2])),
  resize([1, 1, 2, 2, 3], undefined, { mode: text("linear") }, x(["N", 2, 2, 3, 2])),
  resize([1, 2, 2, 1], undefined, { mode: text("linear") }),
  // The sizes stay, the sampling points move.
  resize([1, 1, 1.1, 1.15], undefined, { mode: text("linear") }),
];
