/** A network small enough to check by hand, in either order of axes, with weights of one's own: for tests of CAM methods. */

import { float32, type Tensor } from "../../src/core/tensor.ts";
import { writeOnnx } from "../../src/formats/onnx/write.ts";
import { builder, int, ints } from "../../src/graph/builder.ts";
import { methods, type xgradcam } from "../../src/methods/index.ts";
import type { Model } from "../../src/model/model.ts";
import { openModel } from "../../src/node.ts";

/** A family's method with the options of most. */
export type CamMethod = typeof xgradcam;
export const family: readonly CamMethod[] = methods.filter(
  (method): method is CamMethod => "family" in method && method.family === "cam" && method.kind === "map",
);

/** Opens without preprocessing: tests give tensors. */
export const open = (what: string | Uint8Array, options: Parameters<typeof openModel>[1] = {}): Promise<Model> =>
  openModel(what, { preprocessing: "raw", activation: "none", ...options });

export interface Shape {
  readonly layout?: "NCHW" | "NHWC";
  readonly kernel?: readonly number[];
  readonly bias?: readonly number[];
  /** One row for each of the 4 classes. */
  readonly rows?: readonly (readonly number[])[];
  /** Dense, then ReLU as in captum; or the scores themselves. */
  readonly last?: "Relu" | "Softmax" | undefined;
  readonly factor?: number;
}

export const row: readonly number[] = [1, 1, 1, 1, 1, -1, -1, -1];

/** Convolution 1 to 2, 3 x 3; ReLU; flatten, channels first; dense 8 to 4. Or its twin that takes and gives N, H, W, C. */
export async function network(shape: Shape = {}): Promise<Model> {
  const { layout = "NCHW", kernel = new Array(18).fill(1), bias = [-50, -75], factor = 1 } = shape;
  const rows = shape.rows ?? [row, row, row, row];
  const last = "last" in shape ? shape.last : "Relu";
  const isLast = layout === "NHWC";
  const b = builder();
  // One row and column more, which are cut off: of 4 x 4 x 1 nobody can tell where the channels are.
  const size = isLast ? [null, 5, 5, 1] : [null, 1, 4, 4];
  const input = b.input("input", { type: "float32", shape: size });
  const cut = [b.ints([0, 0]), b.ints([4, 4]), b.ints([1, 2])];
  const first = { name: "picture", outputs: ["picture"] };
  const picture = isLast ? b.node("Slice", [input, ...cut], first) : b.node("Identity", [input], first);
  const x = isLast ? b.node("Transpose", [picture], { attributes: { perm: ints([0, 3, 1, 2]) } }) : picture;
  const weight = b.constant(float32([2, 1, 3, 3], kernel));
  const conv = b.node("Conv", [x, weight, b.constant(float32([2], bias))], { name: "conv", outputs: ["conv"] });
  const relu = b.node("Relu", [conv], { name: "relu", outputs: ["relu"] });
  const maps = isLast ? b.node("Transpose", [relu], { attributes: { perm: ints([0, 2, 3, 1]) } }) : relu;
  const flat = b.node("Flatten", [maps], { attributes: { axis: int(1) }, name: "flatten" });
  // Place by place, its channels one after the other.
  const order = isLast ? [0, 4, 1, 5, 2, 6, 3, 7] : [0, 1, 2, 3, 4, 5, 6, 7];
  const dense = rows.flatMap((weights) => order.map((i) => weights[i]! * factor));
  const scores = b.node("Gemm", [flat, b.constant(float32([rows.length, 8], dense))], {
    attributes: { transB: int(1) },
    name: "dense",
    outputs: ["dense"],
  });
  const side = b.node("Neg", [relu], { name: "side", outputs: ["side"] });
  const out = last ? b.node(last, [scores], { name: "scores", outputs: ["scores"] }) : scores;
  b.node("Reshape", [side, b.ints([-1, 8])], { name: "unused", outputs: ["unused"] });
  return open(await writeOnnx(b.finish([out])), {
    name: "a.onnx",
    activation: last === "Softmax" ? "softmax" : "none",
  });
}

export const counting = (from = 0): Float32Array => Float32Array.from({ length: 16 }, (_, i) => i + from);
export const picture = (model: Model, numbers: Float32Array = counting()): { feeds: Tensor<"float32"> } => {
  const dims = model.input.shape.map((n) => n ?? 1);
  if (dims[1] === 1) return { feeds: float32(dims, numbers) };
  const larger = new Float32Array(25).fill(7);
  numbers.forEach((x, i) => {
    larger[5 * Math.floor(i / 4) + (i % 4)] = x;
  });
  return { feeds: float32(dims, larger) };
};
