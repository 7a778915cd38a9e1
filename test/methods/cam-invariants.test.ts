/** Class-activation maps: what must hold for every network, maps gone wrong, and what is refused. */
import { beforeAll, describe, expect, it } from "vitest";
import type { HeatMap } from "../../src/core/result.ts";
import { float32, type Tensor } from "../../src/core/tensor.ts";
import { writeOnnx } from "../../src/formats/onnx/write.ts";
import { builder } from "../../src/graph/builder.ts";
import type { ExplanationMethod } from "../../src/methods/explain/explanation.ts";
import { cam, eigencam, fullgrad, gradcam, guidedGradcam, hirescam, xgradcam } from "../../src/methods/index.ts";
import type { Feeds, Model } from "../../src/model/model.ts";
import { embeddedPhotograph, openImage, openModel } from "../../src/node.ts";
import { dataPath } from "../data.ts";
import {
  fixtureFeeds,
  networkFixtures,
  networkOptions,
  networkPath,
  relativeError,
} from "../fixtures/networks/read.ts";
import { type CamMethod, counting, family, network, open, picture, row } from "./small-network.ts";

const atLayers = family.filter((method) => "layer" in method.options);

describe("what must hold", () => {
  const rows = [row, row.map((x) => -x), [1, 0, 0, 0, 0, 0, 0, -2], [0, 1, 0, 1, 3, 0, 1, 0]];

  it("several targets and layers at once are what each gives alone, targets outermost", async () => {
    const model = await network({ rows, last: undefined });
    const targets = [2, "top", 0];
    for (const method of family) {
      if (method.applies(model) !== undefined) continue;
      const layers = "layer" in method.options ? ["relu", "conv"] : [];
      const together = await method.runMany(model, picture(model), { targets, layers });
      const alone: HeatMap[] = [];
      for (const target of targets)
        for (const layer of layers.length > 0 ? layers : [undefined])
          alone.push(await method.run(model, picture(model), { target, ...(layer ? { layer: [layer] } : {}) }));
      // Layers come in graph order, whatever the order in which they are named.
      const inOrder = layers.length > 0 ? alone.flatMap((_, i) => (i % 2 ? [] : [alone[i + 1]!, alone[i]!])) : alone;
      expect(together.map(({ origin }) => origin)).toEqual(inOrder.map(({ origin }) => origin));
      for (const [i, { map }] of together.entries())
        expect(relativeError(map.data, inOrder[i]!.map.data), method.id).toBeLessThan(1e-5);
    }
  });

  it("all targets and layers come from one pass, the top class too", async () => {
    const model = await network({ rows, last: undefined });
    const calls: string[] = [];
    const counted: Model = {
      ...model,
      gradient: (...given) => {
        calls.push("gradient");
        return model.gradient(...given);
      },
      run: (...given) => {
        calls.push("run");
        return model.run(...given);
      },
      predict: (...given) => {
        calls.push("predict");
        return model.predict(...given);
      },
    };
    const choice = { targets: [0, "top", 3], layers: ["conv", "relu"] };
    expect(await gradcam.runMany(counted, picture(model), choice)).toHaveLength(6);
    expect(calls).toEqual(["gradient"]);
  });

  it("swapping classes swaps their maps, and input and model stay as they were", async () => {
    const [model, swapped] = [
      await network({ rows, last: undefined }),
      await network({ rows: [rows[2]!, rows[1]!, rows[0]!, rows[3]!], last: undefined }),
    ];
    const before = picture(model);
    const kept = before.feeds.data.slice();
    for (const method of [...family, guidedGradcam] as CamMethod[]) {
      if (method.applies(model) !== undefined) continue;
      const [one] = await method.runMany(model, before, { targets: [0] });
      const [other] = await method.runMany(swapped, before, { targets: [2] });
      const numbers = (result: HeatMap): Float32Array =>
        (result.map ?? (result as unknown as { values: Tensor<"float32"> }).values).data;
      expect(relativeError(numbers(one!), numbers(other!)), method.id).toBeLessThan(1e-6);
      const [again] = await method.runMany(model, before, { targets: [0] });
      expect(numbers(again!)).toEqual(numbers(one!));
    }
    expect(before.feeds.data).toEqual(kept);
  });

  it("a score three times as large leaves a normalised Grad-CAM as it is", async () => {
    const [model, larger] = [await network({ rows }), await network({ rows, factor: 3 })];
    const [a, b] = [
      await gradcam.run(model, picture(model), { target: 3 }),
      await gradcam.run(larger, picture(larger), { target: 3 }),
    ];
    expect(
      relativeError(
        b.map.data.map((x) => x / 3),
        a.map.data,
      ),
    ).toBeLessThan(1e-6);
  });

  it("with a linear head the raw HiResCAM sums up to the score", async () => {
    const model = await network({ rows, last: undefined });
    for (const result of await hirescam.runMany(model, picture(model), { targets: [0, 1, 2, 3] }, { signed: true }))
      expect(result.map.data.reduce((a, b) => a + b)).toBeCloseTo(result.target.score, 3);
  });

  it("CAM is the sum of the class's own weights times feature maps, and Grad-CAM times H W", async () => {
    const model = await open("cifar10");
    const { picture: photograph } = await openImage(await embeddedPhotograph());
    const feeds = model.prepare(photograph).tensor;
    const layers = await model.layers();
    const weight = (await model.weight(layers.find(({ name }) => name === "fc")!, "weight"))!;
    const maps = (await model.run(feeds, { outputs: ["layer2/block2/relu2"] }))["layer2/block2/relu2"]!;
    const targets = [3, 7];
    const found = await cam.runMany(model, { feeds }, { targets });
    const graded = await gradcam.runMany(model, { feeds }, { targets }, { signed: true });
    for (const [t, c] of targets.entries()) {
      const wanted = new Float64Array(64);
      for (let k = 0; k < 128; k++)
        for (let i = 0; i < 64; i++) wanted[i]! += weight.data[c * 128 + k]! * maps.data[k * 64 + i]!;
      expect(relativeError(found[t]!.map.data, wanted)).toBeLessThan(1e-5);
      expect(
        relativeError(
          graded[t]!.map.data.map((x) => 64 * x),
          wanted,
        ),
      ).toBeLessThan(1e-4);
      expect(found[t]!.signed).toBe(true);
    }
    // HiResCAM and XGrad-CAM are the same map here.
    for (const method of [hirescam, xgradcam]) {
      const { map } = await method.run(model, { feeds }, { target: 3, signed: true });
      expect(relativeError(map.data, graded[0]!.map.data)).toBeLessThan(1e-4);
    }
  });
});

