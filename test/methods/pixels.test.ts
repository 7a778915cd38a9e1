/**
 * Pixel methods against captum (fixtures/explain/pixels.py), and against golden numbers of a network small enough to check
 * by hand. What must hold for every network: pixels-invariants.test.ts.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readNpy } from "../../src/core/npy.ts";
import { float32, type Tensor } from "../../src/core/tensor.ts";
import { writeOnnx } from "../../src/formats/onnx/write.ts";
import { builder, int, ints } from "../../src/graph/builder.ts";
import {
  deconvnet,
  deeplift,
  expectedGradients,
  gradient,
  gradientXInput,
  guidedBackprop,
  ig,
  lrp,
  methods,
  smoothgrad,
  squaregrad,
  vargrad,
} from "../../src/methods/index.ts";
import type { Model } from "../../src/model/model.ts";
import { openModel } from "../../src/node.ts";
import { relativeError } from "../fixtures/networks/read.ts";

const pixelMethods = methods.filter((method) => "family" in method && method.family === "pixels");
const opened: Model[] = [];
afterAll(() => Promise.all(opened.map((model) => model.release())));
async function open(what: string | Uint8Array, options: Parameters<typeof openModel>[1] = {}): Promise<Model> {
  const model = await openModel(what, { preprocessing: "unit", activation: "none", ...options });
  opened.push(model);
  return model;
}
const total = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0);
const rounded = (values: ArrayLike<number>): number[] => Array.from(values, (v) => Math.round(v * 1e6) / 1e6);

describe("a network with convolutions, normalizations, pools and a sum, as captum explains it", () => {
  const folder = fileURLToPath(new URL("../fixtures/explain/", import.meta.url));
  const facts = JSON.parse(readFileSync(`${folder}pixels.json`, "utf8")) as {
    rows: string[];
    target: number;
    baseline: number;
    scores: Record<string, number[]>;
  };
  const rows = readNpy(readFileSync(`${folder}pixels.npy`), "pixels.npy") as Tensor<"float32">;
  const size = rows.data.length / facts.rows.length;
  const row = (name: string): Float32Array => {
    const at = facts.rows.indexOf(name);
    expect(at, name).toBeGreaterThanOrEqual(0);
    return rows.data.slice(at * size, (at + 1) * size);
  };
  let model: Model;
  let feeds: Tensor<"float32">;
  const { target } = facts;
  beforeAll(async () => {
    // Black becomes -2 and white 2: the box of the composite rule.
    const preprocessing = { scale: 1 / 255, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] };
    model = await open(`${folder}pixels.onnx`, { preprocessing, activation: "softmax" });
    feeds = float32([1, 3, 12, 12], row("input"));
  });

  const baseline = String(facts.baseline);
  it.each([
    ["gradient", gradient, {}],
    ["gradient-x-input", gradientXInput, {}],
    ["ig", ig, {}],
    ["ig-baseline", ig, { baseline, steps: 20 }],
    ["smoothgrad-noise-0", smoothgrad, { noise: 0, samples: 3 }],
    ["guided-backprop", guidedBackprop, {}],
    ["deconvnet", deconvnet, {}],
    ["deeplift", deeplift, {}],
    ["deeplift-baseline", deeplift, { baseline }],
    ["lrp-epsilon", lrp, { rule: "epsilon", epsilon: 1e-9 }],
    ["lrp-epsilon-0.1", lrp, { rule: "epsilon", epsilon: 0.1 }],
    ["lrp-gamma", lrp, { rule: "gamma" }],
    ["lrp-alpha2", lrp, { rule: "alpha-beta" }],
    ["lrp-alpha1", lrp, { rule: "alpha-beta", alphaBeta: 1 }],
    ["lrp-composite", lrp, {}],
  ] as const)("%s", async (name, method, options) => {
    const run = method.run as typeof gradient.run;
    const result = await run(model, { feeds }, { target, ...options } as Parameters<typeof run>[2]);
    expect(relativeError(result.values.data, row(name))).toBeLessThan(2e-4);
    expect(result.values.dims).toEqual([3, 12, 12]);
    expect(result.target.score).toBeCloseTo(facts.scores.x![target]!, 5);
  });

  it("the sums of ig, deeplift and lrp are held against what they should be", async () => {
    const rise = facts.scores.x![target]! - facts.scores.zero![target]!;
    const [integrated, lifted] = await Promise.all([
      ig.run(model, { feeds }, { target, steps: 200 }),
      deeplift.run(model, { feeds }, { target }),
    ]);
    for (const { completeness } of [integrated, lifted]) expect(completeness!.expected).toBeCloseTo(rise, 5);
    expect(Math.abs(integrated.completeness!.gap)).toBeLessThan(0.005 * Math.abs(rise) + 1e-4);
    expect(Math.abs(lifted.completeness!.gap)).toBeLessThan(1e-5);
    const { completeness, notes } = await lrp.run(model, { feeds }, { target });
    expect(completeness!.expected).toBeCloseTo(facts.scores.x![target]!, 5);
    expect(completeness!.sum).toBeCloseTo(total(row("lrp-composite")), 4);
    expect(notes).toContainEqual(expect.stringContaining("biases"));
  });

  it("the top class is the picture's own, at its baseline too", async () => {
    const top = facts.scores.x!.indexOf(Math.max(...facts.scores.x!));
    for (const method of [ig, deeplift]) {
      const named = await method.run(model, { feeds }, { target: top, baseline: "1.5" });
      const open = await method.run(model, { feeds }, { baseline: "1.5" });
      expect(open.target.index).toBe(top);
      expect(open.values.data).toEqual(named.values.data);
    }
  });

  it("several targets at once are what each gives alone", async () => {
    for (const method of [gradient, ig, smoothgrad, deeplift, lrp]) {
      const run = method.runMany as typeof gradient.runMany;
      const together = await run(model, { feeds }, { targets: [0, 3, "top"] });
      for (const [i, one] of [0, 3, "top"].entries()) {
        const [alone] = await run(model, { feeds }, { targets: [one] });
        expect(relativeError(together[i]!.values.data, alone!.values.data)).toBeLessThan(1e-5);
        expect(together[i]!.origin.options.target).toBe(one);
      }
      expect(together[0]!.values.data).not.toEqual(together[1]!.values.data);
    }
  });

  it("the size of batches changes nothing", async () => {
    for (const method of [ig, smoothgrad, squaregrad, vargrad, expectedGradients]) {
      const run = method.run as typeof smoothgrad.run;
      const [one, three, eight] = await Promise.all(
        [1, 3, 8].map((batch) => run(model, { feeds }, { target, batch, ...(method === ig ? {} : { samples: 10 }) })),
      );
      expect(relativeError(three!.values.data, one!.values.data)).toBeLessThan(1e-5);
      expect(relativeError(eight!.values.data, one!.values.data)).toBeLessThan(1e-5);
    }
  });

  it("noise has the size that was asked for, and its seed repeats it", async () => {
    const run = (seed: number, noise = 0.15) => vargrad.run(model, { feeds }, { target, seed, noise, samples: 6 });
    const [a, b, c, none] = await Promise.all([run(1), run(1), run(2), run(1, 0)]);
    expect(b.values.data).toEqual(a.values.data);
    expect(relativeError(c.values.data, a.values.data)).toBeGreaterThan(0.1);
    expect(Math.max(...none.values.data)).toBeLessThan(1e-12);
    expect(Math.min(...a.values.data)).toBeGreaterThanOrEqual(0);
  });

  it("SquareGrad is VarGrad and the square of SmoothGrad", async () => {
    const options = { target, samples: 7, seed: 3 };
    const [mean, square, variance] = await Promise.all(
      [smoothgrad, squaregrad, vargrad].map((method) => method.run(model, { feeds }, options)),
    );
    const sum = variance!.values.data.map((v, i) => v + mean!.values.data[i]! ** 2);
    expect(relativeError(sum, square!.values.data)).toBeLessThan(1e-5);
  });

  it("what reduces channels decides whether the picture has a sign", async () => {
    const signs = await Promise.all(
      (["sum", "max", "mean", "norm"] as const).map(async (channelReduce) => {
        const result = await gradient.run(model, { feeds }, { target, channelReduce });
        expect(result.channelReduce).toBe(channelReduce);
        return result.signed;
      }),
    );
    expect(signs).toEqual([true, false, true, false]);
    expect((await ig.run(model, { feeds }, { target })).signed).toBe(true);
    expect((await squaregrad.run(model, { feeds }, { target, samples: 2 })).signed).toBe(false);
  });

  it("pictures as a background take the place of made-up baselines", async () => {
    const background = float32([2, 3, 12, 12], new Float32Array(2 * size).fill(facts.baseline));
    const expected = await expectedGradients.run(model, { feeds, background }, { target, samples: 200 });
    const integrated = await ig.run(model, { feeds }, { target, steps: 200, baseline });
    expect(relativeError(expected.values.data, integrated.values.data)).toBeLessThan(0.02);
    expect(expected.notes).toContain("the baselines are 2 pictures that were given");
    const small = float32([2, 3, 4, 4], new Float32Array(96));
    await expect(expectedGradients.run(model, { feeds, background: small })).rejects.toMatchObject({
      code: "tensor-invalid",
      message: expect.stringContaining("[N, 3, 12, 12]"),
    });
  });

  it("each kind of made-up baseline gives an answer of its own", async () => {
    const kinds = ["colors", "noise", "blur"] as const;
    const results = await Promise.all(
      kinds.map((kind) => expectedGradients.run(model, { feeds }, { target, baselines: kind, samples: 4 })),
    );
    const [a, b, c] = results.map(({ values }) => values.data);
    expect(relativeError(a!, b!)).toBeGreaterThan(0.1);
    expect(relativeError(a!, c!)).toBeGreaterThan(0.1);
  });

  it("the scores that sums are held against tell which baseline was taken", async () => {
    const x = row("input");
    const plane = 144;
    const flat = (of: (channel: number) => number): Float32Array => x.map((_, i) => of(Math.floor(i / plane)));
    const means = [0, 1, 2].map((c) => total(x.subarray(c * plane, (c + 1) * plane)) / plane);
    const baselines: Record<string, Float32Array> = {
      zero: flat(() => 0),
      black: flat(() => -2),
      gray: flat(() => 0),
      white: flat(() => 2),
      mean: flat((c) => means[c]!),
      "-1.25": flat(() => -1.25),
    };
    for (const [name, values] of Object.entries(baselines)) {
      const { logits } = await model.run(float32([1, 3, 12, 12], values));
      const { completeness, target: explained } = await ig.run(model, { feeds }, { target, steps: 2, baseline: name });
      expect(explained.score - completeness!.expected, name).toBeCloseTo(logits!.data[target]!, 4);
    }
    await expect(ig.run(model, { feeds }, { baseline: "grey" })).rejects.toMatchObject({
      code: "option-invalid",
      message: expect.stringContaining('"grey"'),
    });
  });

  it("leaves the input and the network as they were", async () => {
    const before = feeds.data.slice();
    const [first] = await model.predict(feeds);
    for (const method of pixelMethods)
      await method.run(model, { feeds }, "samples" in method.options ? { samples: 3 } : {});
    expect(feeds.data).toEqual(before);
    expect((await model.predict(feeds))[0]).toEqual(first);
  });

  it("stops between passes when asked to, and the network goes on working", async () => {
    const controller = new AbortController();
    const seen: number[] = [];
    const onProgress = (done: number, all: number): void => {
      expect(all).toBe(51);
      seen.push(done);
      if (done >= 8) controller.abort();
    };
    const stopped = ig.run(model, { feeds }, { signal: controller.signal, onProgress, batch: 4 });
    await expect(stopped).rejects.toMatchObject({ code: "cancelled" });
    expect(seen).toEqual([0, 4, 8]);
    await expect(gradient.run(model, { feeds }, { target })).resolves.toMatchObject({ kind: "attribution" });
  });

  it("says what is saturated or blank", async () => {
    const large = float32(
      feeds.dims,
      feeds.data.map((v) => v * 4000),
    );
    const saturated = await gradient.run(model, { feeds: large }, { of: "probability" });
    expect(saturated.notes.join()).toMatch(/saturated.*--of logit/);
    const blank = await gradientXInput.run(model, { feeds: float32(feeds.dims, new Float32Array(size)) });
    expect(blank.notes.join()).toMatch(/every value is 0/);
  });

  it("explains the first of a batch, and says so", async () => {
    const two = float32([2, 3, 12, 12], [...feeds.data, ...feeds.data.map((v) => -v)]);
    const [alone, first] = [
      await ig.run(model, { feeds }, { target }),
      await ig.run(model, { feeds: two }, { target }),
    ];
    expect(first.values.data).toEqual(alone.values.data);
    expect(first.notes).toContain("the batch holds 2 pictures; this explains the first");
  });

  it("lrp refuses a probability: it has no such option", () => {
    expect(Object.keys(lrp.options)).not.toContain("of");
  });
});

/** captum's BasicModel_ConvNet_One_Conv. */
async function modelA(): Promise<Model> {
  const build = builder();
  const x = build.input("x", { type: "float32", shape: [null, 1, 4, 4] });
  const kernel = build.constant(float32([2, 1, 3, 3], new Float32Array(18).fill(1)));
  const conv = build.node("Conv", [x, kernel, build.constant(float32([2], [-50, -75]))], {
    attributes: { kernel_shape: ints([3, 3]) },
  });
  const flat = build.node("Flatten", [build.node("Relu", [conv])], { attributes: { axis: int(1) } });
  const row = [1, 1, 1, 1, 1, -1, -1, -1];
  const dense = build.node("Gemm", [flat, build.constant(float32([4, 8], [...row, ...row, ...row, ...row]))], {
    attributes: { transB: int(1) },
  });
  const y = build.node("Relu", [dense], { outputs: ["y"] });
  return open(await writeOnnx(build.finish([y])), { name: "a.onnx" });
}

