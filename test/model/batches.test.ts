/** Files that fix the batch at 1: freed where two at once give what each gives alone, else fed one by one, with a note. */
import { describe, expect, it } from "vitest";
import { float32, type Tensor } from "../../src/core/tensor.ts";
import { writeOnnx } from "../../src/formats/onnx/write.ts";
import { builder, int, ints } from "../../src/graph/builder.ts";
import { openModel } from "../../src/node.ts";

/** A dense layer over a declared batch of 1, flattened to `shape`; `mixed` adds the mean over the batch. */
async function network(shape: readonly number[], mixed = false): Promise<Uint8Array> {
  const build = builder();
  const x = build.input("x", { type: "float32", shape: [1, 3, 2, 2] });
  let flat = build.node("Reshape", [x, build.ints(shape)], { name: "flat" });
  if (mixed)
    flat = build.node("Sub", [
      flat,
      build.node("ReduceMean", [flat, build.ints([0])], { attributes: { keepdims: int(1) } }),
    ]);
  const weight = float32(
    [12, 4],
    Float32Array.from({ length: 48 }, (_, i) => Math.sin(i)),
  );
  const dense = build.node("MatMul", [flat, build.constant(weight)], { name: "dense" });
  const sum = build.node("ReduceSum", [dense, build.ints([1])], { name: "sum", attributes: { keepdims: int(1) } });
  return writeOnnx(build.finish([dense, sum]));
}

const pictures = (count: number): Tensor<"float32"> =>
  float32(
    [count, 3, 2, 2],
    Float32Array.from({ length: count * 12 }, (_, i) => Math.cos(i * 1.7)),
  );

for (const [what, shape, mixed, looped] of [
  ["a batch that can be freed", [-1, 12], false, false],
  ["a batch that is fixed inside", [1, 12], false, true],
  ["a batch whose pictures change each other's answers", [-1, 12], true, true],
] as const)
  describe(what, () => {
    it(looped ? "is fed one by one, and a note says so" : "is freed, without a note", async () => {
      const model = await openModel(await network(shape, mixed), { name: "net.onnx" });
      const feed = pictures(3);
      const all = await model.run(feed, { outputs: ["dense", "sum"] });
      expect(all.dense!.dims).toEqual([3, 4]);
      for (let i = 0; i < 3; i++) {
        const one = await model.run(float32([1, 3, 2, 2], feed.data.slice(i * 12, i * 12 + 12)), {
          outputs: ["dense"],
        });
        for (let k = 0; k < 4; k++) expect(all.dense!.data[i * 4 + k]).toBeCloseTo(one.dense!.data[k]!, 5);
      }
      expect(model.notes.filter((note) => note.includes("one by one"))).toHaveLength(looped ? 1 : 0);
      await model.release();
    });
  });

describe("stopping", () => {
  it("ends between pictures and leaves the model usable", async () => {
    const model = await openModel(await network([1, 12]), { name: "net.onnx" });
    const stop = new AbortController();
    const onProgress = (done: number) => done === 1 && stop.abort();
    await expect(model.run(pictures(4), { signal: stop.signal, onProgress })).rejects.toMatchObject({
      code: "cancelled",
    });
    const after = await model.run(pictures(1));
    expect(Object.values(after)[0]!.dims).toEqual([1, 4]);
    await model.release();
    await model.release();
  });
});

describe("results that are no batch", () => {
  it("an input whose first axis is no batch passes whole beside one that is fixed at 1", async () => {
    const build = builder();
    const x = build.input("x", { type: "float32", shape: [1, 3] });
    const table = build.input("table", { type: "float32", shape: [4, 3] });
    const y = build.node("MatMul", [x, build.node("Transpose", [table])], { name: "y" });
    const model = await openModel(await writeOnnx(build.finish([y])), { name: "net.onnx" });
    const rows = float32([4, 3], [1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1]);
    const results = await model.run({ x: float32([1, 3], [2, 3, 4]), table: rows });
    expect([...Object.values(results)[0]!.data]).toEqual([2, 3, 4, 9]);
    await model.release();
  });

  it("an attribute order such as perm survives writing and opening", async () => {
    const build = builder();
    const x = build.input("x", { type: "float32", shape: [null, 2, 3] });
    const y = build.node("Transpose", [x], { name: "turn", attributes: { perm: ints([0, 2, 1]) } });
    const model = await openModel(await writeOnnx(build.finish([y])), { name: "net.onnx" });
    const { turn } = await model.run(float32([1, 2, 3], [0, 1, 2, 3, 4, 5]), { outputs: ["turn"] });
    expect([...turn!.data]).toEqual([0, 3, 1, 4, 2, 5]);
    await model.release();
  });
});
