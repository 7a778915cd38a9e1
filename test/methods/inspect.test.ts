/** The numbers of the inspecting methods, against the arrays they are taken from and by hand. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { float32, type Tensor } from "../../src/core/tensor.ts";
import { activations, channelMap, filters, predict, sparsity, summary } from "../../src/methods/index.ts";
import type { Model } from "../../src/model/model.ts";
import { embeddedPhotograph, openImage, openModel } from "../../src/node.ts";
import { smallModel } from "../cli/files.ts";

let demo: Model;
let small: Model;
let photo: Tensor<"float32">;
const noise = float32(
  [2, 3, 8, 8],
  Array.from({ length: 384 }, (_, i) => Math.sin(i * i)),
);

beforeAll(async () => {
  demo = await openModel("cats-and-dogs");
  small = await openModel(await smallModel(), { name: "small.onnx", preprocessing: "unit" });
  photo = demo.prepare((await openImage(await embeddedPhotograph())).picture).tensor;
});
afterAll(async () => {
  await demo.release();
  await small.release();
});

describe("the doubt about a guessed preprocessing", () => {
  /** A network of 60 classes: `reach` is how far its scores depend on the picture. */
  const network = (reach: number, guessedMode: string | undefined): Model => {
    const predictOf = async (
      tensor: Tensor,
    ): Promise<{ predictions: never[]; output: number[]; notes: string[] }[]> => {
      const level = Number(tensor.data[0]);
      const scores = Array.from({ length: 60 }, (_, i) => Math.sin(i * i) + reach * Math.sin(level * (i + 1)));
      const sum = scores.reduce((total, score) => total + Math.exp(score), 0);
      return [{ predictions: [], output: scores.map((score) => Math.exp(score) / sum), notes: [] }];
    };
    return { ...demo, guessedMode, predict: predictOf } as unknown as Model;
  };
  const ask = async (model: Model) => (await predict.run(model, { feeds: photo, isPicture: true })).notes.at(-1) ?? "";

  it("is told where photographs are answered as an empty picture is", async () => {
    expect(await ask(network(0.1, "torch"))).toMatch(/"torch" was guessed .*try --preprocess raw, unit, tf or caffe$/);
  });
  it("is not told where they are not, nor where the preprocessing was named, nor of tensors", async () => {
    expect(await ask(network(2, "torch"))).not.toContain("guessed");
    expect(await ask(network(0.1, undefined))).not.toContain("guessed");
    const { notes } = await predict.run(network(0.1, "torch"), { feeds: photo });
    expect(notes.join()).not.toContain("guessed");
  });
});

describe("summary", () => {
  it("is the lecture's table", async () => {
    const { layers, totals } = await summary.run(demo, {});
    expect(layers.map(({ name, parameters }) => [name, parameters])).toEqual([
      ["conv2d", 896],
      ["max_pooling2d", 0],
      ["conv2d_1", 18_496],
      ["max_pooling2d_1", 0],
      ["conv2d_2", 73_856],
      ["max_pooling2d_2", 0],
      ["conv2d_3", 147_584],
      ["max_pooling2d_3", 0],
      ["flatten", 0],
      ["dropout", 0],
      ["dense", 3_211_776],
      ["dense_1", 513],
    ]);
    expect(totals.parameters).toBe(3_453_121);
    expect(layers[6]).toMatchObject({ class: "Conv2D", shape: [null, 15, 15, 128], inputs: ["max_pooling2d_2"] });
    // Each output value of a convolution takes 9 x inputs multiply-adds.
    expect(layers[0]!.multiplyAdds).toBe(148 * 148 * 32 * 27);
    const values = layers.reduce((sum, { shape }) => sum + shape.slice(1).reduce<number>((n, m) => n * m!, 1), 0);
    expect(totals.activationBytes).toBe(4 * values);
  });

  it("counts statistics of batch normalisation as not trainable", async () => {
    const cifar10 = await openModel("cifar10");
    const { layers, totals } = await summary.run(cifar10, {});
    await cifar10.release();
    expect(totals.trainable + totals.nonTrainable).toBe(totals.parameters);
    const statistics = layers.flatMap(({ weights }) => weights).filter(({ trainable }) => !trainable);
    expect(totals.nonTrainable).toBe(statistics.reduce((sum, { shape }) => sum + shape.reduce((n, m) => n * m, 1), 0));
  });
});

