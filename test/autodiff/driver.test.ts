/** What the driver does itself: ties and bounds, refusals by name, sums, several outputs, and what it leaves out. */
import { describe, expect, test } from "vitest";
import { emitter, GRADIENT } from "../../src/autodiff/emitter.ts";
import { gradient } from "../../src/autodiff/gradient.ts";
import { rules } from "../../src/autodiff/rules/index.ts";
import { ConvlensError } from "../../src/core/errors.ts";
import { float32, type Tensor, toFloat32 } from "../../src/core/tensor.ts";
import { type Builder, builder, int, ints, tensor, text } from "../../src/graph/builder.ts";
import { checkGraph } from "../../src/graph/check.ts";
import type { Graph, Shape } from "../../src/graph/graph.ts";
import { withFacts } from "../../src/graph/infer.ts";
import { printGraph } from "../../src/graph/print.ts";
import { w } from "./cases/case.ts";
import { sessionOf } from "./check.ts";

/** The gradients of a value by inputs, from a seed of ones, as a graph with one output each. */
function differentiate(graph: Graph, of: string, wrt: readonly string[]): { graph: Graph; found: (string | null)[] } {
  const dims = Object.fromEntries(graph.inputs.map((name) => [name, graph.values.get(name)!.shape.map((n) => n ?? 1)]));
  const emit = emitter(withFacts(graph, dims), GRADIENT);
  const found = gradient(emit, { of, seed: emit.expandLike(1, of), wrt }, rules);
  const whole = emit.finish(found.filter((name) => name !== null));
  checkGraph(whole);
  return { graph: whole, found };
}

/** One input "x" of a shape, and what is made of it. */
function network(shape: Shape, make: (b: Builder, x: string) => string, type: Tensor["type"] = "float32") {
  const b = builder();
  const x = b.input("x", { type, shape });
  const y = make(b, x);
  return { graph: b.finish([y]), y };
}

async function slopes(x: Tensor, make: (b: Builder, x: string) => string): Promise<number[]> {
  const { graph, y } = network([null, ...x.dims.slice(1)], make, x.type);
  const { graph: whole, found } = differentiate(graph, y, ["x"]);
  const session = await sessionOf(whole);
  const dx = (await session.run({ x }))[found[0]!]!;
  await session.release();
  expect(dx.dims).toEqual(x.dims);
  return Array.from(toFloat32(dx));
}

const row = (...values: number[]) => float32([1, values.length], values);
const map = (...values: number[]) => float32([1, 1, 2, values.length / 2], values);
const scalar = (b: Builder, value: number) => b.scalar(value);

