/** Graphs brought to real numbers: they say what the engine's own quantised and fused forms say. */
import { describe, expect, test } from "vitest";
import { differentiable } from "../../src/autodiff/differentiable.ts";
import { arrayTypes, type ElementType, float32, sizeOf, type Tensor } from "../../src/core/tensor.ts";
import { type Builder, builder, float, int, ints, text } from "../../src/graph/builder.ts";
import { checkGraph } from "../../src/graph/check.ts";
import type { Attribute, Graph } from "../../src/graph/graph.ts";
import { openModel } from "../../src/node.ts";
import { dataPath } from "../data.ts";
import { seeded } from "../random.ts";
import { w } from "./cases/case.ts";
import { exact, farthest, one, run, slopeGraph } from "./lowered.ts";

type Attributes = Readonly<Record<string, Attribute>>;

/** Codes of weights, the same in every run. */
function codes(type: ElementType, dims: readonly number[], low: number, high: number): Tensor {
  const next = seeded(sizeOf(dims) + low + 1000);
  const data = new arrayTypes[type](sizeOf(dims));
  for (let i = 0; i < data.length; i++) data[i] = Math.floor(low + (high - low) * next());
  return { type, dims, data };
}
/** What quantisers write: x is coded with a scale of 1/32 around 120, the result is read back as numbers. */
interface Coded {
  readonly b: Builder;
  /** Three inputs: codes, scale, zero point. */
  readonly x: readonly string[];
  /** A scale and a zero point for the result, in steps of 1/16 around 100. */
  readonly y: readonly string[];
  scale(value: number): string;
  zero(value: number, type?: ElementType): string;
}
const step = 1 / 16;
/** The result's codes, or `real`: numbers already. */
type Make = (coded: Coded) => string | { readonly real: string };

const conv = (weight: Tensor, ...scale: number[]): Make => {
  return ({ b, x, y, zero }) => {
    const scales = b.constant(float32(scale.length === 1 ? [] : [scale.length], scale));
    const zeros =
      scale.length === 1 ? zero(0, weight.type) : b.constant({ ...codes(weight.type, [scale.length], 0, 1) });
    const bias = b.constant(codes("int32", [weight.dims[0]!], -200, 200));
    const attributes = { pads: ints([1, 1, 1, 1]), kernel_shape: ints([3, 3]) };
    return b.node("QLinearConv", [...x, b.constant(weight), scales, zeros, ...y, bias], { attributes });
  };
};
const microsoft = (op: string, attributes: Attributes = {}, result: [number, number] = [step, 100]): Make => {
  return ({ b, x, scale, zero }) =>
    b.node(op, [...x, scale(result[0]), zero(result[1])], { domain: "com.microsoft", attributes });
};
const second = ({ b, scale, zero }: Coded): string[] => [
  b.constant(codes("uint8", [4, 5, 5], 0, 200)),
  scale(1 / 64),
  zero(90),
];