describe("CAM is Grad-CAM, signed, times H W behind a pooling by the mean", () => {
  const identical = async (model: Model, feeds: Feeds, target: number | "top"): Promise<boolean> => {
    if (cam.applies(model) !== undefined) return false;
    const { map, layers } = await cam.run(model, { feeds }, { target });
    const graded = await gradcam.run(model, { feeds }, { target, signed: true });
    expect(layers).toEqual(graded.layers);
    const scaled = graded.map.data.map((x) => map.data.length * x);
    expect(relativeError(map.data, scaled)).toBeLessThan(1e-4);
    return true;
  };

  it("in every miniature network that ends so", async () => {
    const names: string[] = [];
    for (const fixture of networkFixtures.filter(({ maps }) => !maps)) {
      const model = await openModel(networkPath(fixture), networkOptions(fixture));
      if (await identical(model, fixtureFeeds(fixture, 0), fixture.classes[0])) names.push(fixture.name);
      await model.release();
    }
    const known = networkFixtures.filter(({ arrays }) => arrays.cam).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(known));
    expect(names).not.toContain("vgg");
  });

  const files = [
    "mobilenet_v2_1.0_224_keras_ptq_deq.onnx",
    "shufflenet-v2-12-int8.onnx",
    "cifar10_resnet8_mlperf_tiny.h5",
    "vww_mobilenet_v1_0.25_96.h5",
  ];
  for (const file of files) {
    const path = dataPath("models", file);
    it.skipIf(!path)(`in ${file}`, async () => {
      const model = await openModel(path!, { preprocessing: "unit" });
      const { picture: photograph } = await openImage(await embeddedPhotograph());
      expect(await identical(model, model.prepare(photograph).tensor, "top")).toBe(true);
      await model.release();
    });
  }
});