describe("model A", () => {
  let model: Model;
  const x0 = float32([1, 1, 4, 4], [...Array(16).keys()]);
  const x1 = float32(
    [1, 1, 4, 4],
    x0.data.map((v) => v + 1),
  );
  const target = 0;
  beforeAll(async () => {
    model = await modelA();
  });

  it("guided backpropagation and deconvnet", async () => {
    const values = async (method: typeof guidedBackprop, feeds: Tensor) =>
      Array.from((await method.run(model, { feeds }, { target })).values.data);
    expect(await values(guidedBackprop, x0)).toEqual([0, 1, 1, 1, 1, 3, 3, 2, 1, 3, 3, 2, 1, 2, 2, 1]);
    expect(await values(guidedBackprop, x1)).toEqual([1, 2, 2, 1, 2, 4, 4, 2, 2, 4, 4, 2, 1, 2, 2, 1]);
    expect(await values(deconvnet, x0)).toEqual([2, 3, 3, 1, 3, 5, 5, 2, 3, 5, 5, 2, 1, 2, 2, 1]);
  });

  it("gradient, gradient x input and LRP by epsilon", async () => {
    const g = await gradient.run(model, { feeds: x0 }, { target });
    expect(rounded(g.values.data)).toEqual([0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 0]);
    const product = [0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11, 0, 0, 0, 0];
    const gx = await gradientXInput.run(model, { feeds: x0 }, { target });
    expect(rounded(gx.values.data)).toEqual(product);
    const relevance = await lrp.run(model, { feeds: x0 }, { target, rule: "epsilon" });
    expect(relativeError(relevance.values.data, product)).toBeLessThan(1e-6);
    expect(relevance.completeness!.sum).toBeCloseTo(54, 4);
  });

  const exact = [
    ...[0, 0.0740741, 0.1481481, 0.2222222, 1.2345679, 3.3024691, 3.962963, 2.462963],
    ...[2.4691358, 5.9444444, 6.6049383, 3.8703704, 3.7037037, 7.6234568, 8.2098765, 4.1666667],
  ];
  it("integrated gradients by Gauss and Legendre, and DeepLIFT, which is their limit here", async () => {
    for (const [steps, sum] of [
      [5, 47.31978],
      [20, 50.99185],
      [50, 53.32896],
    ] as const) {
      const { values, completeness } = await ig.run(model, { feeds: x0 }, { target, steps });
      expect(total(values.data)).toBeCloseTo(sum, 4);
      expect(completeness).toMatchObject({
        expected: 54,
        sum: expect.closeTo(sum, 4),
        gap: expect.closeTo(sum - 54, 4),
      });
    }
    const coarse = await ig.run(model, { feeds: x0 }, { target, steps: 5 });
    expect(coarse.notes.join()).toMatch(
      /sum to 47.32 where 54.00 is expected, a gap of -6.68 \(12 %\): take more --steps/,
    );
    const close = await ig.run(model, { feeds: x0 }, { target });
    expect(close.notes.join()).not.toContain("gap");
    const lifted = await deeplift.run(model, { feeds: x0 }, { target });
    expect(relativeError(lifted.values.data, exact)).toBeLessThan(1e-6);
    expect(lifted.completeness).toMatchObject({ expected: 54, gap: expect.closeTo(0, 4) });
    const fine = await ig.run(model, { feeds: x0 }, { target, steps: 2000, batch: 500 });
    expect(relativeError(fine.values.data, exact)).toBeLessThan(2e-3);
  });
});
