/** The graph's basic tools on one small network: builder, print, check, subgraph, shapes, cost. */
import { describe, expect, test } from "vitest";
import { float32 } from "../core/tensor.ts";
import { builder, int, ints } from "./builder.ts";
import { checkGraph } from "./check.ts";
import { multiplyAdds } from "./cost.ts";
import type { Graph } from "./graph.ts";
import { inferShapes, withShapes } from "./infer.ts";
import { printGraph } from "./print.ts";
import { subgraph } from "./subgraph.ts";
import { consumers, producers } from "./walk.ts";

/** Conv, Relu, pool, flatten by a computed shape, Gemm; and a second output. */
function network(): Graph {
  const b = builder();
  const x = b.input("x", { type: "float32", shape: [null, 3, 8, 8] });
  const w = b.constant(float32([4, 3, 3, 3], new Float32Array(108)), "w");
  const conv = b.node("Conv", [x, w], {
    name: "conv1",
    outputs: ["conv"],
    attributes: { kernel_shape: ints([3, 3]), group: int(1) },
  });
  const relu = b.node("Relu", [conv], { outputs: ["relu"] });
  const pool = b.node("MaxPool", [relu], {
    outputs: ["pool"],
    attributes: { kernel_shape: ints([2, 2]), strides: ints([2, 2]) },
  });
  const batch = b.node("Gather", [b.node("Shape", [pool]), b.ints([0])]);
  const target = b.node("Concat", [batch, b.ints([-1])], { attributes: { axis: int(0) } });
  const flat = b.node("Reshape", [pool, target], { outputs: ["flat"] });
  const w2 = b.constant(float32([36, 2], new Float32Array(72)), "w2");
  b.node("Gemm", [flat, w2], { outputs: ["scores"] });
  b.node("GlobalAveragePool", [relu], { outputs: ["mean"] });
  return b.finish(["scores", "mean"]);
}

test("a node may read more values than a call takes arguments", () => {
  const b = builder();
  const x = b.input("x", { type: "float32", shape: [2] });
  b.node("Sum", new Array<string>(300_000).fill(x), { outputs: ["y"] });
  const inner = builder();
  inner.node(
    "Sum",
    Array.from({ length: 300_000 }, () => "x"),
    { outputs: ["inside"] },
  );
  const body = { kind: "graph", value: inner.finish(["inside"]) } as const;
  b.node("Body", ["y"], { domain: "com.example", outputs: ["z"], attributes: { body } });
  const graph = b.finish(["y", "z"]);
  expect(subgraph(graph, ["z"]).nodes).toHaveLength(2);
  expect(inferShapes(graph, {}).get("y")).toEqual({ type: "float32", shape: [2] });
});

describe("printGraph", () => {
  test("prints one line per node, with types, shapes and sorted attributes", () => {
    expect(printGraph(withShapes(network(), { x: [1, 3, 8, 8] }))).toBe(`graph graph
input x: float32[?, 3, 8, 8]
constant const_0: int64[1] {0}
constant const_1: int64[1] {-1}
constant w: float32[4, 3, 3, 3]
constant w2: float32[36, 2]
conv: float32[?, 4, 6, 6] = Conv(x, w) group=1 kernel_shape=[3, 3] # conv1
relu: float32[?, 4, 6, 6] = Relu(conv)
pool: float32[?, 4, 3, 3] = MaxPool(relu) kernel_shape=[2, 2] strides=[2, 2]
Shape_0: int64[4] = Shape(pool)
Gather_0: int64[1] = Gather(Shape_0, const_0)
Concat_0: int64[2] = Concat(Gather_0, const_1) axis=0
flat: float32[?, 36] = Reshape(pool, Concat_0)
scores: float32[?, 2] = Gemm(flat, w2)
mean: float32[?, 4, 1, 1] = GlobalAveragePool(relu)
output scores
output mean
`);
  });
  test("tells floats from integers and quotes strange names", () => {
    const b = builder();
    b.input("a b", { type: "float32", shape: [2] });
    b.node("LeakyRelu", ["a b"], { outputs: ["_"], attributes: { alpha: { kind: "float", value: Math.fround(0.1) } } });
    b.node("Elu", ["_"], { outputs: ["y\n"], attributes: { alpha: { kind: "float", value: 1 } } });
    expect(printGraph(b.finish(["y\n"]))).toBe(
      'graph graph\ninput "a b": float32[2]\n"_" = LeakyRelu("a b") alpha=0.1\n"y\\n" = Elu("_") alpha=1.0\noutput "y\\n"\n',
    );
  });
});

