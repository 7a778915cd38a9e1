/** Networks in other precisions are differentiated in float32. */
import { describe, expect, test } from "vitest";
import { differentiable } from "../../src/autodiff/differentiable.ts";
import { type ElementType, float32, type Tensor } from "../../src/core/tensor.ts";
import { writeOnnx } from "../../src/formats/onnx/write.ts";
import { builder, int } from "../../src/graph/builder.ts";
import { checkGraph } from "../../src/graph/check.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { openModel } from "../../src/node.ts";
import { w } from "./cases/case.ts";
import { exact, farthest, one, run, slopeGraph } from "./lowered.ts";

/** Numbers of half precision, as bits. */
function halves(values: ArrayLike<number>, dims: readonly number[]): Tensor {
  const bits = Uint16Array.from(Array.from(values), (value) => {
    const [sign, size] = [value < 0 ? 0x8000 : 0, Math.abs(value)];
    if (size < 2 ** -14) return sign | Math.round(size * 2 ** 24);
    const exponent = Math.floor(Math.log2(size));
    return sign + ((exponent + 15) << 10) + Math.round((size / 2 ** exponent - 1) * 1024);
  });
  return { type: "float16", dims, data: bits };
}
const make: Readonly<Record<string, (tensor: Tensor<"float32">) => Tensor>> = {
  float16: ({ data, dims }) => halves(data, dims),
  float64: ({ data, dims }) => ({ type: "float64", dims, data: Float64Array.from(data) }),
  bfloat16: ({ data, dims }) => ({
    type: "bfloat16",
    dims,
    data: Uint16Array.from(new Uint32Array(data.slice().buffer), (bits) => bits >>> 16),
  }),
};
const numberOfType: Readonly<Record<string, number>> = { float16: 10, float64: 11, bfloat16: 16 };

/** A small network in a precision, its weights representable in all of them. */
function network(type: ElementType, asInput: ElementType = type): Graph {
  const b = builder();
  const of = (tensor: Tensor<"float32">): Tensor => make[type]?.(tensor) ?? tensor;
  const coarse = (dims: readonly number[]): string => {
    const tensor = w(dims);
    return b.constant(
      of(
        float32(
          dims,
          tensor.data.map((value) => Math.round(value * 32) / 32),
        ),
      ),
    );
  };
  const input = b.input("x", { type: asInput, shape: [null, 4, 5, 5] });
  const x = asInput === type ? input : b.node("Cast", [input], { attributes: { to: int(numberOfType[type] ?? 1) } });
  const hidden = b.node("Relu", [b.node("Conv", [x, coarse([6, 4, 3, 3]), coarse([6])])]);
  const half = b.node("Constant", [], { attributes: { value: { kind: "tensor", value: of(float32([], [0.5])) } } });
  const scaled = b.node("Mul", [hidden, half]);
  const zeros = b.node("ConstantOfShape", [b.ints([1])], {
    attributes: { value: { kind: "tensor", value: of(float32([1], [0.25])) } },
  });
  const pooled = b.node("GlobalAveragePool", [b.node("Add", [scaled, zeros])]);
  return b.finish([b.node("Gemm", [b.node("Flatten", [pooled]), coarse([6, 3])])]);
}

describe("other precisions", () => {
  test.each(["float16", "float64"] as const)("%s is differentiated in float32", async (type) => {
    const { graph, notes } = differentiable(network(type));
    checkGraph(graph);
    expect(notes).toEqual([`the network's ${type} numbers are computed in float32 for its gradients`]);
    expect(graph.values.get("x")!.type).toBe(type);
    const single = network("float32");
    const x = exact(2, 60);
    const fed = { x: make[type]!(x) };
    expect(farthest(await run(graph, fed), await run(single, { x }))).toBeLessThan(1e-5);
    const [ours, theirs] = [await run(slopeGraph(graph, x.dims), fed), await run(slopeGraph(single, x.dims), { x })];
    expect(farthest(ours, theirs)).toBeLessThan(1e-6);
    expect(theirs.some((slope) => slope !== 0)).toBe(true);
  });
  // The engine's binding feeds no bfloat16.
  test.each(["float16", "bfloat16"] as const)("%s behind a Cast of a float32 input", async (type) => {
    const { graph } = differentiable(network(type, "float32"));
    const x = exact(2, 60);
    expect(farthest(await run(graph, { x }), await run(network("float32"), { x }))).toBeLessThan(1e-5);
  });
  test("a float16 network, opened as a file", async () => {
    const x = exact(2, 60);
    const [half, single] = await Promise.all(
      (["float16", "float32"] as const).map(async (type) => {
        const model = await openModel(await writeOnnx(network(type)), { preprocessing: "unit" });
        const found = await model.gradient({ x: make[type]?.(x) ?? x }, { targets: [{ class: 1 }] });
        await model.release();
        return { found, own: model.input.type };
      }),
    );
    expect(half!.own).toBe("float16");
    expect(half!.found.notes).toContain("the network's float16 numbers are computed in float32 for its gradients");
    const [ours, theirs] = [half!.found.targets[0]!, single!.found.targets[0]!];
    expect(farthest(ours.scores, theirs.scores)).toBeLessThan(1e-5);
    expect(farthest(ours.gradients.x!.data, theirs.gradients.x!.data)).toBeLessThan(1e-6);
  });
  test("ReLU6 is known by its bounds in half precision too", async () => {
    const b = builder();
    const x = b.input("x", { type: "float16", shape: [null, 5] });
    const bounds = [0, 6].map((value) =>
      b.node("Constant", [], { attributes: { value: { kind: "tensor", value: halves([value], []) } } }),
    );
    const { graph } = differentiable(b.finish([b.node("Clip", [x, ...bounds])]));
    const feeds = { x: halves([-1, 0, 3, 6, 7], [1, 5]) };
    expect([...(await run(slopeGraph(graph, [1, 5]), feeds))]).toEqual([0, 0, 1, 0, 0]);
    const c = builder();
    const y = c.input("x", { type: "float16", shape: [null, 5] });
    const held = [0, 6].map((value) => c.constant(halves([value], [])));
    const { graph: other } = differentiable(c.finish([c.node("Clip", [y, ...held])]));
    expect([...(await run(slopeGraph(other, [1, 5]), feeds))]).toEqual([0, 0, 1, 0, 0]);
  });
  test("half precision weights behind a Cast change nothing, and say nothing", () => {
    const b = builder();
    const x = b.input("x", { type: "float32", shape: [null, 4] });
    const weight = b.node("Cast", [b.constant(halves(w([4, 3]).data, [4, 3]))], { attributes: { to: int(1) } });
    const graph = b.finish([b.node("MatMul", [x, weight])]);
    expect(differentiable(graph)).toEqual({ graph, notes: [] });
    expect(differentiable(graph).graph).toBe(graph);
  });
  test("a graph inside a node is refused by name", () => {
    const b = builder();
    const x = b.input("x", { type: "float16", shape: [null, 4] });
    const inner = builder();
    const branch = inner.finish([inner.constant(halves([1], [1]))]);
    const attributes = {
      then_branch: { kind: "graph", value: branch },
      else_branch: { kind: "graph", value: branch },
    } as const;
    const chosen = b.node("If", [b.constant(one("bool", 1))], { attributes, name: "choice" });
    const graph = b.finish([b.node("Add", [x, chosen])]);
    expect(() => differentiable(graph)).toThrow('no gradient passes If "choice": the network computes in float16');
  });
});
