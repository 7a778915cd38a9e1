/** `If` nodes whose branch is known are put in line: the file computes what it did, and methods look inside. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { float32, type Tensor } from "../../src/core/tensor.ts";
import { readModel } from "../../src/formats/index.ts";
import { encodeGraph, writeOnnx } from "../../src/formats/onnx/write.ts";
import { type Builder, builder, int } from "../../src/graph/builder.ts";
import { checkGraph } from "../../src/graph/check.ts";
import type { Attribute, Dimension } from "../../src/graph/graph.ts";
import { openModel } from "../../src/node.ts";
import { nodePlatform } from "../../src/platform/node.ts";
import { distance, fixturePath, outputsOf } from "./fixtures.ts";

const branch = (make: (inner: Builder) => readonly string[]): Attribute => {
  const inner = builder();
  return { kind: "graph", value: inner.finish(make(inner)) };
};
const yes = (build: Builder, value = 1): string =>
  build.constant({ type: "bool", dims: [], data: Uint8Array.of(value) });
/** Whether axis `axis` of a value has the size `size`, as exporters ask. */
const hasSize = (build: Builder, value: string, axis: number, size: number): string => {
  const at = build.constant({ type: "int64", dims: [], data: BigInt64Array.of(BigInt(axis)) });
  const wanted = build.constant({ type: "int64", dims: [], data: BigInt64Array.of(BigInt(size)) });
  return build.node("Equal", [build.node("Gather", [build.node("Shape", [value]), at]), wanted]);
};
const wave = (...dims: number[]): Tensor<"float32"> =>
  float32(
    dims,
    Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i * 1.3)),
  );

/** The file as it is read, after a comparison of its outputs with those of the engine on the original bytes. */
async function read(build: Builder, outputs: readonly string[], ...feeds: Tensor[]) {
  const bytes = await writeOnnx(build.finish(outputs));
  const file = await readModel(await nodePlatform.open(bytes, "net.onnx"));
  if (file.opaque !== undefined) return file;
  checkGraph(file.graph);
  const source = await nodePlatform.open(bytes, "net.onnx");
  for (const x of feeds) {
    const wanted = await outputsOf({ kind: "file", source }, { x });
    expect(distance(await outputsOf(encodeGraph(file.graph), { x }), wanted)).toBe(0);
  }
  return file;
}
const ops = (file: Awaited<ReturnType<typeof read>>): string[] => file.graph.nodes.map(({ op }) => op);
const start = (...shape: Dimension[]): [Builder, string] => {
  const build = builder();
  return [build, build.input("x", { type: "float32", shape })];
};

describe("the branch is put in line", () => {
  it.each([
    [1, ["Neg", "Relu"]],
    [0, ["Abs", "Relu"]],
  ])("of a constant condition %d, under the name of the If", async (value, wanted) => {
    const [build, x] = start(null, 3);
    const y = build.node("If", [yes(build, value)], {
      name: "choice",
      attributes: {
        then_branch: branch((b) => [b.node("Neg", [x])]),
        else_branch: branch((b) => [b.node("Abs", [x])]),
      },
    });
    const file = await read(build, [build.node("Relu", [y], { outputs: ["y"] })], wave(2, 3));
    expect(file.opaque).toBeUndefined();
    expect(ops(file)).toEqual(wanted);
    expect(file.graph.nodes[0]!.name).toBe("choice");
  });

  it.each([
    [1, ["Reshape"]],
    [5, ["Identity"]],
  ])("of squeeze(1) on an axis of %d, and what only the condition read goes", async (size, wanted) => {
    const [build, x] = start(null, size, 4);
    const y = build.node("If", [hasSize(build, x, 1, 1)], {
      attributes: {
        then_branch: branch((b) => [b.node("Reshape", [x, b.ints([0, -1])])]),
        else_branch: branch((b) => [b.node("Identity", [x])]),
      },
      outputs: ["y"],
    });
    const file = await read(build, [y], wave(1, size, 4), wave(3, size, 4));
    expect(ops(file)).toEqual(wanted);
    expect(file.graph.constants.size).toBe(size === 1 ? 1 : 0);
  });

  it("within branches, where names meet outer and inner ones, with captured values and several outputs", async () => {
    const [build, x] = start(null, 1, 4);
    const outer = build.node("Sigmoid", [x], { outputs: ["t"], name: "t" });
    const scale = build.constant(float32([], [3]), "scale");
    const condition = hasSize(build, x, 2, 4);
    // Both branches and the graph within call values "a", "b"; the inner If hides nothing and reads from two levels.
    const deep = (op: string): Attribute => branch((b) => [b.node(op, ["a", "t"], { outputs: ["b"], name: "t" })]);
    const side = (op: string): Attribute =>
      branch((b) => {
        const own = b.constant(float32([], [0.5]), "half");
        const a = b.node(op, [x, "scale"], { outputs: ["a"], name: "t" });
        const inner = b.node("If", [condition], {
          attributes: { then_branch: deep("Add"), else_branch: deep("Sub") },
          outputs: ["c"],
        });
        return [
          b.node("Mul", [inner, own], { outputs: ["b"] }),
          a,
          b.node("Identity", [outer], { outputs: ["d"] }),
          own,
        ];
      });
    const results = [1, 2].flatMap((k) => {
      const attributes = { then_branch: side("Mul"), else_branch: side("Div") };
      return build.nodes("If", [hasSize(build, x, 1, k)], {
        name: `choice${k}`,
        attributes,
        outputs: ["p", "q", "r", "h"].map((n) => n + k),
      });
    });
    const file = await read(build, [...results, build.node("Mul", [outer, scale])], wave(1, 1, 4), wave(2, 1, 4));
    expect(file.opaque).toBeUndefined();
    expect(ops(file).filter((op) => op === "Add")).toHaveLength(2);
    expect(ops(file)).not.toContain("Sub");
    expect(ops(file)).toEqual(expect.arrayContaining(["Mul", "Div"]));
    // Engines refuse a second node of the same name.
    const names = file.graph.nodes.map(({ name }) => name).filter(Boolean);
    expect(new Set(names).size).toBe(names.length);
  });

  it("whose outputs are outer values, or twice the same: engines refuse that in a branch, here they are copies", async () => {
    const [build, x] = start(1, 2);
    const outputs = build.nodes("If", [yes(build)], {
      attributes: {
        then_branch: branch((b) => {
          const n = b.node("Neg", [x]);
          return [n, n, x];
        }),
        else_branch: branch((b) => [b.node("Abs", [x]), x, x]),
      },
      outputs: ["n", "m", "o"],
    });
    const { graph } = await read(build, outputs);
    const found = await outputsOf(encodeGraph(graph), { x: float32([1, 2], [1, -2]) });
    expect(found).toEqual({ n: [-1, 2], m: [-1, 2], o: [1, -2] });
  });

  it("one behind the other: the second's condition follows from the first's branch", async () => {
    const [build, x] = start(null, 1, 1, 4);
    let value = x;
    for (const [i, size] of [1, 1, 4].entries()) {
      const before = value;
      value = build.node("If", [hasSize(build, before, 1, 1)], {
        attributes: {
          then_branch: branch((b) => [b.node("Squeeze", [before, b.ints([1])], { outputs: ["s"] })]),
          else_branch: branch((b) => [b.node("Neg", [before], { outputs: ["s"] })]),
        },
        name: `squeeze ${i} of size ${size}`,
      });
    }
    expect(ops(await read(build, [value], wave(1, 1, 1, 4), wave(2, 1, 1, 4)))).toEqual(["Squeeze", "Squeeze", "Neg"]);
  });

  it("where open sizes are in the way but not in the condition", async () => {
    const [build, x] = start(null, 3, null, null);
    const pooled = build.node("GlobalAveragePool", [x]);
    const y = build.node("If", [hasSize(build, pooled, 3, 1)], {
      attributes: {
        then_branch: branch((b) => [b.node("Squeeze", [pooled, b.ints([3])])]),
        else_branch: branch((b) => [b.node("Identity", [pooled])]),
      },
    });
    expect(ops(await read(build, [y], wave(2, 3, 5, 7)))).toEqual(["GlobalAveragePool", "Squeeze"]);
  });
});

