/** Conversion to the IR's opset: nothing forgotten, and the same numbers as the file gave at its own opset. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { ConvlensError } from "../../src/core/errors.ts";
import { float32, fromBytes, type Tensor, toFloat32 } from "../../src/core/tensor.ts";
import { readModel } from "../../src/formats/index.ts";
import { oldestOpset, toIrOpset } from "../../src/formats/onnx/opset/index.ts";
import { rewrites } from "../../src/formats/onnx/opset/rewrites.ts";
import { sameMeaning } from "../../src/formats/onnx/opset/same.ts";
import { newestOpset, versions } from "../../src/formats/onnx/opset/versions.generated.ts";
import { encodeGraph } from "../../src/formats/onnx/write.ts";
import { builder, float, int } from "../../src/graph/builder.ts";
import { checkGraph } from "../../src/graph/check.ts";
import { OPSET } from "../../src/graph/graph.ts";
import { printGraph } from "../../src/graph/print.ts";
import { nodePlatform } from "../../src/platform/node.ts";

interface Encoded {
  readonly type: Tensor["type"];
  readonly dims: readonly number[];
  readonly data: string;
}
interface Case {
  readonly name: string;
  readonly op: string;
  readonly opset: number;
  readonly model: string;
  readonly inputs: Readonly<Record<string, Encoded>>;
  readonly outputs: Readonly<Record<string, Encoded>>;
}
const archive = readFileSync(new URL("../fixtures/graph/opsets.json.gz", import.meta.url));
const cases: readonly Case[] = JSON.parse(gunzipSync(archive).toString());

const tensor = ({ type, dims, data }: Encoded): Tensor =>
  fromBytes(type, dims, new Uint8Array(Buffer.from(data, "base64")));
const decoded = (all: Case["inputs"]): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(all).map(([name, value]) => [name, tensor(value)]));

/** The version of an operator that a file of an opset uses. */
const versionAt = (op: string, opset: number): number | undefined => versions[op]?.findLast((since) => since <= opset);
const ruled = (op: string, version: number): boolean =>
  rewrites[op]?.[version] !== undefined || sameMeaning[op]?.[version] !== undefined;

describe("the tables", () => {
  const changed = Object.entries(versions).flatMap(([op, history]) =>
    history
      .filter((since) => since !== versionAt(op, OPSET) && since >= (versionAt(op, oldestOpset) ?? 0))
      .map((since) => ({ op, since })),
  );
  test.each(changed)("know $op of opset $since", ({ op, since }) => expect(ruled(op, since)).toBe(true));
  test("hold no entry beside the changelog", () => {
    for (const table of [rewrites, sameMeaning])
      for (const [op, entries] of Object.entries(table))
        for (const since of Object.keys(entries).map(Number)) expect(versions[op], `${op} ${since}`).toContain(since);
  });
  test("have a fixture for each rewrite that is not a refusal", () => {
    const covered = new Set(cases.map(({ op, opset }) => `${op} ${versionAt(op, opset)}`));
    const without = Object.entries(rewrites).flatMap(([op, entries]) =>
      Object.entries(entries)
        .filter(([since, rewrite]) => !rewrite.name.startsWith("refused") && !covered.has(`${op} ${since}`))
        .map(([since]) => `${op} ${since}`),
    );
    // These two mark operators as withdrawn; engines refuse such files, so nothing can be compared.
    expect(without).toEqual(["Scatter 11", "Upsample 10"]);
  });
});

describe("converted models answer as before", () => {
  test.each(cases)("$name", async ({ name, op, opset, model, inputs, outputs }) => {
    const source = await nodePlatform.open(new Uint8Array(Buffer.from(model, "base64")), `${name}.onnx`);
    const { graph, opaque } = await readModel(source);
    expect(opaque).toBeUndefined();
    checkGraph(graph);
    if (opset !== OPSET) expect(graph.nodes.map((node) => node.name)).toContain(`the ${op}`);
    const session = await (await nodePlatform.engine()).createSession(encodeGraph(graph));
    const got = await session.run(decoded(inputs));
    for (const [output, encoded] of Object.entries(outputs)) {
      const wanted = tensor(encoded);
      expect(got[output]?.dims).toEqual(wanted.dims);
      expect(got[output]?.type).toBe(wanted.type);
      const [a, b] = [toFloat32(got[output]!), toFloat32(wanted)];
      for (let i = 0; i < b.length; i++)
        expect(Math.abs(a[i]! - b[i]!), `element ${i}`).toBeLessThan(1e-5 + 1e-5 * Math.abs(b[i]!));
    }
    await session.release();
  });
});