describe("ties and bounds", () => {
  test("nothing passes ReLU at 0", async () => {
    expect(await slopes(row(-1, 0, 1e-20, 2), (b, x) => b.node("Relu", [x]))).toEqual([0, 0, 1, 1]);
    expect(await slopes(row(-0, 1e30), (b, x) => b.node("Relu", [x]))).toEqual([0, 1]);
  });
  test("nothing passes ReLU6 at its bounds", async () => {
    const relu6 = (b: Builder, x: string) => b.node("Clip", [x, scalar(b, 0), scalar(b, 6)]);
    expect(await slopes(row(-1, 0, 3, 6, 7), relu6)).toEqual([0, 0, 1, 0, 0]);
    expect(await slopes(row(-1, 0, 3), (b, x) => b.node("Clip", [x, scalar(b, 0)]))).toEqual([0, 0, 1]);
  });
  test("any other Clip passes at its bounds", async () => {
    const clip = (b: Builder, x: string) => b.node("Clip", [x, scalar(b, -1), scalar(b, 1)]);
    expect(await slopes(row(-2, -1, 0, 1, 2), clip)).toEqual([0, 1, 1, 1, 0]);
    expect(await slopes(row(0, 1, 2), (b, x) => b.node("Clip", [x, "", scalar(b, 1)]))).toEqual([1, 1, 0]);
  });
  test("|x| is flat at 0", async () => {
    expect(await slopes(row(-2, 0, 3), (b, x) => b.node("Abs", [x]))).toEqual([-1, 0, 1]);
  });
  test("a pool gives a tie to the first maximum, row by row", async () => {
    const pool = (b: Builder, x: string) => b.node("MaxPool", [x], { attributes: { kernel_shape: ints([2, 2]) } });
    expect(await slopes(map(0, 0, 0, 0), pool)).toEqual([1, 0, 0, 0]);
    expect(await slopes(map(1, 5, 5, 2), pool)).toEqual([0, 1, 0, 0]);
    // Overlapping windows choose each for itself, and what they choose adds up.
    expect(await slopes(map(1, 7, 1, 1, 7, 1), pool)).toEqual([0, 2, 0, 0, 0, 0]);
    expect(await slopes(map(3, 1, 3, 1, 3, 1), pool)).toEqual([1, 0, 1, 0, 0, 0]);
    expect(await slopes(map(2, 4, 4, 1), (b, x) => b.node("GlobalMaxPool", [x]))).toEqual([0, 1, 0, 0]);
  });
  test("rectifiers before pools are asked at the maxima, where nothing else reads them", async () => {
    const two = { attributes: { kernel_shape: ints([2, 2]), strides: ints([2, 2]) } };
    const relu = (b: Builder, x: string) => b.node("Relu", [x]);
    const relu6 = (b: Builder, x: string) => b.node("Clip", [x, scalar(b, 0), scalar(b, 6)]);
    const pooled = (rectify: typeof relu) => (b: Builder, x: string) => b.node("MaxPool", [rectify(b, x)], two);
    // Windows: 1, -2 over -3, 0.5; nothing but negative numbers; a tie.
    const x = map(1, -2, -1, -4, 2, 2, -3, 0.5, -2, -3, 2, 1);
    expect(await slopes(x, pooled(relu))).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    expect(await slopes(map(7, 3, 3, 5, 2, 1, 4, 5), pooled(relu6))).toEqual([0, 0, 0, 1, 0, 0, 0, 0]);
    const also = (b: Builder, x: string) => {
      const on = relu(b, x);
      return b.node("Add", [b.node("MaxPool", [on], two), b.node("ReduceSum", [on, b.ints([2, 3])])]);
    };
    expect(await slopes(x, also)).toEqual([4, 0, 0, 0, 4, 3, 0, 3, 0, 0, 3, 3]);
    const last = (make: typeof relu): string | undefined => {
      const { graph, y } = network([null, 1, 2, 6], make);
      const { graph: whole, found } = differentiate(graph, y, ["x"]);
      return whole.nodes.find(({ outputs }) => outputs.includes(found[0]!))?.op;
    };
    expect([pooled(relu), pooled(relu6), also].map(last)).toEqual(["MaxUnpool", "MaxUnpool", "Mul"]);
  });
  test("ReduceMax, ReduceMin, Max and Min share", async () => {
    expect(await slopes(row(4, 1, 4), (b, x) => b.node("ReduceMax", [x, b.ints([1])]))).toEqual([0.5, 0, 0.5]);
    expect(await slopes(row(1, 1, 1, 4), (b, x) => b.node("ReduceMin", [x, b.ints([1])]))).toEqual(
      [1, 1, 1, 0].map((n) => Math.fround(n / 3)),
    );
    expect(await slopes(row(2, 3, -1), (b, x) => b.node("Max", [x, scalar(b, 2)]))).toEqual([0.5, 1, 0]);
    expect(await slopes(row(2, 3, -1), (b, x) => b.node("Min", [x, scalar(b, 2)]))).toEqual([0.5, 0, 1]);
  });
  test("norms are flat where they are 0", async () => {
    const axis = { attributes: { axis: int(1) } };
    expect(await slopes(row(0, 0), (b, x) => b.node("LpNormalization", [x], axis))).toEqual([0, 0]);
    expect(await slopes(row(0, 0), (b, x) => b.node("ReduceL2", [x, b.ints([1])]))).toEqual([0, 0]);
    const pool = { attributes: { kernel_shape: ints([2, 2]) } };
    expect(await slopes(map(0, 0, 0, 0), (b, x) => b.node("LpPool", [x], pool))).toEqual([0, 0, 0, 0]);
  });
  test("a product knows which factors are 0", async () => {
    const product = (b: Builder, x: string) => b.node("ReduceProd", [x, b.ints([1])]);
    expect(await slopes(row(2, 3, 4), product)).toEqual([12, 8, 6]);
    expect(await slopes(row(2, 0, 4), product)).toEqual([0, 8, 0]);
    expect(await slopes(row(0, 0, 4), product)).toEqual([0, 0, 0]);
  });
});

