/** Pixel methods: what must hold by definition, over the network families, and for networks of other kinds. */
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { ConvlensError } from "../../src/core/errors.ts";
import { float32 } from "../../src/core/tensor.ts";
import { writeOnnx } from "../../src/formats/onnx/write.ts";
import { builder, float, int, ints } from "../../src/graph/builder.ts";
import { deeplift, gradient, gradientXInput, ig, lrp, methods, smoothgrad, vargrad } from "../../src/methods/index.ts";
import type { Model } from "../../src/model/model.ts";
import { openModel } from "../../src/node.ts";
import {
  fixtureArray,
  fixtureFeeds,
  networkFixtures,
  networkOptions,
  networkPath,
  picture,
  relativeError,
} from "../fixtures/networks/read.ts";

const pixelMethods = methods.filter((method) => "family" in method && method.family === "pixels");
const opened: Model[] = [];
afterAll(() => Promise.all(opened.map((model) => model.release())));
async function open(what: string | Uint8Array, options: Parameters<typeof openModel>[1] = {}): Promise<Model> {
  const model = await openModel(what, { preprocessing: "unit", activation: "none", ...options });
  opened.push(model);
  return model;
}
const total = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0);

/** y = f(W x + b), 6 inputs and 2 outputs, f made by `finish`. */
async function dense(finish: (build: ReturnType<typeof builder>, z: string) => string): Promise<Model> {
  const build = builder();
  const x = build.input("x", { type: "float32", shape: [null, 6] });
  const w = Float32Array.from({ length: 12 }, (_, i) => Math.sin(i * 1.7));
  const z = build.node("Gemm", [x, build.constant(float32([6, 2], w)), build.constant(float32([2], [0.3, -0.2]))]);
  return open(await writeOnnx(build.finish([finish(build, z)])), { name: "dense.onnx" });
}
const six = float32([1, 6], [0.9, -1.2, 0.4, 2, -0.3, 1.1]);