describe("toIrOpset", () => {
  const one = (op: string, attributes = {}): ReturnType<ReturnType<typeof builder>["finish"]> => {
    const b = builder();
    b.input("x", { type: "float32", shape: [null, 4, 1, 1] });
    b.node(op, ["x"], { name: "mine", outputs: ["y"], attributes });
    return b.finish(["y"]);
  };
  test("keeps a softmax over one long axis a softmax", () => {
    expect(printGraph(toIrOpset(one("Softmax"), 9).graph)).toContain("y = Softmax(x) axis=1 # mine");
  });
  test("knows a matrix behind values it knows nothing of", () => {
    const b = builder();
    b.input("x", { type: "float32", shape: [null, 4] });
    const odd = b.node("Mystery", ["x"], { domain: "com.example" });
    const scores = b.node("Gemm", [odd, b.constant(float32([4, 2], new Float32Array(8)), "w")]);
    b.node("Softmax", [scores], { outputs: ["y"], attributes: { axis: int(1) } });
    expect(printGraph(toIrOpset(b.finish(["y"]), 11).graph)).toContain("y = Softmax(Gemm_0) axis=-1\n");
  });
  test("turns bounds into constants", () => {
    expect(printGraph(toIrOpset(one("Clip", { min: float(0), max: float(6) }), 9).graph)).toBe(
      "graph graph\ninput x: float32[?, 4, 1, 1]\nconstant y/const: float32[]\nconstant y/const_1: float32[]\ny = Clip(x, y/const, y/const_1) # mine\noutput y\n",
    );
  });
  test("leaves operators of other domains and unknown ones alone", () => {
    const b = builder();
    b.input("x", { type: "float32", shape: [2] });
    b.node("Clip", [b.node("ScaledTanh", ["x"])], {
      domain: "com.example",
      outputs: ["y"],
      attributes: { min: float(0) },
    });
    const graph = b.finish(["y"]);
    expect(printGraph(toIrOpset(graph, 8).graph)).toBe(printGraph(graph));
  });
  test("converts the graphs inside nodes, which see outer values", () => {
    const inner = builder();
    inner.node("Softmax", ["x"], { outputs: ["inside"] });
    const b = builder();
    b.input("x", { type: "float32", shape: [null, 4] });
    b.input("c", { type: "bool", shape: [] });
    const branch = { kind: "graph", value: inner.finish(["inside"]) } as const;
    b.node("If", ["c"], { outputs: ["y"], attributes: { then_branch: branch, else_branch: branch } });
    expect(printGraph(toIrOpset(b.finish(["y"]), 9).graph)).toContain("inside = Softmax(x) axis=-1\n");
  });
  test("converts nodes of more inputs than a call takes arguments", () => {
    const b = builder();
    b.input("x", { type: "float32", shape: [null, 4] });
    b.node("Sum", new Array<string>(300_000).fill("x"), { outputs: ["sum"] });
    b.node("Softmax", ["sum"], { outputs: ["y"] });
    expect(printGraph(toIrOpset(b.finish(["y"]), 9).graph)).toContain("y = Softmax(sum) axis=-1\n");
  });
  test("never takes a name that the file has", () => {
    const b = builder();
    b.input("x", { type: "float32", shape: [2, 2] });
    b.constant(float32([1], [0]), "y/const");
    b.node("Squeeze", ["x"], { outputs: ["y"], attributes: { axes: { kind: "ints", value: [0] } } });
    checkGraph(toIrOpset(b.finish(["y"]), 9).graph);
  });
  test("tells of damaged nodes, whatever they lack", () => {
    const x = { type: "float32", shape: [2, 3] } as const;
    for (const [op, entries] of Object.entries(rewrites))
      for (const since of Object.keys(entries).map(Number))
        for (const inputs of [[], ["x"], ["", ""]])
          for (const outputs of [[], ["y"]])
            for (const attributes of [{}, { axes: int(1), scales: int(2), pads: int(1), min: int(1), mode: int(3) }]) {
              const node = { name: "", op, domain: "", inputs, outputs, attributes };
              const graph = {
                name: "g",
                inputs: ["x"],
                outputs: ["y"],
                nodes: [node],
                constants: new Map(),
                values: new Map([["x", x]]),
              };
              try {
                for (const made of toIrOpset(graph, Math.max(since, oldestOpset)).graph.nodes)
                  expect([...made.inputs, ...made.outputs]).not.toContain(undefined);
              } catch (error) {
                if (!(error instanceof ConvlensError)) throw error;
                expect(error.message).toContain(op);
              }
            }
  });
  test.each([
    ["RotaryEmbedding", 23],
    ["Attention", 24],
    ["TensorScatter", 24],
    ["Scan", 8],
  ])("refuses %s of opset %i by name", (op, opset) =>
    expect(() => toIrOpset(one(op), opset)).toThrow(`${op} "mine" at opset ${opset}:`),
  );
  test("refuses opsets out of its range, and operators that came later", () => {
    expect(() => toIrOpset(one("Relu"), oldestOpset - 1)).toThrow("opset 6 is not known");
    expect(() => toIrOpset(one("Relu"), newestOpset + 1)).toThrow("export the model at opset 21");
    expect(() => toIrOpset(one("GridSample", { align_corners: int(1) }), 11)).toThrow(
      'GridSample "mine": GridSample came with opset 16, the file is of opset 11',
    );
  });
});