describe("the driver", () => {
  test("sums where a value is used twice", async () => {
    expect(await slopes(row(3, 5), (b, x) => b.node("Mul", [x, b.node("Add", [x, x])]))).toEqual([12, 20]);
  });
  test("takes a picture in bytes as the numbers it holds", async () => {
    const bytes: Tensor = { type: "uint8", dims: [1, 3], data: Uint8Array.of(1, 2, 255) };
    const scaled = (b: Builder, x: string) =>
      b.node("Mul", [b.node("Cast", [x], { attributes: { to: int(1) } }), scalar(b, 0.5)]);
    expect(await slopes(bytes, scaled)).toEqual([0.5, 0.5, 0.5]);
  });
  test("says where nothing flows", () => {
    const shapes = network([null, 4], (b, x) => b.node("Shape", [x]));
    expect(differentiate(shapes.graph, shapes.y, ["x"]).found).toEqual([null]);
    const apart = network([null, 4], (b) => b.node("Relu", [b.input("other", { type: "float32", shape: [null, 2] })]));
    expect(differentiate(apart.graph, apart.y, ["x", "other"]).found).toEqual([null, expect.any(String)]);
  });
  test("what follows from shapes alone carries nothing, whatever operators make it", async () => {
    // A mask of run-time size, as attention over windows has it.
    const masked = (b: Builder, x: string): string => {
      const ones = b.node("ConstantOfShape", [b.node("Shape", [x])], {
        attributes: { value: tensor(float32([1], [3])) },
      });
      return b.node("Mul", [x, ones]);
    };
    expect(await slopes(row(1, 2), masked)).toEqual([3, 3]);
  });
  test("walks only between the two values", () => {
    // An operator without a rule beside the way, before it and behind it does no harm.
    const { graph } = network([null, 3], (b, x) => {
      const before = b.node("Det", [b.node("Reshape", [x, b.ints([-1, 1, 1])])]);
      const inner = b.node("Relu", [before], { outputs: ["inner"] });
      b.node("Hardmax", [b.node("Reshape", [inner, b.ints([1, -1])])]);
      return b.node("Sigmoid", [inner], { outputs: ["score"] });
    });
    const { graph: whole } = differentiate(graph, "score", ["inner"]);
    const added = whole.nodes.filter(({ name }) => name.startsWith(GRADIENT)).map(({ op }) => op);
    expect(added).toEqual(["Shape", "Expand", "Sub", "Mul", "Mul"]);
  });
  test("leaves the base graph's nodes as they are", () => {
    const { graph, y } = network([null, 3], (b, x) => b.node("Relu", [x]));
    const { graph: whole } = differentiate(graph, y, ["x"]);
    expect(whole.nodes.slice(0, graph.nodes.length)).toEqual(graph.nodes);
    expect(printGraph(whole)).toContain("HardSigmoid");
  });
});