describe("subgraph", () => {
  test("keeps only what the output needs", () => {
    const part = subgraph(network(), ["mean"]);
    expect(part.nodes.map((node) => node.op)).toEqual(["Conv", "Relu", "GlobalAveragePool"]);
    expect([...part.constants.keys()]).toEqual(["w"]);
    checkGraph(part);
  });
  test("starts at inner values", () => {
    const part = subgraph(withShapes(network(), { x: [1, 3, 8, 8] }), ["scores"], ["relu"]);
    expect(part.inputs).toEqual(["relu"]);
    expect(part.values.get("relu")?.shape).toEqual([null, 4, 6, 6]);
    expect(part.nodes.some((node) => node.op === "Conv")).toBe(false);
    checkGraph(part);
  });
  test("a node kept for one output does not make the value that became an input", () => {
    const b = builder();
    b.input("x", { type: "float32", shape: [4] });
    b.nodes("Split", ["x"], { outputs: ["a", "c"], attributes: { axis: int(0), num_outputs: int(2) } });
    b.node("Add", ["a", "c"], { outputs: ["y"] });
    const part = subgraph(withShapes(b.finish(["y"]), {}), ["y"], ["x", "a"]);
    expect(part.inputs).toEqual(["x", "a"]);
    expect(part.nodes[0]?.outputs).toEqual(["a/cut", "c"]);
    checkGraph(part);
  });
  test("refuses unknown values and inputs that do not suffice", () => {
    expect(() => subgraph(network(), ["score"])).toThrow('has no value "score"; nearest: "scores"');
    expect(() => subgraph(network(), ["scores"], ["mean"])).toThrow('need the input "x"');
  });
});

test("producers and consumers", () => {
  const graph = network();
  expect(producers(graph).get("relu")?.op).toBe("Relu");
  expect(
    consumers(graph)
      .get("pool")
      ?.map((node) => node.op),
  ).toEqual(["Shape", "Reshape"]);
});

describe("inferShapes", () => {
  test("follows computed shapes at any batch", () => {
    expect(inferShapes(network(), { x: [5, 3, 8, 8] }).get("flat")?.shape).toEqual([5, 36]);
  });
  test("names node, values and shapes of a contradiction", () => {
    expect(() => inferShapes(network(), { x: [1, 4, 8, 8] })).toThrow(
      'Conv "conv1": the input has 4 channels, the weight wants 3 x 1 groups (inputs "x" [1, 4, 8, 8], "w" [4, 3, 3, 3])',
    );
    expect(() => inferShapes(network(), { x: [1, 3, 9, 12] })).toThrow('Gemm "scores": cannot multiply 1x60 by 36x2');
  });
  test("leaves what it cannot tell absent", () => {
    const b = builder();
    b.input("x", { type: "float32", shape: [4] });
    b.node("NonZero", ["x"], { outputs: ["places"] });
    b.node("Relu", ["places"], { outputs: ["y"] });
    expect([...inferShapes(b.finish(["y"]), {}).keys()]).toEqual(["x"]);
  });
});

test("withShapes infers once where the network holds its own batch", () => {
  const b = builder();
  b.input("x", { type: "float32", shape: [null, 4] });
  b.node("Reshape", ["x", b.ints([1, 4])], { outputs: ["y"] });
  const shaped = withShapes(b.finish(["y"]), { x: [1, 4] });
  expect(shaped.values.get("y")?.shape).toEqual([1, 4]);
});

test("multiplyAdds counts the work of convolutions and matrix products", () => {
  const graph = network();
  const shapes = inferShapes(graph, { x: [1, 3, 8, 8] });
  const costs = Object.fromEntries(graph.nodes.map((node) => [node.outputs[0], multiplyAdds(node, shapes)]));
  expect(costs).toMatchObject({ conv: 4 * 36 * 27, scores: 72, relu: 0 });
});

describe("checkGraph", () => {
  const broken = (change: (graph: Graph) => Partial<Graph>): (() => void) => {
    const graph = network();
    return () => checkGraph({ ...graph, ...change(graph) });
  };
  test("accepts the network", () => checkGraph(network()));
  test.each<[string, (graph: Graph) => Partial<Graph>, string]>([
    ["order", ({ nodes }) => ({ nodes: nodes.toReversed() }), "which nothing before it makes"],
    ["names", ({ nodes }) => ({ nodes: [...nodes, nodes[0]!] }), '"conv" is made twice'],
    ["outputs", () => ({ outputs: ["gone"] }), 'nothing makes the output "gone"'],
    ["inputs", () => ({ values: new Map() }), 'the input "x" has no type'],
    [
      "arity",
      ({ nodes }) => ({ nodes: nodes.map((n) => (n.op === "Relu" ? { ...n, inputs: ["conv", "x"] } : n)) }),
      'Relu "relu" has 2 inputs, expected 1',
    ],
    [
      "attribute kinds",
      ({ nodes }) => ({
        nodes: nodes.map((n) => (n.op === "Conv" ? { ...n, attributes: { group: { kind: "float", value: 1 } } } : n)),
      }),
      'attribute "group" of kind float, expected int',
    ],
    [
      "constants",
      ({ constants }) => ({ constants: new Map(constants).set("w2", float32([36, 2], new Float32Array(7))) }),
      '"w2" has 7 elements for the shape [36, 2]',
    ],
  ])("finds wrong %s", (_, change, message) => expect(broken(change)).toThrow(message));
});