describe("activations", () => {
  it("are the first 8 layers unless others are named, in source layout with the batch axis", async () => {
    const { tensors } = await activations.run(demo, { feeds: photo });
    expect(tensors.map(({ layer, tensor }) => [layer.name, tensor.dims])).toEqual([
      ["conv2d", [1, 148, 148, 32]],
      ["max_pooling2d", [1, 74, 74, 32]],
      ["conv2d_1", [1, 72, 72, 64]],
      ["max_pooling2d_1", [1, 36, 36, 64]],
      ["conv2d_2", [1, 34, 34, 128]],
      ["max_pooling2d_2", [1, 17, 17, 128]],
      ["conv2d_3", [1, 15, 15, 128]],
      ["max_pooling2d_3", [1, 7, 7, 128]],
    ]);
  });

  it("of the first convolution are what its weights say, by hand", async () => {
    const { tensor } = (await activations.run(demo, { feeds: photo }, { layers: ["conv2d"] })).tensors[0]!;
    const weights = await filters.run(demo, {});
    const [kernel, bias] = weights.tensors.map(({ tensor: w }) => w.data) as [Float32Array, Float32Array];
    for (const [y, x, k] of [
      [0, 0, 0],
      [70, 33, 7],
      [147, 147, 31],
      [12, 140, 4],
    ] as const) {
      let sum = bias[k]!;
      for (let i = 0; i < 3; i++)
        for (let j = 0; j < 3; j++)
          for (let c = 0; c < 3; c++)
            sum += photo.data[((y + i) * 150 + x + j) * 3 + c]! * kernel[((i * 3 + j) * 3 + c) * 32 + k]!;
      expect(tensor.data[(y * 148 + x) * 32 + k]).toBeCloseTo(Math.max(0, sum), 4);
    }
  });

  it.each([
    ["NHWC", () => [demo, photo, "max_pooling2d_3"] as const],
    ["NCHW", () => [small, noise, "pool"] as const],
  ])("keep the channels that are asked for, in that order (%s)", async (layout, made) => {
    const [model, feeds, layer] = made();
    const whole = (await activations.run(model, { feeds }, { layers: [layer] })).tensors[0]!.tensor;
    const some = (await activations.run(model, { feeds }, { layers: [layer], channels: [3, 1] })).tensors[0]!.tensor;
    expect(some.dims[layout === "NHWC" ? 3 : 1]).toBe(2);
    for (const [i, channel] of [3, 1].entries()) {
      const wanted = channelMap(whole, channel, layout as "NHWC");
      expect(channelMap(some, i, layout as "NHWC")).toEqual(wanted);
    }
  });

  it("refuse a channel that is not there, naming the layer and its channels", async () => {
    const run = activations.run(small, { feeds: noise }, { layers: ["pool"], channels: [4] });
    await expect(run).rejects.toThrow('layer "pool" has no channel 4: its 4 channels are 0 to 3');
  });
});

describe("sparsity", () => {
  it("counts exact zeros and channels that are zero everywhere, over the whole batch", async () => {
    const { rows } = await sparsity.run(small, { feeds: noise }, { layers: ["second_relu"] });
    const { tensor } = (await activations.run(small, { feeds: noise }, { layers: ["second_relu"] })).tensors[0]!;
    const zero = [...tensor.data].map((x) => x === 0);
    const dead = Array.from({ length: 6 }, (_, c) => c).filter((c) =>
      zero.every((z, i) => z || Math.floor(i / 16) % 6 !== c),
    );
    expect(rows).toEqual([
      { name: "second_relu", values: [zero.filter(Boolean).length / zero.length, dead.length, 6] },
    ]);
  });

  it("leaves out sums before their activation, unless nothing else is chosen", async () => {
    const all = await sparsity.run(small, { feeds: noise });
    expect(all.rows.map(({ name }) => name)).toEqual(["first_relu", "pool", "second_relu", "GlobalAveragePool_0"]);
    const only = await sparsity.run(small, { feeds: noise }, { layers: ["first"] });
    expect(only.rows).toMatchObject([{ name: "first", values: [0, 0, 4] }]);
  });

  it("of layers without maps is an empty table with a reason", async () => {
    const { rows, notes } = await sparsity.run(demo, { feeds: photo }, { layers: ["dense"] });
    expect(rows).toEqual([]);
    expect(notes.join()).toContain("feature maps");
  });
});

describe("filters", () => {
  it("are the first convolution's, kernel and bias as get_weights() shapes them", async () => {
    const { tensors } = await filters.run(demo, {});
    expect(tensors.map(({ layer, part, tensor }) => [layer.name, part, tensor.dims])).toEqual([
      ["conv2d", "kernel", [3, 3, 3, 32]],
      ["conv2d", "bias", [32]],
    ]);
  });

  it("of patterns are those layers that have weights", async () => {
    const { tensors } = await filters.run(demo, {}, { layers: ["all"] });
    expect([...new Set(tensors.map(({ layer }) => layer.name))]).toEqual([
      "conv2d",
      "conv2d_1",
      "conv2d_2",
      "conv2d_3",
      "dense",
      "dense_1",
    ]);
    await expect(filters.run(demo, {}, { layers: ["flatten"] })).rejects.toThrow(
      /"flatten" has no weights.*conv2d, conv2d_1/,
    );
  });
});

describe("predict", () => {
  it("gives as many classes as asked for, best first, and the head's vector whole", async () => {
    const { predictions, output } = await predict.run(small, { feeds: noise }, { top: 2 });
    expect(predictions).toHaveLength(2);
    expect(output).toHaveLength(3);
    expect(predictions[0]!.score).toBe(Math.max(...output));
    expect(predictions[0]!.score).toBeGreaterThanOrEqual(predictions[1]!.score);
  });

  it("takes one output unit as two classes", async () => {
    const { predictions, output } = await predict.run(demo, { feeds: photo });
    const dog = predictions.find(({ label }) => label === "dog")!;
    const cat = predictions.find(({ label }) => label === "cat")!;
    expect(dog.probability).toBeCloseTo(output[0]!, 6);
    expect(cat.probability! + dog.probability!).toBeCloseTo(1, 6);
    expect(dog.score).toBeCloseTo(Math.log(output[0]! / (1 - output[0]!)), 3);
    expect(cat.score).toBeCloseTo(-dog.score, 6);
  });

  it("says that a batch holds more than the picture answered", async () => {
    const { notes } = await predict.run(small, { feeds: noise });
    expect(notes.join()).toContain("2 pictures");
  });
});
