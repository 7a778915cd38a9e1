/** ONNX files as Python writes them: what the reader gives, and that what is written again computes the same. */
import { describe, expect, it } from "vitest";
import type { ModelFile } from "../../src/formats/format.ts";
import { readModel } from "../../src/formats/index.ts";
import { encodeGraph, writeOnnx } from "../../src/formats/onnx/write.ts";
import { elementTypeOf } from "../../src/graph/element-types.ts";
import { nodePlatform } from "../../src/platform/node.ts";
import { dataPath } from "../data.ts";
import { bytesOf, distance, expected, feedsOf, fixturePath, outputsOf } from "./fixtures.ts";

const read = async (name: string): Promise<ModelFile> =>
  readModel(await nodePlatform.open(fixturePath(`${name}.onnx`)));
const reread = async (file: ModelFile): Promise<ModelFile> =>
  readModel(await nodePlatform.open(await writeOnnx(file.graph, file.metadata), "again.onnx"));

/** Everything of a graph as plain data, weights as bytes, for comparison. */
async function plain(file: ModelFile): Promise<unknown> {
  const { constants, values, name, inputs, outputs, nodes } = file.graph;
  const weights = await Promise.all(
    [...constants].map(async ([key, constant]) => [
      key,
      constant.type,
      constant.dims,
      Buffer.from(await bytesOf(constant)).toString("hex"),
    ]),
  );
  const infos = [...values].sort(([a], [b]) => (a < b ? -1 : 1));
  return { name, inputs, outputs, nodes, weights, infos, metadata: file.metadata, layers: file.layers };
}

describe("tensors of every type and storage form", async () => {
  const { graph } = await read("types");
  it.each(Object.entries(expected.tensors))("%s", async (name, { type, dims, bytes }) => {
    const constant = graph.constants.get(name)!;
    expect(constant.type).toBe(elementTypeOf(type));
    expect(constant.dims).toEqual(dims);
    expect(Buffer.from(await bytesOf(constant)).toString("hex")).toBe(bytes);
  });

  it("leaves large raw, float and double payloads in the file and has small ones in memory", () => {
    const stored = [...graph.constants].filter(([, constant]) => "stored" in constant).map(([name]) => name);
    expect(stored.sort()).toEqual(
      [
        "large_double_raw",
        "large_double_typed",
        "large_float16_raw",
        "large_float_raw",
        "large_float_typed",
        "large_int64_raw",
        "large_int8_raw",
        "large_uint32_raw",
      ].sort(),
    );
  });
});

describe("a read model computes what its file says, as small graph and as one file", () => {
  it.each(Object.keys(expected.models))("%s", async (name) => {
    const file = await read(name);
    expect(file.opaque).toBeUndefined();
    const { outputs } = expected.models[name]!;
    const feeds = feedsOf(name);
    expect(distance(outputs, await outputsOf(encodeGraph(file.graph), feeds))).toBeLessThan(1e-5);
    const bytes = await writeOnnx(file.graph);
    expect(distance(outputs, await outputsOf({ kind: "graph", bytes, files: [] }, feeds))).toBeLessThan(1e-5);
  });

  it.each([...Object.keys(expected.models), "types", "if", "loop", "domain"])("%s reads back equal", async (name) => {
    const file = await read(name);
    expect(await plain(await reread(file))).toEqual(await plain(file));
  });
});