describe("the file stays as it is where the condition depends on", () => {
  const choose = (build: Builder, x: string, condition: string): string =>
    build.node("If", [condition], {
      name: "choice",
      attributes: {
        then_branch: branch((b) => [b.node("Neg", [x])]),
        else_branch: branch((b) => [b.node("Abs", [x])]),
      },
    });
  const scalar = (build: Builder, value: number): string =>
    build.constant({ type: "int64", dims: [], data: BigInt64Array.of(BigInt(value)) });
  const batch = (build: Builder, x: string): string =>
    build.node("Gather", [build.node("Shape", [x]), scalar(build, 0)]);
  it.each<[string, (build: Builder, x: string) => string]>([
    [
      "numbers",
      (b, x) => b.node("Greater", [b.node("ReduceMax", [x], { attributes: { keepdims: int(0) } }), b.scalar(0)]),
    ],
    ["whether there is one picture", (b, x) => hasSize(b, x, 0, 1)],
    ["a number of pictures that no probe has", (b, x) => hasSize(b, x, 0, 8)],
    ["whether there are many", (b, x) => b.node("Greater", [batch(b, x), scalar(b, 1000)])],
    [
      "the number of pictures, rounded",
      (b, x) => b.node("Equal", [b.node("Div", [batch(b, x), scalar(b, 100)]), scalar(b, 0)]),
    ],
    ["another open size", (b, x) => hasSize(b, x, 2, 32)],
    ["a number of elements", (b, x) => b.node("Greater", [b.node("Size", [x]), scalar(b, 1)])],
  ])("%s", async (_, condition) => {
    const [build, x] = start(null, 3, null, 4);
    const file = await read(build, [choose(build, x, condition(build, x))]);
    expect(file.opaque).toBe('the If node "choice" is control flow or works on sequences');
    expect(file.graph.nodes.at(-1)!.op).toBe("If");
  });
});

describe("squeeze(1) as PyTorch's TorchScript exporter writes it", async () => {
  const wanted = JSON.parse(readFileSync(fixturePath("squeeze.json"), "utf8"));
  const input = float32([2, 3, 8, 8], Float32Array.from(wanted.input));
  it("is open: scores and gradients are PyTorch's", async () => {
    const model = await openModel(fixturePath("squeeze.onnx"), { preprocessing: "raw" });
    expect(model.opaque).toBeUndefined();
    expect(model.graph.nodes.map(({ op }) => op)).toEqual(expect.arrayContaining(["Squeeze", "Identity"]));
    expect(model.graph.nodes.map(({ op }) => op)).not.toContain("Equal");
    const { y } = await model.run(input);
    expect(distance({ y: wanted.logits }, { y: [...y!.data] })).toBeLessThan(1e-6);
    const { targets } = await model.gradient({ x: input }, { targets: [{ class: 1 }] });
    const gradient = [...targets[0]!.gradients.x!.data];
    expect(Math.max(...gradient.map((value, i) => Math.abs(value - wanted.gradient[i])))).toBeLessThan(1e-6);
    expect(Math.max(...gradient)).toBeGreaterThan(1e-3);
    await model.release();
  });
});
