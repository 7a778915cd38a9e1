/** ONNX files that contradict themselves: one clear line each, never a crash, a hang or a silent guess. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ConvlensError } from "../../src/core/errors.ts";
import type { ModelFile } from "../../src/formats/format.ts";
import { readModel } from "../../src/formats/index.ts";
import {
  type GraphProtoSchema,
  ModelProtoSchema,
  type NodeProtoSchema,
  type TensorProtoSchema,
  type ValueInfoProtoSchema,
} from "../../src/formats/onnx/onnx_pb.ts";
import { nodePlatform } from "../../src/platform/node.ts";

type Tensor = MessageInitShape<typeof TensorProtoSchema>;
type Node = MessageInitShape<typeof NodeProtoSchema>;
type Part<T> = Exclude<T, { $typeName: string }> | T;
type GraphInit = MessageInitShape<typeof GraphProtoSchema>;
type ModelInit = MessageInitShape<typeof ModelProtoSchema>;

const value = (name: string): MessageInitShape<typeof ValueInfoProtoSchema> => ({
  name,
  type: { value: { case: "tensorType", value: { elemType: 1, shape: { dim: [{}, {}] } } } },
});
const node = (opType: string, input: string[], output: string[], rest: Part<Node> = {}): Node =>
  ({ opType, input, output, ...rest }) as Node;
const relu = node("Relu", ["x"], ["y"]);

/** A small model with parts replaced. */
function bytesOf(graph: Partial<GraphInit>, model: Partial<ModelInit> = {}): Uint8Array {
  const init = {
    irVersion: 10n,
    producerName: "test",
    opsetImport: [{ version: 21n }],
    graph: { name: "g", node: [relu], input: [value("x")], output: [value("y")], ...graph },
    ...model,
  } as ModelInit;
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, init));
}
const read = async (bytes: Uint8Array): Promise<ModelFile> => readModel(await nodePlatform.open(bytes, "m.onnx"));
async function failure(bytes: Uint8Array): Promise<string> {
  const error = await read(bytes).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ConvlensError)) return `no ConvlensError but ${String(error)}`;
  expect(error.message).not.toContain("\n");
  return `${error.code}: ${error.message}`;
}
const tensor = (init: Part<Tensor>): Partial<GraphInit> => ({
  initializer: [{ name: "w", dataType: 1, ...init } as Tensor],
});
const zeros = (length: number): Uint8Array => new Uint8Array(length).fill(1);
const again = "the file is damaged, get it or export it again";