const quantized: Readonly<Record<string, Make>> = {
  "QuantizeLinear and DequantizeLinear": ({ x }) => x[0]!,
  QLinearConv: conv(codes("int8", [3, 4, 3, 3], -20, 20), 1 / 50),
  "QLinearConv, a scale for each channel": conv(codes("int8", [3, 4, 3, 3], -20, 20), 1 / 50, 1 / 90, 1 / 30),
  "QLinearConv, unsigned": conv(codes("uint8", [3, 4, 3, 3], 0, 9), 1 / 90),
  "MaxPool of codes": ({ b, x }) =>
    b.node("MaxPool", [x[0]!], { attributes: { kernel_shape: ints([2, 2]), strides: ints([2, 2]) } }),
  "Reshape, Transpose, Split and Concat of codes": ({ b, x }) => {
    const turned = b.node("Transpose", [x[0]!], { attributes: { perm: ints([0, 2, 3, 1]) } });
    const [left, right] = b.nodes("Split", [turned, b.ints([1, 3])], { attributes: { axis: int(3) }, outputs: 2 });
    return b.node("Reshape", [b.node("Concat", [right!, left!], { attributes: { axis: int(3) } }), b.ints([0, -1])]);
  },
  "Pad of codes": ({ b, x }) => b.node("Pad", [x[0]!, b.ints([0, 0, 1, 1, 0, 0, 1, 1]), b.constant(one("uint8", 77))]),
  "Pad of codes by code 0": ({ b, x }) => b.node("Pad", [x[0]!, b.ints([0, 0, 1, 1, 0, 0, 1, 1])]),
  "Cast of codes": ({ b, x }) => ({ real: b.node("Cast", [x[0]!], { attributes: { to: int(1) } }) }),
  QLinearMatMul: ({ b, x, y, scale, zero }) =>
    b.node("QLinearMatMul", [...x, b.constant(codes("uint8", [5, 3], 0, 40)), scale(1 / 40), zero(17), ...y]),
  "QLinearMatMul, a scale for each column": ({ b, x, y }) =>
    b.node("QLinearMatMul", [
      ...x,
      b.constant(codes("int8", [5, 3], -20, 20)),
      b.constant(float32([3], [1 / 40, 1 / 20, 1 / 30])),
      b.constant(codes("int8", [3], -3, 3)),
      ...y,
    ]),
  QLinearAdd: (c) => c.b.node("QLinearAdd", [...c.x, ...second(c), ...c.y], { domain: "com.microsoft" }),
  QLinearMul: (c) => c.b.node("QLinearMul", [...c.x, ...second(c), ...c.y], { domain: "com.microsoft" }),
  QLinearSigmoid: microsoft("QLinearSigmoid", {}, [1 / 256, 0]),
  QLinearLeakyRelu: microsoft("QLinearLeakyRelu", { alpha: float(0.2) }),
  QLinearSoftmax: microsoft("QLinearSoftmax", { axis: int(1), opset: int(13) }, [1 / 256, 0]),
  QLinearGlobalAveragePool: microsoft("QLinearGlobalAveragePool"),
  QLinearAveragePool: microsoft("QLinearAveragePool", { kernel_shape: ints([2, 2]), strides: ints([1, 2]) }),
  QLinearConcat: (c) =>
    c.b.node("QLinearConcat", [...c.y, ...c.x, c.x[0]!, c.scale(1 / 20), c.zero(110)], {
      domain: "com.microsoft",
      attributes: { axis: int(1) },
    }),
  QGemm: ({ b, x, y, zero }) =>
    b.node(
      "QGemm",
      [
        b.node("Reshape", [x[0]!, b.ints([-1, 100])]),
        ...x.slice(1),
        b.constant(codes("int8", [3, 100], -20, 20)),
        b.constant(float32([3], [1 / 90, 1 / 80, 1 / 70])),
        b.constant(codes("int8", [3], 0, 1)),
        b.constant(codes("int32", [3], -200, 200)),
        ...y.map((name, i) => (i === 1 ? zero(100) : name)),
      ],
      { domain: "com.microsoft", attributes: { transB: int(1) } },
    ),
  "MatMulInteger behind DynamicQuantizeLinear": ({ b, scale }) => {
    const [q, s, z] = b.nodes("DynamicQuantizeLinear", ["x"], { outputs: 3 });
    const product = b.node("MatMulInteger", [q!, b.constant(codes("int8", [5, 3], -20, 20)), z!]);
    const real = b.node("Cast", [product], { attributes: { to: int(1) } });
    return { real: b.node("Mul", [real, b.node("Mul", [s!, scale(1 / 40)])]) };
  },
  "ConvInteger behind DynamicQuantizeLinear": ({ b, scale }) => {
    const [q, s, z] = b.nodes("DynamicQuantizeLinear", ["x"], { outputs: 3 });
    const weight = b.constant(codes("uint8", [3, 4, 3, 3], 0, 40));
    const made = b.node("ConvInteger", [q!, weight, z!, b.constant(one("uint8", 21))]);
    const real = b.node("Cast", [made], { attributes: { to: int(1) } });
    return { real: b.node("Mul", [real, b.node("Mul", [s!, scale(1 / 40)])]) };
  },
};

function quantizedGraph(make: Make): Graph {
  const b = builder();
  const scale = (value: number): string => b.scalar(value);
  const zero = (value: number, type: ElementType = "uint8"): string => b.constant(one(type, value));
  const input = b.input("x", { type: "float32", shape: [null, 4, 5, 5] });
  const coding = [scale(1 / 32), zero(120)];
  const x = [b.node("QuantizeLinear", [input, ...coding]), ...coding];
  const y = [scale(step), zero(100)];
  const made = make({ b, x, y, scale, zero });
  if (typeof made !== "string") return b.finish([made.real]);
  const last = b.finish([]).nodes.at(-1)!;
  // The result's own scale stands at the end of its node's inputs; moved codes keep that of x.
  const own = last.op.startsWith("Q") && last.op !== "QuantizeLinear";
  const at = last.op === "QLinearConcat" ? 0 : last.op === "QLinearConv" ? 6 : last.inputs.length - 2;
  const result = own ? last.inputs.slice(at, at + 2) : coding;
  return b.finish([b.node("DequantizeLinear", [made, ...result])]);
}