describe("maps gone wrong carry their reason", () => {
  it("all sums negative", async () => {
    const model = await network({ rows: [row.map(() => -1), row], last: undefined });
    const [blank, signed] = [
      await gradcam.run(model, picture(model), { target: 0 }),
      await gradcam.run(model, picture(model), { target: 0, signed: true }),
    ];
    expect([...blank.map.data]).toEqual([0, 0, 0, 0]);
    expect(blank.notes.join()).toMatch(/all weighted sums are negative: nothing at layer "relu" .* --signed/);
    expect(signed.notes.join()).not.toMatch(/negative/);
    expect(Math.min(...signed.map.data)).toBeLessThan(0);
  });

  it("a dead layer, with every method: zeros, never NaN", async () => {
    const model = await network({ bias: [-1e4, -1e4] });
    for (const method of atLayers) {
      const { map, notes } = await method.run(model, picture(model));
      expect([...map.data], method.id).toEqual([0, 0, 0, 0]);
      expect(notes.join(), method.id).toMatch(/layer "relu" is dead for this picture/);
    }
  });

  it("a score without slope", async () => {
    const model = await network({ rows: [row.map(() => -1), row] });
    const { map, notes } = await gradcam.run(model, picture(model), { target: 0 });
    expect([...map.data]).toEqual([0, 0, 0, 0]);
    expect(notes.join()).toMatch(/has no slope at layer "relu": all its gradients are 0/);
  });

  it("a saturated probability", async () => {
    const model = await network({ rows: [row, row.map((x) => -x)], last: "Softmax" });
    const { notes } = await gradcam.run(model, picture(model), { target: 0, of: "probability" });
    expect(notes.join()).toMatch(/saturated.*--of logit/);
    const logit = await gradcam.run(model, picture(model), { target: 0 });
    expect(logit.notes.join()).toMatch(/before the network's final softmax; --of probability .*--preset chollet/);
    expect(logit.notes.join()).not.toMatch(/saturated/);
  });

  it("XGrad-CAM where activations cancel", async () => {
    const model = await network({ bias: [-67.5, -75] });
    const { notes } = await xgradcam.run(model, picture(model), { layer: ["conv"] });
    expect(notes.join()).toMatch(/1 of 2 channels have activations of both signs that nearly cancel/);
    const behind = await xgradcam.run(model, picture(model), { layer: ["relu"] });
    expect(behind.notes.join()).not.toMatch(/cancel/);
  });

  it("a score that overflows is refused, with the layer where it began", async () => {
    const model = await network({ kernel: new Array(18).fill(3e38) });
    for (const method of [gradcam, fullgrad, guidedGradcam] as unknown as CamMethod[])
      await expect(method.run(model, picture(model))).rejects.toMatchObject({
        code: "model-unsupported",
        message: expect.stringMatching(/score of class 0 is (NaN|Infinity).* overflows .*first in layer "conv"/),
      });
  });

  it("what is not finite, and where it began", async () => {
    const model = await network({ kernel: new Array(18).fill(3e38) });
    const { map, notes } = await eigencam.run(model, picture(model));
    expect([...map.data].some((x) => !Number.isFinite(x))).toBe(true);
    expect(notes.join()).toMatch(
      /4 of the map's 4 values are NaN or infinite.* begin in the activations of layer "conv"/,
    );
  });

  it("several pictures: the first is explained", async () => {
    const model = await network();
    const two = float32([2, 1, 4, 4], [...counting(), ...counting(5)]);
    const { map, notes } = await gradcam.run(model, { feeds: two });
    expect(relativeError(map.data, [0, 4, 28, 32.5])).toBeLessThan(1e-6);
    expect(notes.join()).toContain("the batch holds 2 pictures; this explains the first");
  });
});

describe("refuses", () => {
  let model: Model;
  beforeAll(async () => {
    model = await network({ last: "Softmax" });
  });
  it.each([
    [
      "a layer without height and width",
      { layer: ["dense"] },
      "option-invalid",
      /"dense" has no height and width.*"relu"/,
    ],
    ["a layer behind the scores", { layer: ["scores"] }, "option-invalid", /"scores"/],
    [
      "a layer that the scores do not depend on",
      { layer: ["side"] },
      "option-invalid",
      /do not depend on layer "side".*"relu"/,
    ],
    ["a layer that is not there", { layer: ["rely"] }, "layer-unknown", /"rely".*relu/],
    ["several layers in run", { layer: ["conv", "relu"] }, "option-invalid", /2 layers.*runMany/],
    ["a class that is not there", { target: 9 }, "label-unknown", /9/],
  ] as const)("%s", async (_, options, code, message) => {
    const refused = gradcam.run(model, picture(model), options);
    await expect(refused).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it("a network without feature maps, by name", async () => {
    const b = builder();
    const x = b.input("x", { type: "float32", shape: [null, 4] });
    const y = b.node("Gemm", [x, b.constant(float32([4, 2], [1, 2, 3, 4, 5, 6, 7, 8]))], { name: "y", outputs: ["y"] });
    const dense = await open(await writeOnnx(b.finish([y])), { name: "dense.onnx" });
    await expect(gradcam.run(dense, { feeds: float32([1, 4], [1, 2, 3, 4]) })).rejects.toMatchObject({
      code: "model-unsupported",
      message: expect.stringContaining('"dense.onnx" has no feature maps'),
    });
  });

  it("CAM for another head, pointing to gradcam; and CAM or FullGrad at a layer", async () => {
    expect(cam.applies(model)).toMatch(/pooling over the whole map, .*gradcam/);
    await expect(cam.run(model, picture(model))).rejects.toMatchObject({ code: "model-unsupported" });
    for (const [method, network] of [
      [fullgrad, model],
      [cam, await open("cifar10")],
    ] as const)
      await expect(
        (method as ExplanationMethod<object, HeatMap>).runMany(network, picture(model), {
          targets: [0],
          layers: ["relu"],
        }),
      ).rejects.toMatchObject({ code: "option-invalid", message: expect.stringContaining("gradcam takes any") });
  });
});
