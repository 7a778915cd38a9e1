/** Pools behind pads give what the file says, which the engine alone does not. */
import { expect, it } from "vitest";
import { float32 } from "../../core/tensor.ts";
import { builder, ints } from "../../graph/builder.ts";
import { openModel } from "../../node.ts";
import { writeOnnx } from "./write.ts";

it.each([0, -2])("negative maps padded with %d", async (fill) => {
  const build = builder();
  const x = build.input("x", { type: "float32", shape: [null, 1, 4, 4] });
  const pads = build.ints([0, 0, 1, 1, 0, 0, 1, 1]);
  const padded = build.node("Pad", [x, pads, build.scalar(fill)]);
  const [y] = build.nodes("MaxPool", [padded], {
    outputs: ["y"],
    attributes: { kernel_shape: ints([3, 3]), strides: ints([2, 2]), pads: ints([0, 0, 0, 0]) },
  });
  const model = await openModel(await writeOnnx(build.finish([y!])));
  const { y: pooled } = await model.run(float32([1, 1, 4, 4], new Float32Array(16).fill(-1)));
  const edge = Math.max(fill, -1);
  expect([...pooled!.data]).toEqual([edge, edge, edge, -1]);
  // What passes the pool passes its gradient: each window's first maximum is a pixel or padding.
  const { targets } = await model.gradient(float32([1, 1, 4, 4], new Float32Array(16).fill(-1)), {
    targets: [{ score: (emit) => emit.sum(emit.reshape("y", [-1, 4]), [1], false), label: "sum", reads: ["y"] }],
  });
  const total = targets[0]!.gradients.x!.data.reduce((sum, value) => sum + value, 0);
  expect(total).toBe(fill > -1 ? 1 : 4);
  await model.release();
});