describe("what holds by definition", () => {
  it("a linear network: one step of integrated gradients is exact, and equals gradient x difference", async () => {
    const model = await dense((_, z) => z);
    const slopes = (await gradient.run(model, { feeds: six }, { target: 1 })).values.data;
    const product = slopes.map((g, i) => g * (six.data[i]! - 0.5));
    for (const steps of [1, 2, 7, 50]) {
      const { values, completeness } = await ig.run(model, { feeds: six }, { target: 1, steps, baseline: "0.5" });
      expect(relativeError(values.data, product)).toBeLessThan(1e-6);
      expect(Math.abs(completeness!.gap)).toBeLessThan(1e-5);
    }
    const noisy = await smoothgrad.run(model, { feeds: six }, { target: 1, noise: 3 });
    expect(relativeError(noisy.values.data, slopes)).toBeLessThan(1e-6);
    expect(Math.max(...(await vargrad.run(model, { feeds: six }, { target: 1 })).values.data)).toBeLessThan(1e-12);
  });

  it("a smooth network: 200 steps leave a gap below 0.005", async () => {
    const model = await dense((build, z) => build.node("Tanh", [build.node("Softplus", [build.node("Mul", [z, z])])]));
    const { completeness } = await ig.run(model, { feeds: six }, { target: 0, steps: 200 });
    expect(Math.abs(completeness!.expected)).toBeGreaterThan(0.1);
    expect(Math.abs(completeness!.gap)).toBeLessThan(0.005);
  });

  it("two ways of computing the same function get the same integrated gradients", async () => {
    const direct = await dense((build, z) => build.node("Relu", [z]));
    const detour = await dense((build, z) => {
      const half = build.node("Mul", [z, build.scalar(0.5)]);
      return build.node("Add", [half, build.node("Abs", [half])]);
    });
    for (const target of [0, 1]) {
      const [a, b] = await Promise.all([direct, detour].map((model) => ig.run(model, { feeds: six }, { target })));
      expect(relativeError(b!.values.data, a!.values.data)).toBeLessThan(1e-5);
      expect(Math.max(...a!.values.data)).toBeGreaterThan(0);
    }
  });

  it("DeepLIFT's shares add up behind products, quotients, softmax and every bending function", async () => {
    const bent: [string, (build: ReturnType<typeof builder>, z: string) => string][] = [
      ...["Sigmoid", "Tanh", "Softplus", "Elu", "Selu", "HardSwish", "Gelu", "Mish", "Exp", "Abs", "Erf"].map(
        (op): [string, (build: ReturnType<typeof builder>, z: string) => string] => [
          op,
          (build, z) => build.node(op, [z]),
        ],
      ),
      ["swish", (build, z) => build.node("Mul", [z, build.node("Sigmoid", [z])])],
      ["quotient", (build, z) => build.node("Div", [build.node("Sin", [z]), build.node("Exp", [z])])],
      [
        "softmax",
        (build, z) =>
          build.node("Mul", [build.node("Softmax", [z], { attributes: { axis: int(1) } }), build.scalar(3)]),
      ],
      [
        "normalization",
        (build, z) => {
          const w = build.constant(float32([2], [1.5, -0.7]));
          const widened = build.node("Concat", [z, build.node("Sin", [z]), build.node("Exp", [z])], {
            attributes: { axis: int(1) },
          });
          const six = build.constant(float32([6], [1, 2, -0.5, 0.3, 1.1, -0.8]));
          const layer = build.node("LayerNormalization", [widened, six], { attributes: { axis: int(-1) } });
          const maps = build.node("Reshape", [layer, build.ints([-1, 2, 3])]);
          const instance = build.node("InstanceNormalization", [maps, w, w]);
          return build.node("ReduceMax", [instance, build.ints([2])], { attributes: { keepdims: int(0) } });
        },
      ],
      [
        "groups",
        (build, z) => {
          const widened = build.node("Concat", [z, build.node("Exp", [z])], { attributes: { axis: int(1) } });
          const maps = build.node("Reshape", [widened, build.ints([-1, 2, 2])]);
          const w = build.constant(float32([2], [1.5, -0.7]));
          const group = build.node("GroupNormalization", [maps, w, w], { attributes: { num_groups: int(1) } });
          return build.node("Flatten", [group]);
        },
      ],
      [
        "matrices",
        (build, z) => {
          const row = build.node("Reshape", [z, build.ints([-1, 1, 2])]);
          const column = build.node("Reshape", [build.node("Sin", [z]), build.ints([-1, 2, 1])]);
          return build.node("Reshape", [build.node("MatMul", [column, row]), build.ints([-1, 4])]);
        },
      ],
      ["max", (build, z) => build.node("Max", [z, build.scalar(0.1)])],
      ["greatest", (build, z) => build.node("Add", [z, build.node("ReduceMax", [z, build.ints([1])])])],
    ];
    for (const [name, finish] of bent) {
      const model = await dense(finish);
      const { completeness, values } = await deeplift.run(model, { feeds: six }, { target: 0, baseline: "-0.4" });
      expect(Math.abs(completeness!.gap), name).toBeLessThan(2e-5);
      expect(Math.abs(completeness!.expected), name).toBeGreaterThan(0.01);
      expect(values.data.every(Number.isFinite), name).toBe(true);
      const same = await deeplift.run(model, { feeds: six }, { target: 0, baseline: "0.9" });
      expect(same.values.data[0], name).toBeCloseTo(0, 6);
    }
  });

  it("DeepLIFT's shares add up where pools overlap, behind rectifiers too", async () => {
    const build = builder();
    const x = build.input("x", { type: "float32", shape: [null, 2, 7, 7] });
    const kernel = Float32Array.from({ length: 4 * 2 * 9 }, (_, i) => Math.sin(i * 2.3));
    const conv = build.node("Conv", [x, build.constant(float32([4, 2, 3, 3], kernel))], {
      attributes: { kernel_shape: ints([3, 3]), pads: ints([1, 1, 1, 1]) },
    });
    const pool = build.node("MaxPool", [build.node("Relu", [conv])], {
      attributes: { kernel_shape: ints([3, 3]), strides: ints([2, 2]), pads: ints([1, 1, 1, 1]) },
    });
    const least = build.node("ReduceMin", [pool, build.ints([2, 3])], { attributes: { keepdims: int(0) } });
    const most = build.node("Flatten", [build.node("GlobalMaxPool", [conv])]);
    const model = await open(await writeOnnx(build.finish([build.node("Sub", [least, most])])), { name: "pools.onnx" });
    const picture = (factor: number) =>
      float32(
        [1, 2, 7, 7],
        Float32Array.from({ length: 98 }, (_, i) => Math.cos(i * factor)),
      );
    for (const target of [0, 1, 2, 3]) {
      const { completeness } = await deeplift.run(model, { feeds: picture(1.9) }, { target, baseline: "0.2" });
      expect(Math.abs(completeness!.gap)).toBeLessThan(1e-5);
      expect(Math.abs(completeness!.expected)).toBeGreaterThan(0.1);
    }
  });

  it("a picture that is its own baseline has no shares", async () => {
    const model = await dense((build, z) => build.node("Sigmoid", [z]));
    const flat = float32([1, 6], new Float32Array(6).fill(0.7));
    for (const method of [ig, deeplift]) {
      const { values, completeness } = await method.run(model, { feeds: flat }, { target: 0, baseline: "0.7" });
      expect(Math.max(...values.data.map(Math.abs))).toBeLessThan(1e-6);
      expect(completeness!.expected).toBeCloseTo(0, 6);
    }
  });

  it("LRP: a gate gets nothing, the signal all", async () => {
    const gatedNet = await dense((build, z) => {
      const gate = build.node("Sigmoid", [build.node("ReduceMean", [z, build.ints([1])])]);
      return build.node("Mul", [z, gate]);
    });
    const plain = await dense((_, z) => z);
    const options = { target: 0, rule: "epsilon" } as const;
    const [gated, bare] = await Promise.all([gatedNet, plain].map((model) => lrp.run(model, { feeds: six }, options)));
    const factor = gated!.target.score / bare!.target.score;
    expect(
      relativeError(
        gated!.values.data,
        bare!.values.data.map((v) => v * factor),
      ),
    ).toBeLessThan(1e-5);
  });

  it("LRP: one linear layer is one, however a file writes it", async () => {
    const weights = Float32Array.from({ length: 24 }, (_, i) => Math.sin(i * 1.3));
    const bias = [0.4, -0.3, 0.2, 0.1];
    const gain = [1.5, -0.5, 2, 0.25];
    type Write = (build: ReturnType<typeof builder>, x: string) => string;
    const vector = (build: ReturnType<typeof builder>, values: readonly number[]) =>
      build.constant(float32([values.length], values));
    const scaled = weights.map((w, i) => w * gain[i % 4]!);
    const shift = bias.map((b, i) => b * gain[i]!);
    const ways: Record<string, Write> = {
      merged: (build, x) => build.node("Gemm", [x, build.constant(float32([6, 4], scaled)), vector(build, shift)]),
      turned: (build, x) => {
        const columns = Float32Array.from({ length: 24 }, (_, i) => scaled[(i % 6) * 4 + Math.floor(i / 6)]!);
        const w = build.constant(float32([4, 6], columns));
        return build.node("Gemm", [x, w, vector(build, shift)], { attributes: { transB: int(1) } });
      },
      factors: (build, x) => {
        const w = build.constant(
          float32(
            [6, 4],
            scaled.map((v) => v / 2),
          ),
        );
        const halved = vector(
          build,
          shift.map((v) => v * 4),
        );
        return build.node("Gemm", [x, w, halved], { attributes: { alpha: float(2), beta: float(0.25) } });
      },
      steps: (build, x) => {
        const product = build.node("MatMul", [x, build.constant(float32([6, 4], weights))]);
        const inverse = gain.map((g) => 1 / g);
        return build.node("Div", [build.node("Add", [vector(build, bias), product]), vector(build, inverse)]);
      },
      normalized: (build, x) => {
        const product = build.node("MatMul", [x, build.constant(float32([6, 4], weights))]);
        const [mean, variance] = [vector(build, [1, -1, 2, 0]), vector(build, [1, 4, 0.25, 9])];
        const scale = gain.map((g, i) => g * [1, 2, 0.5, 3][i]!);
        const offset = bias.map((b, i) => gain[i]! * (b + [1, -1, 2, 0][i]!));
        const inputs = [product, vector(build, scale), vector(build, offset), mean, variance];
        return build.node("BatchNormalization", inputs, { attributes: { epsilon: float(0) } });
      },
    };
    const results: Record<string, Float32Array[]> = {};
    for (const [name, write] of Object.entries(ways)) {
      const build = builder();
      const x = build.input("x", { type: "float32", shape: [null, 6] });
      const h = build.node("Relu", [write(build, x)]);
      const last = build.constant(float32([4, 2], [1, -1, 0.5, 2, -0.3, 1, 1, 1]));
      const model = await open(await writeOnnx(build.finish([build.node("MatMul", [h, last])])), {
        name: `${name}.onnx`,
      });
      const rules = ["epsilon", "gamma", "alpha-beta", "composite"] as const;
      const all = await Promise.all(rules.map((rule) => lrp.run(model, { feeds: six }, { target: 1, rule })));
      results[name] = all.map(({ values }) => values.data);
    }
    for (const [name, found] of Object.entries(results))
      for (const [i, values] of found.entries())
        expect(relativeError(values, results.merged![i]!), `${name} ${i}`).toBeLessThan(1e-5);
    expect(relativeError(results.merged![0]!, results.merged![1]!)).toBeGreaterThan(0.01);
  });

  it("LRP: epsilon takes the share that it is, and refuses what it has no rule for", async () => {
    const model = await dense((_, z) => z);
    const { values } = await lrp.run(model, { feeds: six }, { target: 0, rule: "epsilon", epsilon: 0.5 });
    const { values: bare, target } = await gradientXInput.run(model, { feeds: six }, { target: 0 });
    const share = target.score / (target.score + 0.5 * Math.sign(target.score));
    expect(
      relativeError(
        values.data,
        bare.data.map((v) => v * share),
      ),
    ).toBeLessThan(1e-5);
    const soft = await dense((build, z) => build.node("Mul", [build.node("Softmax", [z]), build.scalar(2)]));
    await expect(lrp.run(soft, { feeds: six })).rejects.toMatchObject({
      code: "model-unsupported",
      message: expect.stringMatching(/Softmax.*explain the logit/),
    });
  });

  it("classes of one output unit are each other's opposite", async () => {
    const build = builder();
    const x = build.input("x", { type: "float32", shape: [null, 6] });
    const w = build.constant(float32([6, 1], [1, -2, 0.5, 1.5, -1, 2]));
    const p = build.node("Sigmoid", [build.node("MatMul", [build.node("Tanh", [x]), w])]);
    const model = await open(await writeOnnx(build.finish([p])), { name: "binary.onnx" });
    for (const method of pixelMethods.filter(({ id }) => !/square|var/.test(id))) {
      const run = method.run as typeof gradient.run;
      const [no, yes] = await Promise.all([0, 1].map((target) => run(model, { feeds: six }, { target })));
      expect(yes!.target.score).toBeCloseTo(-no!.target.score, 6);
      if (/guided|deconv/.test(method.id)) continue;
      expect(
        relativeError(
          no!.values.data.map((v) => -v),
          yes!.values.data,
        ),
        method.id,
      ).toBeLessThan(1e-5);
    }
  });
});