describe("quantised forms", () => {
  test.each(Object.entries(quantized))("%s", async (name, make) => {
    const graph = quantizedGraph(make);
    checkGraph(graph);
    const { graph: real, notes } = differentiable(graph);
    checkGraph(real);
    expect(notes).toHaveLength(1);
    expect(notes[0]).toContain("without their rounding");
    expect(real.nodes.map(({ op }) => op).join(" ")).not.toMatch(
      /QLinear|Integer|(^| )QuantizeLinear|DequantizeLinear/,
    );
    expect(real.outputs).toEqual(graph.outputs);
    for (const batch of [1, 3]) {
      const x = exact(batch);
      const [theirs, ours] = [await run(graph, { x }), await run(real, { x })];
      // Half a step of the result's rounding; where codes are made at run time, that of the input.
      const allowed = /Dynamic/.test(name) ? 0.1 : /Cast/.test(name) ? 0.5 : step / 2;
      expect(farthest(ours, theirs)).toBeLessThan(allowed + 1e-4);
      expect(Math.max(...theirs.map(Math.abs))).toBeGreaterThan(0);
      const slopes = await run(slopeGraph(real, x.dims), { x });
      expect(slopes.length).toBe(x.data.length);
      expect(slopes.every(Number.isFinite)).toBe(true);
      expect(slopes.some((slope) => slope !== 0)).toBe(true);
    }
  });

  test("the range of the codes stays: a ReLU that was folded into it", async () => {
    const b = builder();
    const x = b.input("x", { type: "float32", shape: [null, 4] });
    const coding = [b.scalar(1 / 8), b.constant(one("uint8", 0))];
    const y = b.node("DequantizeLinear", [b.node("QuantizeLinear", [x, ...coding]), ...coding]);
    const { graph } = differentiable(b.finish([y]));
    const feeds = { x: float32([1, 4], [-1, 0, 3.01, 40]) };
    expect([...(await run(graph, feeds))]).toEqual([0, 0, Math.fround(3.01), 255 / 8]);
    expect([...(await run(slopeGraph(graph, [1, 4]), feeds))]).toEqual([0, 0, 1, 0]);
  });

  test("weights with a scale for each row, stored as codes", async () => {
    const b = builder();
    const x = b.input("x", { type: "float32", shape: [null, 4, 5, 5] });
    const weight = b.node(
      "DequantizeLinear",
      [
        b.constant(codes("int8", [3, 4, 3, 3], -9, 9)),
        b.constant(float32([3], [0.5, 2, 4])),
        b.constant(codes("int8", [3], -3, 3)),
      ],
      { attributes: { axis: int(0) } },
    );
    const graph = b.finish([b.node("Conv", [x, weight])]);
    const { graph: real } = differentiable(graph);
    expect(farthest(await run(real, { x: exact(2) }), await run(graph, { x: exact(2) }))).toBeLessThan(1e-3);
  });

  test("codes that the network takes as its input", async () => {
    const b = builder();
    const x = b.input("x", { type: "uint8", shape: [null, 3] });
    const y = b.node("DequantizeLinear", [x, b.scalar(0.5), b.constant(one("uint8", 7))]);
    const { graph } = differentiable(b.finish([y]));
    const feeds = { x: { type: "uint8", dims: [1, 3], data: Uint8Array.of(0, 7, 255) } as const };
    expect([...(await run(graph, feeds))]).toEqual([-3.5, 0, 124]);
    expect([...(await run(slopeGraph(graph, [1, 3]), feeds))]).toEqual([0.5, 0.5, 0.5]);
  });

  test("scales of blocks are refused by name", () => {
    const b = builder();
    const blocks = { attributes: { block_size: int(2), axis: int(1) }, name: "blocks" };
    const weight = b.node("DequantizeLinear", [b.constant(codes("int8", [2, 4], 0, 9)), b.constant(w([2, 2]))], blocks);
    expect(() => differentiable(b.finish([weight]))).toThrow(
      'no gradient passes DequantizeLinear "blocks": its scales are per block',
    );
  });
});