const refused = (shape: Shape, make: (b: Builder, x: string) => string, type: Tensor["type"] = "float32") => {
  const { graph, y } = network(shape, make, type);
  try {
    differentiate(graph, y, ["x"]);
  } catch (error) {
    if (error instanceof ConvlensError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "nothing was refused";
};

describe("refuses by name", () => {
  test("an operator without a rule, and one of another domain", () => {
    expect(refused([null, 3], (b, x) => b.node("Hardmax", [x], { name: "hard" }))).toBe(
      'model-unsupported: no gradient passes Hardmax "hard": there is no rule for the operator Hardmax (docs/reference/operators.md lists those that have one)',
    );
    expect(refused([null, 3], (b, x) => b.node("Relu", [x], { domain: "my.own" }))).toContain("operator my.own.Relu");
    // Names that every object inherits are no rules.
    expect(refused([null, 3], (b, x) => b.node("constructor", [x]))).toContain("operator constructor");
  });
  test("a gradient of a gradient", () => {
    const { graph, y } = network([null, 3], (b, x) => b.node("Relu", [b.node("Mul", [x, x])]));
    const { graph: whole, found } = differentiate(graph, y, ["x"]);
    expect(() => differentiate(whole, found[0]!, ["x"])).toThrow(
      /^no gradient passes .*|"gradient\/.*" belongs to a gradient already, and gradients are not differentiated again/,
    );
    expect(() => differentiate(whole, found[0]!, ["x"])).toThrow(/gradients are not differentiated again/);
  });
  test("a kernel that depends on what is differentiated by", () => {
    const kernel = (b: Builder, x: string) => b.node("Conv", [b.constant(w([1, 2, 5, 5])), x], { name: "mixed" });
    expect(refused([3, 2, 3, 3], kernel)).toBe(
      'model-unsupported: no gradient passes Conv "mixed": the rule for its input 1 ("x") is not written',
    );
  });
  test("an output that the rule leaves out", () => {
    const norm = (b: Builder, x: string) => {
      const [y, mean] = b.nodes("LayerNormalization", [x, b.constant(w([3]))], { outputs: 2, name: "norm" });
      return b.node("Add", [y!, mean!]);
    };
    expect(refused([null, 3], norm)).toContain('LayerNormalization "norm": its output 1 is used');
  });
  test("random dropping, statistics of the batch, counts that only the numbers tell", () => {
    const yes: Tensor = { type: "bool", dims: [], data: Uint8Array.of(1) };
    const drop = (b: Builder, x: string) => b.node("Dropout", [x, b.scalar(0.5), b.constant(yes)]);
    expect(refused([null, 3], drop)).toContain("it drops at random (training mode)");
    const norm = { attributes: { training_mode: int(1) }, outputs: 3 };
    const train = (b: Builder, x: string) =>
      b.nodes("BatchNormalization", [x, ...[1, 2, 3, 4].map(() => b.constant(w([3])))], norm)[0]!;
    expect(refused([null, 3, 2], train)).toContain("it is in training mode");
    const tile = (b: Builder, x: string) => b.node("Tile", [x, b.node("Cast", [x], { attributes: { to: int(7) } })]);
    expect(refused([2], tile)).toContain("its repeats are not known before it runs");
  });
  test("what its attributes ask for beyond the rule", () => {
    const pool = { attributes: { kernel_shape: ints([2, 2]), storage_order: int(1) } };
    expect(refused([null, 1, 4, 4], (b, x) => b.node("MaxPool", [x], pool))).toContain("storage_order 1");
    const crop = { attributes: { coordinate_transformation_mode: text("tf_crop_and_resize") } };
    const resize = (b: Builder, x: string) => b.node("Resize", [x, b.constant(w([8])), "", b.ints([1, 1, 2, 2])], crop);
    expect(refused([1, 1, 4, 4], resize)).toContain("it crops (tf_crop_and_resize)");
    const diagonal = { attributes: { equation: text("nii->n") } };
    expect(refused([null, 3, 3], (b, x) => b.node("Einsum", [x], diagonal))).toContain("a diagonal");
    const most = { attributes: { reduction: text("max") } };
    const scatter = (b: Builder, x: string) =>
      b.node(
        "ScatterElements",
        [x, b.constant({ type: "int64", dims: [1, 1], data: BigInt64Array.of(0n) }), b.constant(w([1, 1]))],
        most,
      );
    expect(refused([2, 3], scatter)).toContain('its updates are joined by "max"');
  });
});
