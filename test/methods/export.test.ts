/** An exported explanation runs in plain ONNX Runtime, without any Convlens code, and gives Convlens' numbers. */
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { random } from "../../src/core/random.ts";
import { float32, type Tensor } from "../../src/core/tensor.ts";
import { writeOnnx } from "../../src/formats/onnx/write.ts";
import { checkGraph } from "../../src/graph/check.ts";
import { exportExplanation, exportMethods } from "../../src/methods/explain/export.ts";
import type { Model } from "../../src/model/model.ts";
import { openModel } from "../../src/node.ts";
import { dataPath } from "../data.ts";

type Outputs = Readonly<Record<string, { readonly dims: readonly number[]; readonly data: Float32Array }>>;

/** Runs bytes as any program would. */
async function runPlainly(bytes: Uint8Array, input: string, x: Tensor<"float32">, target: readonly number[]) {
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const feeds = {
    [input]: new OrtTensor("float32", x.data, [...x.dims]),
    target: new OrtTensor("int64", BigInt64Array.from(target, BigInt), [target.length]),
  };
  const results = await session.run(feeds);
  const names = [session.inputNames, session.outputNames];
  await session.release();
  return { names, results: results as unknown as Outputs };
}

const noise = (dims: readonly number[]): Tensor<"float32"> => {
  const next = random(3);
  return float32(
    dims,
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => next.uniform()),
  );
};

/** The map of picture `row` from activations and gradients, by the formula. */
function gradcam(model: Model, a: Tensor<"float32">, g: Tensor<"float32">, row: number, relu: boolean): number[] {
  const [, p, q, r] = a.dims as readonly [number, number, number, number];
  const [c, h, w] = model.sourceLayout === "NCHW" ? [p, q, r] : [r, p, q];
  const at = (t: Tensor<"float32">, k: number, i: number): number =>
    t.data[row * c * h * w + (model.sourceLayout === "NCHW" ? k * h * w + i : i * c + k)]!;
  const map = new Array<number>(h * w).fill(0);
  for (let k = 0; k < c; k++) {
    let mean = 0;
    for (let i = 0; i < h * w; i++) mean += at(g, k, i) / (h * w);
    for (let i = 0; i < h * w; i++) map[i]! += mean * at(a, k, i);
  }
  return relu ? map.map((value) => Math.max(0, value)) : map;
}

const near = (actual: ArrayLike<number>, wanted: ArrayLike<number>): void => {
  expect(actual.length).toBe(wanted.length);
  const scale = Array.from(wanted, Math.abs).reduce((a, b) => Math.max(a, b), 1e-6);
  for (let i = 0; i < wanted.length; i++) expect(Math.abs(actual[i]! - wanted[i]!) / scale).toBeLessThan(1e-4);
};

const networks: readonly { name: string; open: () => Promise<Model> | undefined; layer: string; classes: number[] }[] =
  [
    { name: "cats-and-dogs", open: () => openModel("cats-and-dogs"), layer: "conv2d_2", classes: [1, -1] },
    { name: "cifar10", open: () => openModel("cifar10"), layer: "layer2/block2/relu2", classes: [7, -1] },
    {
      name: "squeezenet",
      open: () => {
        const path = dataPath("models", "squeezenet_v1.1_fp32.onnx");
        return path === undefined ? undefined : openModel(path);
      },
      layer: "squeezenet0_relu23_fwd",
      classes: [281],
    },
  ];