describe("graphs", () => {
  it.each<[string, Partial<GraphInit>, string]>([
    ["no node", { node: [] }, "model-invalid: m.onnx holds an empty graph; export the model again"],
    ["no output", { output: [] }, "model-invalid: m.onnx holds an empty graph; export the model again"],
    [
      "an undefined value",
      { node: [node("Add", ["x", "ghost"], ["y"], { name: "sum" })] },
      `model-invalid: Add "sum" of m.onnx uses the value "ghost", which nothing defines; ${again}`,
    ],
    [
      "an undefined output",
      { output: [value("z")] },
      `model-invalid: an output of m.onnx uses the value "z", which nothing defines; ${again}`,
    ],
    [
      "a value defined twice",
      { node: [relu, node("Neg", ["x"], ["y"])] },
      'model-invalid: value "y" of m.onnx is defined twice; export the model again',
    ],
    [
      "a node that writes an input",
      { node: [node("Relu", ["y"], ["x"])], output: [value("x")] },
      'model-invalid: value "x" of m.onnx is defined twice; export the model again',
    ],
    ["an input named twice", { input: [value("x"), value("x")] }, 'model-invalid: m.onnx has two inputs "x"'],
    ["an input without name", { input: [value("x"), value("")] }, "model-invalid: an input of m.onnx has no name"],
    [
      "a constant without name",
      { initializer: [{ dataType: 1, dims: [], rawData: zeros(4) }] },
      "model-invalid: a constant of m.onnx has no name",
    ],
    [
      "a cycle",
      { node: [node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"]), node("Relu", ["b"], ["y"])] },
      'model-invalid: Add "a" of m.onnx needs its own result (a cycle)',
    ],
    ["a node without operator", { node: [node("", ["x"], ["y"])] }, "model-invalid: a node of m.onnx has no operator"],
    [
      "an empty Constant",
      { node: [node("Constant", [], ["c"]), relu] },
      'model-invalid: the Constant node "c" of m.onnx has no value',
    ],
  ])("%s", async (_, graph, message) => {
    expect(await failure(bytesOf(graph))).toBe(message);
  });

  it("no graph at all", async () => {
    const { graph: _, ...rest } = create(ModelProtoSchema, { irVersion: 8n, opsetImport: [{ version: 21n }] });
    expect(await failure(toBinary(ModelProtoSchema, create(ModelProtoSchema, rest)))).toBe(
      "model-invalid: m.onnx holds no graph; export the model again",
    );
  });

  it("graphs nested without end", async () => {
    let graph: Partial<GraphInit> = { node: [relu], output: [value("y")], docString: "x".repeat(1200) };
    for (let i = 0; i < 60; i++)
      graph = {
        node: [node("If", ["x"], ["y"], { attribute: [{ name: "then_branch", type: 5, g: graph as GraphInit }] })],
        output: [value("y")],
      };
    expect(await failure(bytesOf({ ...graph, input: [value("x")] }))).toMatch(
      /^model-invalid: m.onnx nests graphs deeper/,
    );
  });
});

describe("functions", () => {
  const call = (name: string): Node => node(name, ["x"], ["y"], { domain: "local" });
  it("that call themselves", async () => {
    const functions = ["f", "g"].map((name, i) => ({
      domain: "local",
      name,
      input: ["x"],
      output: ["y"],
      node: [call(["g", "f"][i]!)],
    }));
    expect(await failure(bytesOf({ node: [call("f")] }, { functions }))).toMatch(
      /^model-invalid: function "[fg]" of m.onnx calls itself$/,
    );
  });

  it("that double with each call", async () => {
    const functions = Array.from({ length: 40 }, (_, i) => ({
      domain: "local",
      name: `f${i}`,
      input: ["x"],
      output: ["y"],
      node: [
        node(`f${i + 1}`, ["x"], ["a"], { domain: "local" }),
        node(`f${i + 1}`, ["a"], ["y"], { domain: "local" }),
      ],
    }));
    expect(await failure(bytesOf({ node: [call("f0")] }, { functions }))).toBe(
      "model-invalid: the functions of m.onnx expand to over 200000 nodes",
    );
  });
});

it.each([
  [
    "structure",
    (bytes: Uint8Array): Part<Tensor> => ({ stringData: [bytes] }),
    "holds 129 MiB that are no plain weights (limit 64 MiB)",
  ],
  [
    "numbers",
    (bytes: Uint8Array): Part<Tensor> => ({ int32Data: bytes as unknown as number[] }),
    "holds 129 MiB of weights written number by number (limit 128 MiB)",
  ],
])("more %s than memory holds is refused before it is decoded", async (_, data, message) => {
  const bytes = bytesOf(tensor({ dataType: 3, ...data(new Uint8Array(129 * 2 ** 20)) }));
  expect(await failure(bytes)).toBe(`model-unsupported: m.onnx ${message}; save the model again with raw tensor data`);
});

it("functions called twenty thousand times under one name are inlined", async () => {
  const twice = [node("Neg", ["x"], ["n"]), node("Neg", ["n"], ["y"])];
  const functions = [{ domain: "local", name: "f", input: ["x"], output: ["y"], node: twice }];
  const calls = Array.from({ length: 20_000 }, (_, i) =>
    node("f", [i === 0 ? "x" : `v${i - 1}`], [i === 19_999 ? "y" : `v${i}`], { domain: "local", name: "call" }),
  );
  const { graph } = await read(bytesOf({ node: calls }, { functions }));
  expect(graph.nodes).toHaveLength(40_000);
  expect(new Set(graph.nodes.flatMap((n) => [n.name, ...n.outputs])).size).toBe(80_000);
});

describe("tensors", () => {
  it.each<[string, Part<Tensor>, string]>([
    [
      "shorter than its shape",
      { dims: [3n, 4n], rawData: zeros(40) },
      "its shape [3, 4] of float32 needs 48 bytes, its data has 40",
    ],
    [
      "longer than its shape",
      { dims: [3n], rawData: zeros(16) },
      "its shape [3] of float32 needs 12 bytes, its data has 16",
    ],
    [
      "large and short",
      { dims: [999n], rawData: zeros(3992) },
      "its shape [999] of float32 needs 3996 bytes, its data has 3992",
    ],
    ["typed and short", { dims: [3n], floatData: [1, 2] }, "its shape [3] of float32 needs 12 bytes, its data has 8"],
    ["without data", { dims: [2n] }, "its shape [2] of float32 needs 8 bytes, its data has 0"],
    [
      "of 100 GB",
      { dims: [100000n, 250000n], rawData: zeros(8) },
      "its shape [100000, 250000] of float32 needs 100000000000 bytes, its data has 8",
    ],
    [
      "of 100 GB, stored",
      { dims: [100000n, 250000n], rawData: zeros(4000) },
      "its shape [100000, 250000] of float32 needs 100000000000 bytes, its data has 4000",
    ],
    [
      "of a size beyond all numbers",
      { dims: [2n ** 40n, 2n ** 40n], rawData: zeros(8) },
      `its shape [${2n ** 40n}, ${2n ** 40n}] of float32 needs ${2n ** 82n} bytes, its data has 8`,
    ],
  ])("%s", async (_, init, message) => {
    expect(await failure(bytesOf(tensor(init)))).toBe(`model-invalid: tensor "w" of m.onnx: ${message}; ${again}`);
  });

  it("with a negative axis", async () => {
    expect(await failure(bytesOf(tensor({ dims: [-1n], rawData: zeros(4) })))).toBe(
      'model-invalid: tensor "w" of m.onnx has the shape [-1]',
    );
  });

  it("with more axes than any engine takes", async () => {
    const dims = new Array<bigint>(100_000).fill(2n ** 62n);
    expect(await failure(bytesOf(tensor({ dims })))).toBe(
      'model-invalid: tensor "w" of m.onnx has 100000 axes, expected at most 64',
    );
  });

  it.each(["9 99999999 4", "9 -4 4", "9 0.5 4", "9 0 -4", "9"])(
    "with a payload said to lie outside the file: %s",
    async (value) => {
      const externalData = [{ key: "convlens.stored", value }];
      expect(await failure(bytesOf(tensor({ dims: [1n], externalData })))).toBe(
        'model-invalid: tensor "w" of m.onnx lies outside the file',
      );
    },
  );
});

describe("external data", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "convlens-external-"));
    mkdirSync(join(folder, "model"));
    writeFileSync(join(folder, "secret.bin"), zeros(64));
    writeFileSync(join(folder, "model", "w.bin"), zeros(64));
    symlinkSync(join(folder, "secret.bin"), join(folder, "model", "link.bin"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const failureOf = async (entries: Record<string, string>): Promise<string> => {
    const externalData = Object.entries(entries).map(([key, text]) => ({ key, value: text }));
    const bytes = bytesOf(tensor({ dims: [16n], dataLocation: 1, externalData }));
    const path = join(folder, "model", "m.onnx");
    writeFileSync(path, bytes);
    return readModel(await nodePlatform.open(path)).then(
      () => "no failure",
      (error: unknown) =>
        error instanceof ConvlensError ? `${error.code}: ${error.message}` : `no ConvlensError: ${error}`,
    );
  };
  const where = 'model-invalid: tensor "w" of m.onnx: ';

  it("beside the model is read", async () => {
    expect(await failureOf({ location: "w.bin" })).toBe("no failure");
  });
  it.each([
    "../secret.bin",
    "a/../../secret.bin",
    "/etc/passwd",
    "C:\\secret.bin",
    "..\\secret.bin",
    "\\\\host\\w.bin",
    "w.bin\0.txt",
  ])("outside the folder: %s", async (location) => {
    expect(await failureOf({ location })).toBe(
      `${where}its data is said to be in "${location}", outside the model's folder; put the weights beside the model and save it again`,
    );
  });
  it("outside the folder, through a link", async () => {
    expect(await failureOf({ location: "link.bin" })).toMatch(/^model-invalid: .*link\.bin/);
  });
  it("that is not there", async () => {
    expect(await failureOf({ location: "gone.bin" })).toBe(
      `file-missing: tensor "w" of m.onnx: its data is in "gone.bin", which is not in the model's folder ${join(folder, "model")}; put that file beside m.onnx`,
    );
  });
  it.each<[Record<string, string>, string]>([
    [
      { location: "w.bin", offset: "32", length: "64" },
      "its data lies at 32..96 of w.bin, which has 64 bytes; get both files again",
    ],
    [
      { location: "w.bin", offset: "900" },
      "its data lies at 900..900 of w.bin, which has 64 bytes; get both files again",
    ],
    [{ location: "w.bin", offset: "32" }, `its shape [16] of float32 needs 64 bytes, its data has 32; ${again}`],
    [{ location: "w.bin", offset: "-4" }, 'offset of its external data is "-4", not a number'],
    [
      { location: "w.bin", length: "99999999999999999999" },
      'length of its external data is "99999999999999999999", not a number',
    ],
    [{ offset: "0" }, "its external data names no file"],
  ])("with the entries %j", async (entries, message) => {
    expect(await failureOf(entries)).toBe(where + message);
  });
});

describe("opsets", () => {
  it("older than 7 run in the engine only", async () => {
    expect((await read(bytesOf({}, { opsetImport: [{ version: 6n }] }))).opaque).toMatch(/opset 6/);
  });
  it("newer than known run in the engine only", async () => {
    expect((await read(bytesOf({}, { opsetImport: [{ version: 99n }] }))).opaque).toMatch(/opset 99/);
  });
});

describe("layer tables", () => {
  const row = { name: "act", class: "ReLU", output: "y", inputs: ["x"], weights: [] };
  const withTable = (table: unknown): Uint8Array =>
    bytesOf(
      {},
      { metadataProps: [{ key: "convlens.layers", value: typeof table === "string" ? table : JSON.stringify(table) }] },
    );
  const good = { version: 1, sourceLayout: "NHWC", layers: [row] };

  it("are taken with their layout", async () => {
    const file = await read(withTable(good));
    expect(file.layers).toEqual([row]);
    expect(file.sourceLayout).toBe("NHWC");
  });
  it.each<[unknown, string]>([
    ["{", "no valid JSON"],
    ["[]", "no JSON object"],
    [{ ...good, version: 2 }, "version is 2, expected 1"],
    [{ ...good, sourceLayout: "CHW" }, 'sourceLayout is "CHW", expected NCHW or NHWC'],
    [{ ...good, layers: {} }, "layers is no array"],
    [{ ...good, layers: [{}] }, "row 0 has no name"],
    [{ ...good, layers: [row, row] }, 'layer "act" is there twice'],
    [{ ...good, layers: [{ ...row, class: 3 }] }, 'layer "act" has no class'],
    [{ ...good, layers: [{ ...row, output: "z" }] }, 'layer "act" has the output "z", no value of the graph'],
    [{ ...good, layers: [{ ...row, layout: "NC" }] }, 'layer "act" has the layout "NC"'],
    [{ ...good, layers: [{ ...row, inputs: "x" }] }, 'layer "act" has no list of input names'],
    [
      { ...good, layers: [{ ...row, weights: [{ name: "k", value: "k" }] }] },
      'weight "k" has the value "k", none of the graph',
    ],
    [
      { ...good, layers: [{ ...row, weights: [{ name: "k", value: "x", axes: [1, 1] }] }] },
      'weight "k": axes are no order of axes',
    ],
  ])("%j", async (table, message) => {
    const text = await failure(withTable(table));
    expect(text).toMatch(/^model-invalid: the layer table of m.onnx/);
    expect(text).toContain(message);
  });
});
