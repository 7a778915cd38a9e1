/**
 * Class-activation maps: golden numbers of a network small enough to check by hand (captum's BasicModel_ConvNet_One_Conv),
 * pytorch-grad-cam's of another (fixtures/explain/cam.py).
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import type { HeatMap } from "../../src/core/result.ts";
import { float32 } from "../../src/core/tensor.ts";
import { readConstant } from "../../src/graph/constants.ts";
import { resizeMap } from "../../src/image/map.ts";
import { biasesOf } from "../../src/methods/explain/cam/fullgrad.ts";
import {
  eigencam,
  eigengradcam,
  elementwiseGradcam,
  finercam,
  fullgrad,
  gradcam,
  gradcampp,
  guidedBackprop,
  guidedGradcam,
  hirescam,
  layercam,
  smoothGradcampp,
  xgradcam,
} from "../../src/methods/index.ts";
import type { Model } from "../../src/model/model.ts";
import { relativeError } from "../fixtures/networks/read.ts";
import { type CamMethod, counting, network, open, picture } from "./small-network.ts";

const rounded = (values: ArrayLike<number>): number[] => Array.from(values, (v) => Math.round(v * 1e5) / 1e5 + 0);
const near = (actual: ArrayLike<number>, wanted: readonly number[]): void =>
  expect(rounded(actual)).toEqual(rounded(wanted));

describe.each(["NCHW", "NHWC"] as const)("captum's network of one convolution, %s", (layout) => {
  let model: Model;
  beforeAll(async () => {
    model = await network({ layout });
  });
  const at = async (
    method: CamMethod,
    layer: string,
    options: Readonly<Record<string, unknown>> = {},
    numbers = counting(),
  ): Promise<HeatMap> => method.run(model, picture(model, numbers), { target: 0, layer: [layer], ...options });

  it("gives the convolution's output and the scores", async () => {
    const { conv, scores } = await model.run(picture(model).feeds, { outputs: ["conv", "scores"] });
    const [a, b] = [
      [-5, 4, 31, 40],
      [-30, -21, 6, 15],
    ];
    expect([...conv!.data]).toEqual(layout === "NCHW" ? [...a!, ...b!] : a!.flatMap((x, i) => [x, b![i]!]));
    expect([...scores!.data]).toEqual([54, 54, 54, 54]);
  });

  it("Grad-CAM at the convolution and at the ReLU", async () => {
    near((await at(gradcam, "conv", { signed: true })).map.data, [11.25, 13.5, 20.25, 22.5]);
    near((await at(gradcam, "relu")).map.data, [0, 4, 28, 32.5]);
    near((await at(gradcam, "conv", { signed: true }, counting(1))).map.data, [14.5, 19, 32.5, 37]);
  });

  it("Grad-CAM at the input, with ReLU and without", async () => {
    const numbers = counting();
    numbers[5] = -4;
    const wanted = Array.from(numbers, (x) => 0.5625 * x);
    near((await at(gradcam, "picture", { signed: true }, numbers)).map.data, wanted);
    near(
      (await at(gradcam, "picture", {}, numbers)).map.data,
      wanted.map((x) => Math.max(x, 0)),
    );
  });

  it("chooses the ReLU, and says so", async () => {
    const { layers, map, notes, target } = await gradcam.run(model, picture(model));
    expect(layers).toEqual(["relu"]);
    expect(map.dims).toEqual([2, 2]);
    expect(notes.join()).toMatch(/layer "relu" was chosen: .* before 1 dense layer: 2 channels of 2 x 2; --layer/);
    expect(target).toMatchObject({ index: 0, of: "logit", score: 54 });
  });

  it("the others, as pytorch-grad-cam", async () => {
    near((await at(hirescam, "relu")).map.data, [0, 4, 25, 25]);
    near((await at(xgradcam, "relu")).map.data, [0, 4, 25, 25]);
    near((await at(layercam, "relu")).map.data, [0, 4, 31, 40]);
    near((await at(elementwiseGradcam, "relu")).map.data, [0, 4, 31, 40]);
    near((await at(hirescam, "conv")).map.data, [0, 4, 25, 25]);
    const wide = await at(xgradcam, "conv", { signed: true });
    expect(relativeError(wide.map.data, [-26.357143, -10.414286, 37.414286, 53.357143])).toBeLessThan(1e-6);
    const plus = (await at(gradcampp, "relu")).map.data;
    expect(relativeError(plus, [0, 0.207792, 1.871259, 2.730096])).toBeLessThan(1e-6);
    const most = Math.max(...plus);
    expect(
      relativeError(
        plus.map((x) => x / most),
        [0, 0.076112, 0.685419, 1],
      ),
    ).toBeLessThan(1e-5);
  });

  it("Eigen-CAM goes with the mean activation", async () => {
    const { map } = await at(eigencam, "relu", { signed: true });
    expect(relativeError(map.data, [-19.441898, -15.654903, 11.839155, 23.257648])).toBeLessThan(1e-6);
    const shown = await at(eigencam, "relu");
    expect([...shown.map.data].slice(0, 2)).toEqual([0, 0]);
  });

  it("Guided Grad-CAM, enlarged by nearest as captum, or bilinearly", async () => {
    const options = { target: 0, layer: ["relu"] };
    const { values, target } = await guidedGradcam.run(model, picture(model), options);
    const soft = await guidedGradcam.run(model, picture(model), { ...options, upsample: "bilinear" });
    expect(target.score).toBe(54);
    if (layout === "NCHW") {
      expect(values.dims).toEqual([1, 4, 4]);
      near(values.data, [0, 0, 4, 4, 0, 0, 12, 8, 28, 84, 97.5, 65, 28, 56, 65, 32.5]);
      near(soft.values.data.slice(0, 4), [0, 1, 3, 4]);
      return;
    }
    expect(values.dims).toEqual([5, 5, 1]);
    const fine = (await guidedBackprop.run(model, picture(model), { target: 0 })).values.data;
    const coarse = [0, 4, 28, 32.5];
    const half = (i: number): number => Math.floor((2 * i) / 5);
    near(
      values.data,
      [...fine].map((g, i) => g * coarse[2 * half(Math.floor(i / 5)) + half(i % 5)]!),
    );
  });

  it("LayerCAM of several layers: the greatest of tanh(2 map / max), at the finest resolution", async () => {
    const [fused, ...more] = await layercam.runMany(
      model,
      picture(model),
      { targets: [0], layers: ["picture", "relu"] },
      { fuse: true },
    );
    expect(more).toEqual([]);
    expect(fused!.layers).toEqual(["picture", "relu"]);
    const alone = await layercam.runMany(model, picture(model), { targets: [0], layers: ["picture", "relu"] });
    const scaled = alone.map(({ map }) => {
      const most = Math.max(...map.data);
      return map.data.map((x) => Math.tanh((2 * x) / most));
    });
    const large = resizeMap(scaled[1]!, 2, 2, 4, 4);
    near(
      fused!.map.data,
      [...scaled[0]!].map((x, i) => Math.max(x, large[i]!)),
    );
  });
});

describe("a network of two classes, as pytorch-grad-cam explains it", () => {
  const folder = fileURLToPath(new URL("../fixtures/explain/", import.meta.url));
  const facts = JSON.parse(readFileSync(`${folder}cam.json`, "utf8")) as {
    input: number[][][][];
    scores: number[];
    maps: Record<string, number[][]>;
  };
  const input = { feeds: float32([1, 3, 10, 12], facts.input.flat(3)) };
  let model: Model;
  beforeAll(async () => {
    model = await open(`${folder}cam.onnx`);
  });

  /** As the library shows maps: enlarged, from 0 to 1. */
  const shown = ({ map: { data, dims } }: HeatMap): number[] => {
    const large = resizeMap(data, dims[0]!, dims[1]!, 10, 12);
    const [least, most] = [Math.min(...large), Math.max(...large)];
    return Array.from(large, (x) => (x - least) / (most - least + 1e-7));
  };

  const plain = [
    gradcam,
    gradcampp,
    xgradcam,
    hirescam,
    elementwiseGradcam,
    layercam,
    fullgrad,
  ] as unknown as CamMethod[];
  it.each(plain.map((method) => [method.id, method] as const))("%s of both classes", async (id, method) => {
    const found = await method.runMany(model, input, { targets: [0, 1] });
    for (const index of [0, 1]) {
      expect(found[index]!.target.score).toBeCloseTo(facts.scores[index]!, 5);
      expect(relativeError(shown(found[index]!), facts.maps[`${id} ${index}`]!.flat())).toBeLessThan(1e-4);
    }
    expect(relativeError(found[0]!.map.data, found[1]!.map.data)).toBeGreaterThan(0.1);
  });

  it.each([
    ["gradcam", gradcam, "eigen"],
    ["eigencam", eigencam, "none"],
    ["eigengradcam", eigengradcam, "none"],
  ] as const)("%s, the principal component", async (id, method, smooth) => {
    for (const target of [0, 1]) {
      const { map } = await (method as CamMethod).run(model, input, { target, smooth, signed: true });
      const wanted = facts.maps[`${id} eigen ${target}`]!.flat();
      const sign = Math.sign(map.data.reduce((sum, x, i) => sum + x * wanted[i]!, 0));
      expect(
        relativeError(
          map.data,
          wanted.map((x) => x * sign),
        ),
      ).toBeLessThan(1e-4);
    }
  });

  it("the sign of a principal component goes with the mean activation", async () => {
    const relu = (await model.layers()).filter(({ class: op }) => op === "Relu")[1]!;
    const activations = (await model.run(input.feeds, { outputs: [relu.name] }))[relu.name]!;
    const [, channels, height, width] = activations.dims as [number, number, number, number];
    const area = height * width;
    const mean = Array.from({ length: area }, (_, i) => {
      let total = 0;
      for (let k = 0; k < channels; k++) total += activations.data[k * area + i]! / channels;
      return total;
    });
    const middle = mean.reduce((a, b) => a + b) / area;
    for (const method of [eigencam, eigengradcam])
      for (const target of [0, 1]) {
        const { map } = await method.run(model, input, { target, signed: true });
        expect(map.data.reduce((sum, x, i) => sum + x * (mean[i]! - middle), 0)).toBeGreaterThan(0);
      }
  });

  it("aug is the mean of the maps of six views, all asked for the class of the picture itself", async () => {
    const views = [false, true].flatMap((flip) => [0.9, 1, 1.1].map((factor) => ({ flip, factor })));
    const mean = new Float64Array(8 * 10);
    const { target } = await gradcam.run(model, input);
    for (const { flip, factor } of views) {
      const data = input.feeds.data.map((_, i) => factor * input.feeds.data[flip ? i + 11 - 2 * (i % 12) : i]!);
      const { map } = await gradcam.run(model, { feeds: float32([1, 3, 10, 12], data) }, { target: target.index! });
      map.data.forEach((x, i) => {
        mean[flip ? i + 9 - 2 * (i % 10) : i]! += x / 6;
      });
    }
    const smooth = await gradcam.run(model, input, { smooth: "aug" });
    expect(smooth.target).toEqual(target);
    expect(relativeError(smooth.map.data, mean)).toBeLessThan(1e-5);
  });

  it("Smooth Grad-CAM++ without noise is Grad-CAM++, and its batches change nothing", async () => {
    const still = await smoothGradcampp.run(model, input, { noise: 0, samples: 3 });
    expect(relativeError(still.map.data, (await gradcampp.run(model, input)).map.data)).toBeLessThan(1e-5);
    const [one, three] = await Promise.all(
      [1, 3].map((batch) => smoothGradcampp.run(model, input, { samples: 5, batch })),
    );
    expect(relativeError(one!.map.data, three!.map.data)).toBeLessThan(1e-4);
    const other = await smoothGradcampp.run(model, input, { samples: 5, seed: 1 });
    expect(relativeError(other.map.data, one!.map.data)).toBeGreaterThan(1e-3);
  });

  it("Finer-CAM is Grad-CAM of the class less that of the nearest", async () => {
    const [first, second] = await gradcam.runMany(model, input, { targets: [0, 1] }, { signed: true });
    const { map, target, notes } = await finercam.run(model, input, { target: 0, alpha: 0.5, signed: true });
    expect(
      relativeError(
        map.data,
        first!.map.data.map((x, i) => x - 0.5 * second!.map.data[i]!),
      ),
    ).toBeLessThan(1e-5);
    expect(target).toMatchObject({ index: 0, label: first!.target.label });
    expect(target.score).toBeCloseTo(facts.scores[0]! - 0.5 * facts.scores[1]!, 5);
    expect(notes.join()).toContain("less 0.5 times the mean of the nearest");
  });

  it("FullGrad's parts sum up to the score: the decomposition it is named for", async () => {
    const biases = await biasesOf(model.graph, model.head().logits);
    expect(biases.map(({ bias }) => bias.length)).toEqual([4, 4, 6]);
    const dense = model.graph.nodes.filter(({ op }) => op === "Gemm");
    const names = [...biases.map(({ value }) => value), ...dense.map(({ outputs }) => outputs[0]!)].map(
      (value) => `value:${value}`,
    );
    const found = await model.gradient(input.feeds, { targets: [{ class: 1 }], wrt: ["input", ...names] });
    const { gradients, scores } = found.targets[0]!;
    let total = gradients.input!.data.reduce((sum, g, i) => sum + g * input.feeds.data[i]!, 0);
    for (const [k, { bias }] of biases.entries()) {
      const { data } = gradients[names[k]!]!;
      total += data.reduce((sum, g, i) => sum + g * bias[Math.floor((i * bias.length) / data.length)]!, 0);
    }
    for (const [k, { inputs }] of dense.entries()) {
      const bias = (await readConstant(model.graph.constants.get(inputs[2]!)!)).data as Float32Array;
      total += gradients[names[biases.length + k]!]!.data.reduce((sum, g, i) => sum + g * bias[i]!, 0);
    }
    expect(total).toBeCloseTo(scores[0]!, 4);
  });
});