describe.each(networks)("$name", ({ open, layer, classes }) => {
  it.each(exportMethods.filter((method) => method !== "cam"))("%s", async (method) => {
    const model = await open();
    if (!model) return console.log("skipped: the folder of models is absent (CONVLENS_DATA)");
    const wanted = layer.startsWith("squeeze") ? {} : { layer };
    const { graph, metadata } = await exportExplanation(model, { method, ...(method === "gradient" ? {} : wanted) });
    checkGraph(graph);
    const made = JSON.parse(metadata["convlens.explanation"]!);
    expect(made).toMatchObject({ method, model: model.name });
    const x = noise(model.input.shape.map((n, axis) => (axis === 0 ? classes.length : n!)));
    const { names, results } = await runPlainly(await writeOnnx(graph, metadata), model.input.name, x, classes);
    expect(names).toEqual([
      [model.input.name, "target"],
      ["scores", "map"],
    ]);

    const single = (row: number): Tensor<"float32"> => {
      const size = x.data.length / classes.length;
      return float32([1, ...x.dims.slice(1)], x.data.slice(row * size, (row + 1) * size));
    };
    for (const [row, index] of classes.entries()) {
      const place = method === "gradient" ? model.input.name : (made.layer as string);
      const { targets, values } = await model.gradient(single(row), {
        targets: [{ class: index < 0 ? "top" : index }],
        wrt: [place],
        outputs: [place],
      });
      const slope = targets[0]!.gradients[place]!;
      const map = method === "gradient" ? slope.data : gradcam(model, values[place]!, slope, 0, true);
      const size = results.map!.data.length / classes.length;
      near(results.map!.data.subarray(row * size, (row + 1) * size), map);
      const [prediction] = await model.predict(single(row), { top: 1000 });
      const perPicture = results.scores!.data.length / classes.length;
      const scores = results.scores!.data.subarray(row * perPicture, (row + 1) * perPicture);
      // One output unit stands for two classes: class 1 has its value.
      for (const { index: i, score } of prediction!.predictions)
        expect(perPicture === 1 ? (i === 1 ? scores[0]! : -scores[0]!) : scores[i]!).toBeCloseTo(score, 3);
    }
    await model.release();
  });
});

describe("cifar10", () => {
  it("cam is the dense layer's weights over the maps, for several pictures at once", async () => {
    const model = await openModel("cifar10");
    const { graph } = await exportExplanation(model, { method: "cam" });
    const x = noise([3, 3, 32, 32]);
    const { results } = await runPlainly(await writeOnnx(graph), "input", x, [0, 5, 9]);
    const layer = "layer2/block2/relu2";
    const maps = (await model.run(x, { outputs: [layer] }))[layer]!;
    const dense = (await model.layers()).find(({ class: kind }) => kind === "Linear" || kind === "Gemm")!;
    const weight = (await model.weight(dense, dense.weights[0]!.name))!;
    const byClass = weight.dims[0] === 10;
    for (const [row, index] of [0, 5, 9].entries()) {
      const map = new Array<number>(64).fill(0);
      for (let k = 0; k < 128; k++)
        for (let i = 0; i < 64; i++)
          map[i]! += maps.data[(row * 128 + k) * 64 + i]! * weight.data[byClass ? index * 128 + k : k * 10 + index]!;
      near(results.map!.data.subarray(row * 64, (row + 1) * 64), map);
    }
    await model.release();
  });

  it("is refused where it cannot be, by name", async () => {
    const model = await openModel("cifar10");
    await expect(exportExplanation(model, { method: "gradcam", layer: "layer9" })).rejects.toMatchObject({
      code: "layer-unknown",
    });
    await expect(exportExplanation(model, { method: "cam", layer: "layer1" })).rejects.toMatchObject({
      code: "option-invalid",
    });
    const deep = await openModel("cats-and-dogs");
    await expect(exportExplanation(deep, { method: "cam" })).rejects.toMatchObject({
      code: "model-unsupported",
      message: expect.stringContaining("gradcam"),
    });
    await deep.release();
    const { graph, metadata } = await exportExplanation(model, { method: "gradient" });
    const twice = await openModel(await writeOnnx(graph, metadata));
    const feeds = {
      input: noise([1, 3, 32, 32]),
      target: { type: "int64", dims: [1], data: BigInt64Array.of(0n) },
    } as const;
    await expect(
      twice.gradient(feeds, { targets: [{ score: () => "map", label: "map" }], wrt: ["input"] }),
    ).rejects.toMatchObject({ code: "model-unsupported", message: expect.stringContaining("gradient already") });
    await model.release();
    await twice.release();
  });
});