describe("miniature networks of the families", () => {
  const families = [
    ...["resnet-basic", "mobilenet-v2", "mobilenet-v3", "efficientnet-v1", "shufflenet-v2", "densenet", "convnext"],
    ...["alexnet", "googlenet", "attention"],
  ];
  it.each(families)("%s: ig is captum's, DeepLIFT's shares add up, relevance stays bounded", async (name) => {
    const fixture = networkFixtures.find((one) => one.name === name)!;
    const model = await open(networkPath(fixture), networkOptions(fixture));
    const input = { feeds: fixtureFeeds(fixture, 0) };
    const target = fixture.classes[0]!;
    if (fixture.arrays.ig) {
      const integrated = await ig.run(model, input, { target });
      expect(relativeError(integrated.values.data, picture(fixtureArray(fixture, "ig")!, 0).data)).toBeLessThan(1e-4);
    }
    const size = (values: Float32Array): number => total(values.map(Math.abs));
    const lifted = await deeplift.run(model, input, { target });
    const hasRules = !lifted.notes.some((note) => note.startsWith("deeplift has no rule"));
    expect(hasRules).toBe(name !== "googlenet");
    if (hasRules) expect(Math.abs(lifted.completeness!.gap)).toBeLessThan(1e-6 * size(lifted.values.data) + 1e-6);
    const relevance = lrp.run(model, input, { target });
    if (name === "attention")
      return expect(relevance).rejects.toMatchObject({
        message: expect.stringContaining("a product of two feature maps"),
      });
    const { values, completeness } = await relevance;
    expect(size(values.data)).toBeGreaterThan(0.05 * Math.abs(completeness!.expected));
    expect(size(values.data)).toBeLessThan(20 * Math.abs(completeness!.expected));
  });
});