describe("graphs", () => {
  it("holds Constant nodes as constants, whatever their form", async () => {
    const { graph } = await read("constants");
    expect(graph.nodes.map((node) => node.op)).toEqual([
      "Cast",
      "Mul",
      "Add",
      "Add",
      "MatMul",
      "ReduceSum",
      "Unsqueeze",
    ]);
    expect(graph.constants.get("three")).toEqual({ type: "float32", dims: [3], data: Float32Array.of(1, 2, 3) });
    expect(graph.constants.get("seven")).toEqual({ type: "int64", dims: [], data: BigInt64Array.of(7n) });
    expect(graph.constants.get("big")).toHaveProperty("stored");
  });

  it("inlines functions within functions, with the call's attributes and fresh names", async () => {
    const { graph } = await read("functions");
    expect(
      graph.nodes.map((node) => `${node.name}: ${node.op}(${node.inputs}) -> ${node.outputs}`),
    ).toMatchInlineSnapshot(`
      [
        "first/Scale/times: Mul(x,first/Scale/k) -> first/s",
        "first/Scale_1/times: Mul(first/s,first/Scale_1/k) -> first/u",
        "first/Clip: Clip(first/u,) -> a",
        ": Identity(x) -> b",
        "second/Scale/times: Mul(a,second/Scale/k) -> second/s",
        "second/Scale_1/times: Mul(second/s,second/Scale_1/k) -> second/u",
        "second/Clip: Clip(second/u,low) -> c",
        ": Add(c,b) -> y",
      ]
    `);
    expect(
      [...graph.constants].map(([name, c]) => [name, "data" in c && Array.from(c.data, Number)]),
    ).toMatchInlineSnapshot(`
      [
        [
          "low",
          [
            -1,
          ],
        ],
        [
          "first/Scale/k",
          [
            2,
          ],
        ],
        [
          "first/Scale_1/k",
          [
            3,
          ],
        ],
        [
          "second/Scale/k",
          [
            2,
          ],
        ],
        [
          "second/Scale_1/k",
          [
            2,
          ],
        ],
      ]
    `);
  });

  it("takes initializers that old files list as inputs for constants", async () => {
    const { graph } = await read("old");
    expect(graph.inputs).toEqual(["x"]);
    expect([...graph.constants.keys()]).toEqual(["w"]);
  });

  it("sorts nodes, leaves symbolic and unknown axes open, and knows inner shapes", async () => {
    const { graph } = await read("unordered");
    expect(graph.nodes.map((node) => node.op)).toEqual(["Neg", "Relu", "Add"]);
    expect(graph.nodes[1]!.name).toBe("act");
    expect(Object.fromEntries(graph.values)).toEqual({
      x: { type: "float32", shape: [null, null] },
      y: { type: "float32", shape: [null, null] },
      a: { type: "float32", shape: [null, 3] },
      b: { type: "float32", shape: [null, 3] },
    });
  });

  it("leaves weights of external files there, and names those files for the engine", async () => {
    const { graph } = await read("external");
    expect(graph.constants.get("w2")).toMatchObject({ stored: { offset: 0, length: 1440 } });
    expect(graph.constants.get("b")).toMatchObject({ dims: [3], data: expect.any(Float32Array) });
    expect(
      encodeGraph(graph)
        .files.map((file) => file.location)
        .sort(),
    ).toEqual(["external.bin", "weights/second.bin"]);
  });

  it("sees that the picture comes in NHWC", async () => {
    expect((await read("nhwc")).sourceLayout).toBe("NHWC");
    expect((await read("external")).sourceLayout).toBe("NCHW");
  });

  it("names nodes within the modules that PyTorch's exporter notes", async () => {
    const { graph } = await read("scopes");
    expect(graph.nodes.map((node) => node.name)).toEqual([
      "/layer4/layer4.1/layer4.1.relu/node_relu",
      "node_neg",
      "/head/Abs",
    ]);
  });

  it("keeps operators of other domains with their domain", async () => {
    const file = await read("domain");
    expect(file.opaque).toBeUndefined();
    expect(file.graph.nodes[0]).toMatchObject({ op: "FusedMatMul", domain: "com.microsoft" });
    expect(file.description).toBe("ONNX, opset 21, written by make.py");
  });
});

describe("files that methods may not look into say why and keep their inputs and outputs", () => {
  it.each([
    ["if", 'the If node "choose" is control flow or works on sequences'],
    ["loop", 'the Loop node "y" is control flow or works on sequences'],
    ["sequence", 'the SequenceConstruct node "s" is control flow or works on sequences'],
    ["opaque-string", 'tensor "s" has elements of string'],
    ["opaque-strings", 'the Constant "s" has a value_strings, which is no plain tensor'],
    ["opaque-int4", 'tensor "s" has elements of int4'],
    ["opaque-float8", 'tensor "s" has elements of float8e4m3fn'],
    ["opaque-complex", 'tensor "s" has elements of complex64'],
    ["opaque-sparse", 'constant "s" is sparse'],
  ])("%s", async (name, reason) => {
    const file = await read(name);
    expect(file.opaque).toBe(reason);
    expect(file.graph.inputs).toEqual(["x"]);
    expect(file.graph.values.get("x")).toEqual({ type: "float32", shape: [null, 3] });
  });

  it("keeps subgraphs as attributes", async () => {
    const { graph } = await read("if");
    const branch = graph.nodes.find((node) => node.op === "If")!.attributes.then_branch!;
    expect(branch).toMatchObject({ kind: "graph", value: { inputs: [], outputs: ["Relu"] } });
  });
});

describe("real files", () => {
  it.each(Object.entries(expected.real))("%s has the nodes and weights that onnx counts", async (name, counts) => {
    const path = dataPath("models", name);
    if (!path) return;
    const source = await nodePlatform.open(path);
    let bytesRead = 0;
    const counting = {
      ...source,
      read: (offset: number, length: number) => {
        bytesRead += length;
        return source.read(offset, length);
      },
    };
    const { graph, description } = await readModel(counting);
    expect(description).toContain(`opset ${counts.opset}`);
    expect(graph.nodes.length).toBeGreaterThanOrEqual(counts.nodes);
    const constants = [...graph.constants.values()];
    expect(constants.length).toBeGreaterThanOrEqual(counts.constants);
    const parameters = constants.reduce((sum, c) => sum + c.dims.reduce((n, d) => n * d, 1), 0);
    expect(parameters).toBeGreaterThanOrEqual(counts.parameters);
    // The weights themselves are not read.
    expect(bytesRead).toBeLessThan(source.size * 0.6);
  });
});
