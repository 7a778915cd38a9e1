/** `openModel` end to end: the embedded networks, layers, weights, bad input. */
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { float32 } from "../../src/core/tensor.ts";
import { writeOnnx } from "../../src/formats/onnx/write.ts";
import { builder } from "../../src/graph/builder.ts";
import type { Attribute } from "../../src/graph/graph.ts";
import { openImage, openModel } from "../../src/node.ts";
import { createNodePlatform } from "../../src/platform/node.ts";
import { classifier, small } from "./classifier.ts";

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/model/${name}`, import.meta.url));
const photograph = fileURLToPath(new URL("../../models/photographs/chelsea.png", import.meta.url));
let folder: string;
const at = (name: string): string => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "convlens-model-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the embedded network", () => {
  it("shows the lecture's table, first:8 and the map after its ReLU", async () => {
    const model = await openModel("cats-and-dogs");
    expect(model.notes).toEqual([]);
    const layers = await model.layers();
    expect(layers).toHaveLength(12);
    expect(layers[0]).toMatchObject({
      name: "conv2d",
      class: "Conv2D",
      shape: [null, 148, 148, 32],
      parameters: 896,
      inputs: ["conv2d_input"],
    });
    expect(layers.reduce((sum, layer) => sum + layer.parameters, 0)).toBe(3_453_121);
    // 148 * 148 * 32 outputs of 3 * 3 * 3 products each.
    expect(layers[0]!.multiplyAdds).toBe(148 * 148 * 32 * 27);
    const first = await model.findLayers("first:8");
    expect(first.map((layer) => layer.name).join()).toBe(
      "conv2d,max_pooling2d,conv2d_1,max_pooling2d_1,conv2d_2,max_pooling2d_2,conv2d_3,max_pooling2d_3",
    );
    const { picture } = await openImage(photograph);
    const { tensor, seen } = model.prepare(picture);
    expect([tensor.dims, seen.width, seen.height]).toEqual([[1, 150, 150, 3], 150, 150]);
    const maps = await model.run(tensor, { outputs: first.map((layer) => layer.name) });
    expect(Object.keys(maps)).toEqual(first.map((layer) => layer.name));
    for (const layer of first) expect(maps[layer.name]!.dims).toEqual([1, ...layer.shape.slice(1)]);
    expect(maps.conv2d!.data.reduce((least, x) => Math.min(least, x))).toBe(0);
    await model.release();
  });

  it("is a prediction of two classes, the same on WASM and in batches", async () => {
    const { picture } = await openImage(photograph);
    const predictions = [];
    for (const engine of ["native", "wasm"]) {
      vi.stubEnv("CONVLENS_ENGINE", engine);
      const model = await openModel("cats-and-dogs", {}, createNodePlatform());
      const { tensor } = model.prepare(picture);
      const twice = float32([2, 150, 150, 3], Float32Array.from([...tensor.data, ...tensor.data.map((x) => 1 - x)]));
      const [one] = await model.predict(tensor);
      const [same, other] = await model.predict(twice);
      expect(same!.output[0]).toBeCloseTo(one!.output[0]!, 5);
      expect(other!.output[0]).not.toBeCloseTo(one!.output[0]!, 5);
      expect(one!.predictions.map(({ label }) => label).sort()).toEqual(["cat", "dog"]);
      const dog = one!.predictions.find(({ label }) => label === "dog")!;
      expect(dog).toMatchObject({ index: 1, probability: one!.output[0] });
      // The score is the logit of the probability.
      expect(1 / (1 + Math.exp(-dog.score))).toBeCloseTo(dog.probability!, 5);
      predictions.push(dog);
      await model.release();
    }
    vi.unstubAllEnvs();
    expect(predictions[0]!.score).toBeCloseTo(predictions[1]!.score, 3);
  });

  it("gives its weights in Keras' shapes: convolving with them by hand gives the layer's output", async () => {
    const model = await openModel("cats-and-dogs");
    const [layer] = await model.findLayers("conv2d");
    const kernel = (await model.weight(layer!, "kernel"))!;
    const bias = (await model.weight(layer!, "bias"))!;
    expect([kernel.dims, bias.dims]).toEqual([[3, 3, 3, 32], [32]]);
    const { tensor } = model.prepare((await openImage(photograph)).picture);
    const { conv2d } = await model.run(tensor, { outputs: ["conv2d"] });
    const [row, column, channel] = [70, 31, 5];
    let sum = bias.data[channel]!;
    for (let i = 0; i < 3; i++)
      for (let j = 0; j < 3; j++)
        for (let c = 0; c < 3; c++)
          sum +=
            tensor.data[((row + i) * 150 + column + j) * 3 + c]! * kernel.data[((i * 3 + j) * 3 + c) * 32 + channel]!;
    expect(conv2d!.data[(row * 148 + column) * 32 + channel]).toBeCloseTo(Math.max(0, sum), 4);
    expect(await model.weight(layer!, "gamma")).toBeUndefined();
    await model.release();
  });
});

describe("layers of plain ONNX files", () => {
  it("are the nodes that depend on the picture; their weights are counted, statistics as not trainable", async () => {
    const model = await openModel(await classifier(5), { name: "net.onnx", preprocessing: "unit" });
    const layers = await model.layers();
    expect(layers.map(({ name, parameters, shape }) => [name, parameters, shape])).toEqual([
      ["/features/features.0/Conv", 108, [null, 4, 8, 8]],
      ["/features/features.1/BatchNormalization", 16, [null, 4, 8, 8]],
      ["/features/features.2/Relu", 0, [null, 4, 8, 8]],
      ["/pool/GlobalAveragePool", 0, [null, 4, 1, 1]],
      ["/Reshape", 0, [null, 4]],
      ["/fc/Gemm", 25, [null, 5]],
    ]);
    expect(layers[1]!.weights.map(({ name, trainable }) => [name, trainable])).toEqual([
      ["weight", true],
      ["bias", true],
      ["running_mean", false],
      ["running_var", false],
    ]);
    expect(layers[4]!.inputs).toEqual(["/pool/GlobalAveragePool"]);
    const outputs = await model.run(small(), { outputs: ["features", "features.0", "/features/features.2/Relu"] });
    expect(outputs.features).toEqual(outputs["/features/features.2/Relu"]);
    expect(outputs["features.0"]!.dims).toEqual([1, 4, 8, 8]);
    await expect(model.run(small(), { outputs: ["featurs"] })).rejects.toMatchObject({ code: "layer-unknown" });
    await model.release();
  });

  it("shapes that no rule tells are found by one run", async () => {
    const build = builder();
    const x = build.input("x", { type: "float32", shape: [null, 3, 8, 8] });
    const odd = build.node("BiasGelu", [x, build.constant(float32([8], new Float32Array(8)))], {
      name: "odd",
      domain: "com.microsoft",
    });
    const model = await openModel(await writeOnnx(build.finish([build.node("Neg", [odd], { name: "neg" })])), {
      name: "net.onnx",
    });
    expect((await model.layers()).map(({ name, shape }) => [name, shape])).toEqual([
      ["odd", [null, 3, 8, 8]],
      ["neg", [null, 3, 8, 8]],
    ]);
    await model.release();
  });

  it("quantised weights are expanded by scale and zero point", async () => {
    const build = builder();
    const x = build.input("x", { type: "uint8", shape: [null, 1, 2, 2] });
    const scalar = (value: number): string => build.scalar(value);
    const u8 = (value: number): string => build.constant({ type: "uint8", dims: [], data: Uint8Array.of(value) });
    const w = build.constant({ type: "int8", dims: [2, 1, 1, 1], data: Int8Array.of(10, -6) });
    const scales = build.constant(float32([2], [0.5, 2]));
    const zeros = build.constant({ type: "int8", dims: [2], data: Int8Array.of(0, 0) });
    const y = build.node("QLinearConv", [x, scalar(1), u8(0), w, scales, zeros, scalar(1), u8(0)], { name: "conv" });
    const model = await openModel(await writeOnnx(build.finish([y])), { name: "net.onnx" });
    const [layer] = await model.layers();
    expect(layer).toMatchObject({ class: "QLinearConv", parameters: 2 });
    expect([...(await model.weight(layer!, "weight"))!.data]).toEqual([5, -12]);
    await model.release();
  });
});

describe("networks that leave something open", () => {
  /** A dense layer behind any size: only 8x8 fits its weights. */
  async function openSize(): Promise<Uint8Array> {
    const build = builder();
    const x = build.input("x", { type: "float32", shape: [null, 3, null, null] });
    const flat = build.node("Flatten", [x], { name: "flat" });
    const weight = build.constant(float32([192, 2], new Float32Array(384).fill(0.01)));
    return writeOnnx(build.finish([build.node("MatMul", [flat, weight], { name: "dense" })]));
  }

  it("takes a ready tensor of any size that fits", async () => {
    const model = await openModel(await openSize(), { name: "net.onnx" });
    expect(model.notes.join()).toMatch(/size open: 224x224.*--size/);
    expect((await model.predict(small()))[0]!.output).toHaveLength(2);
    await expect(model.layers()).rejects.toMatchObject({
      code: "model-invalid",
      message: expect.stringMatching(/--size/),
    });
    await model.release();
    const sized = await openModel(await openSize(), { name: "net.onnx", size: [8, 8] });
    expect((await sized.layers()).map(({ shape }) => shape)).toEqual([
      [null, 192],
      [null, 2],
    ]);
    await sized.release();
  });

  it("a value larger than 4 GiB is refused before the engine tries", async () => {
    const build = builder();
    const x = build.input("x", { type: "float32", shape: [null, 3, 8, 8] });
    const huge = build.node("Expand", [x, build.ints([50000, 3, 8, 8])], { name: "huge" });
    const bytes = await writeOnnx(build.finish([build.node("Tile", [huge, build.ints([1, 1, 100, 100])])]));
    const run = openModel(bytes, { name: "net.onnx" }).then((model) => model.run(small()));
    await expect(run).rejects.toMatchObject({ code: "model-unsupported", message: expect.not.stringMatching(/\n/) });
  });

  it("control flow runs in the engine; inner values are refused by name", async () => {
    const build = builder();
    const x = build.input("x", { type: "float32", shape: [null, 2] });
    const inner = (op: string): Attribute => {
      const branch = builder();
      return { kind: "graph", value: branch.finish([branch.node(op, [x], { outputs: [`${op}_out`] })]) };
    };
    const condition = build.constant({ type: "bool", dims: [], data: Uint8Array.of(1) });
    const chosen = build.node("If", [condition], {
      name: "choice",
      attributes: { then_branch: inner("Neg"), else_branch: inner("Abs") },
    });
    const model = await openModel(await writeOnnx(build.finish([build.node("Relu", [chosen], { outputs: ["y"] })])), {
      name: "net.onnx",
    });
    const feed = float32([1, 2], [1, -2]);
    expect([...(await model.run(feed)).y!.data]).toEqual([0, 2]);
    if (model.opaque === undefined)
      expect([...(await model.run(feed, { outputs: ["choice"] })).choice!.data]).toEqual([-1, 2]);
    else {
      expect(model.notes.join()).toContain(model.opaque);
      await expect(model.run(feed, { outputs: ["choice"] })).rejects.toMatchObject({ code: "model-unsupported" });
    }
    expect((await model.predict(feed))[0]!.predictions).toHaveLength(2);
    await model.release();
  });
});

describe("inputs", () => {
  it.each([
    ["a wrong side", float32([1, 3, 8, 9], new Float32Array(216)), /\[1, 3, 8, 9\].*takes \[N, 3, 8, 8\]/],
    ["no batch axis", float32([3, 8, 8], new Float32Array(192)), /\[3, 8, 8\]/],
    ["an empty batch", float32([0, 3, 8, 8], new Float32Array(0)), /\[0, 3, 8, 8\]/],
    [
      "another type",
      { type: "float64", dims: [1, 3, 8, 8], data: new Float64Array(192) } as const,
      /is float64.*takes float32.*astype/,
    ],
    ["NaN", small(Number.NaN), /holds NaN at element 0/],
    ["infinity", small(Number.POSITIVE_INFINITY), /holds Infinity/],
    ["another name", { y: small() }, /no input "y": its inputs are "x"/],
    ["nothing", {}, /"x" \[N, 3, 8, 8\] is not given/],
  ])("%s: one line", async (_, feeds, message) => {
    const model = await openModel(await classifier(3), { name: "net.onnx", preprocessing: "unit" });
    await expect(model.run(feeds)).rejects.toMatchObject({
      code: "tensor-invalid",
      message: expect.stringMatching(message),
    });
    await model.release();
  });

  it("pixels that an integer input cannot hold are refused", async () => {
    const model = await openModel(fixture("mini-uint8.onnx"), { preprocessing: "unit" });
    await expect(model.run(float32([1, 3, 4, 4], new Float32Array(48).fill(-3)))).rejects.toMatchObject({
      code: "tensor-invalid",
    });
    await model.release();
  });
});

describe("sessions", () => {
  it("many sets of outputs, one after the other and at once, stay right", async () => {
    const model = await openModel("cifar10");
    const names = (await model.layers()).slice(0, 12).map((layer) => layer.name);
    const feed = float32(
      [1, 3, 32, 32],
      Float32Array.from({ length: 3072 }, (_, i) => Math.sin(i)),
    );
    const all = await model.run(feed, { outputs: names });
    const each = await Promise.all(names.map((name) => model.run(feed, { outputs: [name] })));
    for (const [i, name] of names.entries()) {
      const [a, b] = [all[name]!, each[i]![name]!];
      expect(b.dims).toEqual(a.dims);
      for (let k = 0; k < a.data.length; k += 97) expect(b.data[k]).toBeCloseTo(a.data[k]!, 3);
    }
    await model.release();
    expect((await model.run(feed)).logits!.dims).toEqual([1, 10]);
    await model.release();
  });

  it("a signal that is aborted already stops before the engine", async () => {
    const model = await openModel("cifar10");
    const feed = float32([1, 3, 32, 32], new Float32Array(3072));
    await expect(model.predict(feed, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "cancelled" });
    await model.release();
  });

  it("works from bytes as from a file", async () => {
    copyFileSync(fixture("mini-nhwc.onnx"), at("copy.onnx"));
    const { readFile } = await import("node:fs/promises");
    const feed = float32(
      [1, 7, 6, 3],
      Float32Array.from({ length: 126 }, (_, i) => Math.cos(i)),
    );
    const results = [];
    for (const what of [at("copy.onnx"), await readFile(at("copy.onnx"))]) {
      const model = await openModel(what, { preprocessing: "raw", name: "copy.onnx" });
      results.push(await model.run(feed));
      await model.release();
    }
    expect(results[0]).toEqual(results[1]);
  });
});