describe("networks of other kinds", () => {
  /** score = sum of a x + b y, with y a second input. */
  async function twoInputs(batch: number | null): Promise<Model> {
    const build = builder();
    const x = build.input("x", { type: "float32", shape: [batch, 4] });
    const y = build.input("y", { type: "float32", shape: [batch, 4] });
    const w = build.constant(
      float32(
        [4, 3],
        Float32Array.from({ length: 12 }, (_, i) => Math.cos(i)),
      ),
    );
    const z = build.node("MatMul", [build.node("Mul", [x, build.node("Tanh", [y])]), w]);
    return open(await writeOnnx(build.finish([z])), { name: "two.onnx" });
  }

  it.each([[null], [1]])("a second input is held as it is given (batch %s)", async (batch) => {
    const model = await twoInputs(batch);
    const feeds = { x: float32([1, 4], [1, 2, 3, 4]), y: float32([1, 4], [0.1, -0.4, 2, 0.7]) };
    const slopes = [0, 1, 2, 3].map((i) => Math.tanh(feeds.y.data[i]!) * Math.cos(3 * i + 1));
    for (const method of pixelMethods) {
      const run = method.run as typeof ig.run;
      const { values, notes } = await run(model, { feeds }, { target: 1 });
      expect(notes).toContain('only "x" is explained; the other inputs are held as they are given');
      const x = feeds.x.data;
      if (["gradient", "smoothgrad"].includes(method.id)) expect(relativeError(values.data, slopes)).toBeLessThan(1e-5);
      if (["gradient-x-input", "ig", "deeplift"].includes(method.id))
        expect(
          relativeError(
            values.data,
            slopes.map((g, i) => g * x[i]!),
          ),
          method.id,
        ).toBeLessThan(1e-5);
    }
  });

  it("a network of whole numbers is refused", async () => {
    const model = await open(fileURLToPath(new URL("../fixtures/model/mini-uint8.onnx", import.meta.url)));
    for (const method of pixelMethods)
      expect(method.applies(model)).toMatch(/is uint8: whole numbers have no gradient/);
  });

  it("a network that overflows is told from one whose gradient does", async () => {
    const build = builder();
    const x = build.input("x", { type: "float32", shape: [null, 2] });
    const e = build.node("Exp", [x], { name: "power" });
    const w = build.constant(float32([2, 2], [1, 2, 3, 4]));
    const model = await open(await writeOnnx(build.finish([build.node("MatMul", [e, w])])), { name: "big.onnx" });
    const { notes } = await gradient.run(model, { feeds: float32([1, 2], [100, 1]) }, { target: 0 });
    expect(notes.join()).toMatch(/NaN or infinity: they begin at the layer "power" \(Exp\)/);
  });

  it("errors are Convlens' own", async () => {
    const model = await dense((_, z) => z);
    await expect(ig.run(model, { feeds: six }, { target: 9 })).rejects.toBeInstanceOf(ConvlensError);
    await expect(ig.run(model, { feeds: six }, { baseline: "blur" })).rejects.toMatchObject({
      code: "option-invalid",
      message: expect.stringContaining("is a picture"),
    });
  });
});