const fusedForms: readonly (readonly [string, Attributes, (b: Builder) => string[]])[] = [
  ...["Relu", "Sigmoid", "Tanh"].map(
    (name) =>
      [
        "FusedConv",
        { activation: text(name), pads: ints([1, 1, 0, 0]) },
        (b: Builder) => [b.constant(w([3, 4, 3, 3])), b.constant(w([3]))],
      ] as const,
  ),
  [
    "FusedConv",
    { activation: text("LeakyRelu"), activation_params: { kind: "floats", value: [0.3] } },
    (b) => [b.constant(w([3, 4, 3, 3]))],
  ],
  [
    "FusedConv",
    { activation: text("Clip"), activation_params: { kind: "floats", value: [-0.5, 0.5] } },
    (b) => [b.constant(w([3, 4, 3, 3]))],
  ],
  [
    "FusedConv",
    { activation: text("Relu") },
    (b) => [b.constant(w([3, 4, 3, 3])), b.constant(w([3])), b.constant(w([1, 3, 3, 3]))],
  ],
  ["Gelu", {}, () => []],
  ["QuickGelu", {}, () => []],
  ["QuickGelu", { alpha: float(0.8) }, () => []],
  ["BiasGelu", {}, (b) => [b.constant(w([5]))]],
  ["FastGelu", {}, (b) => [b.constant(w([5]))]],
  ["FastGelu", {}, () => []],
];

describe("fused forms", () => {
  test.each(fusedForms)("%s %o", async (op, attributes, more) => {
    const b = builder();
    const x = b.input("x", { type: "float32", shape: [op === "FusedConv" ? 1 : null, 4, 5, 5] });
    const graph = b.finish([b.node(op, [x, ...more(b)], { attributes, domain: "com.microsoft", name: "fused" })]);
    const { graph: plain, notes } = differentiable(graph);
    expect(notes).toEqual([]);
    checkGraph(plain);
    expect(plain.nodes.every(({ domain }) => domain === "")).toBe(true);
    expect(plain.nodes.at(-1)!.name).toBe("fused");
    const feeds = { x: exact(1, 60) };
    // The engine's fast forms of the error function are approximations.
    expect(farthest(await run(plain, feeds), await run(graph, feeds))).toBeLessThan(1e-4);
  });
  test("an activation that is not known is refused by name", () => {
    const b = builder();
    const x = b.input("x", { type: "float32", shape: [null, 4, 5, 5] });
    const node = { domain: "com.microsoft", name: "odd", attributes: { activation: text("Twist") } };
    const graph = b.finish([b.node("FusedConv", [x, b.constant(w([3, 4, 3, 3]))], node)]);
    expect(() => differentiable(graph)).toThrow(
      'no gradient passes com.microsoft.FusedConv "odd": its activation is "Twist"',
    );
  });
});

const real = ["shufflenet-v2-12-int8.onnx", "mobilenet_v2_1.0_224_keras_ptq_deq.onnx"];
const path = (name: string): string | undefined => dataPath(`models/${name}`);
describe.skipIf(real.some((name) => path(name) === undefined))("quantised networks (needs CONVLENS_DATA)", () => {
  test.each(real)("%s", async (name) => {
    const model = await openModel(path(name)!);
    const next = seeded(3);
    const picture = Float32Array.from(
      { length: 3 * 224 * 224 },
      (_, i) => Math.sin(i / 37) + Math.cos((i % 224) / 19) + next(),
    );
    const x = float32([1, 3, 224, 224], picture);
    const [best] = (await model.predict(x, { top: 1 }))[0]!.predictions;
    const { targets, notes } = await model.gradient(x, { targets: [{ class: best!.index }] });
    const [target] = targets;
    // Scores reach from -8 to 8; rounding moves them by some tenths.
    expect(Math.abs(target!.scores[0]! - best!.score!)).toBeLessThan(0.5);
    const { data } = Object.values(target!.gradients)[0]!;
    expect(data.every(Number.isFinite)).toBe(true);
    expect(data.filter((slope) => slope !== 0).length).toBeGreaterThan(data.length * 0.9);
    expect(notes.some((note) => note.includes("quantised"))).toBe(name.includes("int8"));
    // A small way along the gradient raises the score as much as it says.
    const slope = Math.hypot(
      ...Array.from({ length: 3 }, (_, c) => Math.hypot(...data.slice(c * 50176, (c + 1) * 50176))),
    );
    const moved = float32(
      x.dims,
      picture.map((value, i) => value + (0.02 * data[i]!) / slope),
    );
    const after = await model.gradient(moved, { targets: [{ class: best!.index }] });
    const rise = (after.targets[0]!.scores[0]! - target!.scores[0]!) / 0.02;
    expect(Math.abs(rise / slope - 1)).toBeLessThan(0.1);
    await model.release();
  });
});
