/** Shape inference against the engine: each operator in its attribute cases, computed shapes, real models, hostile numbers. */
import { describe, expect, test } from "vitest";
import { ConvlensError } from "../../src/core/errors.ts";
import { arrayTypes, type ElementType, float32, int64, sizeOf, type Tensor } from "../../src/core/tensor.ts";
import { readModel } from "../../src/formats/index.ts";
import { encodeGraph } from "../../src/formats/onnx/write.ts";
import { type Builder, builder, float, int, ints, tensor } from "../../src/graph/builder.ts";
import { checkGraph } from "../../src/graph/check.ts";
import type { Attribute, Graph } from "../../src/graph/graph.ts";
import { inferredOperators, inferShapes, withShapes } from "../../src/graph/infer.ts";
import { consumers } from "../../src/graph/walk.ts";
import { nodePlatform } from "../../src/platform/node.ts";
import { dataPath } from "../data.ts";
import { seeded } from "../random.ts";
import { type Fed, type InferenceCase, type Input, inferenceCases } from "./cases.ts";

const isFed = (input: Input): input is Fed => input !== undefined && "feed" in input;

function graphOf({ op, inputs, attributes, outputs, domain }: InferenceCase): Graph {
  const b = builder();
  const names = inputs.map((input, i) =>
    input === undefined
      ? ""
      : isFed(input)
        ? b.input(`x${i}`, { type: input.feed, shape: input.dims.map((n) => (n === "N" ? null : n)) })
        : b.constant(input),
  );
  return b.finish(b.nodes(op, names, { attributes, outputs, domain }));
}

const fill = (type: ElementType, dims: readonly number[]): Tensor => {
  const data = new arrayTypes[type](sizeOf(dims));
  if (data instanceof Float32Array) for (let i = 0; i < data.length; i++) data[i] = Math.abs(Math.sin(i + 1));
  return { type, dims, data };
};

const concrete = (graph: Graph, batch: number): Record<string, number[]> =>
  Object.fromEntries(graph.inputs.map((name) => [name, graph.values.get(name)!.shape.map((n) => n ?? batch)]));

/** Runs the graph with all its values exposed and compares types and shapes. */
async function compare(graph: Graph, batch: number): Promise<void> {
  checkGraph(graph);
  const feeds = concrete(graph, batch);
  const inferred = inferShapes(graph, feeds);
  const read = consumers(graph);
  const outputs = graph.nodes
    // ONNX Runtime 1.30 crashes when a Range that feeds a Gather is an output too.
    .filter((node) => node.op !== "Range" || !read.has(node.outputs[0]!))
    .flatMap((node) => node.outputs)
    .filter((name) => name !== "");
  const session = await (await nodePlatform.engine()).createSession(encodeGraph({ ...graph, outputs }));
  const tensors = Object.fromEntries(
    graph.inputs.map((name) => [name, fill(graph.values.get(name)!.type, feeds[name]!)]),
  );
  const got = await session.run(tensors);
  for (const name of outputs)
    expect({ name, ...inferred.get(name) }).toEqual({ name, type: got[name]!.type, shape: got[name]!.dims });
  await session.release();
}

describe("each rule", () => {
  test.each(inferenceCases.map((one, i) => [`${one.op} (${i})`, one] as const))("%s", async (_, one) => {
    const graph = graphOf(one);
    await compare(graph, 1);
    if (one.inputs.some((input) => isFed(input) && input.dims.includes("N"))) await compare(graph, 3);
  });
  test.each(["", "com.microsoft"])("of domain '%s' has a case", (domain) => {
    const tried = new Set(inferenceCases.filter((one) => one.domain === domain).map(({ op }) => op));
    expect(inferredOperators(domain).filter((op) => !tried.has(op))).toEqual([]);
  });
});

/** A network input [?, 4, 6, 5] and what exporters compute around it. */
const idioms: Readonly<Record<string, (b: Builder, x: string) => string>> = {
  "flatten by the batch read at run time": (b, x) => {
    const batch = b.node("Gather", [b.node("Shape", [x]), b.constant(int64([], [0]))], {
      attributes: { axis: int(0) },
    });
    const target = b.node("Concat", [b.node("Unsqueeze", [batch, b.ints([0])]), b.ints([-1])], {
      attributes: { axis: int(0) },
    });
    return b.node("Reshape", [x, target]);
  },
  "channel shuffle with divided channels": (b, x) => {
    const shape = b.node("Shape", [x]);
    const at = (i: number): string => b.node("Gather", [shape, b.ints([i])]);
    const half = b.node("Div", [at(1), b.ints([2])]);
    const five = b.node("Concat", [at(0), b.ints([2]), half, at(2), at(3)], { attributes: { axis: int(0) } });
    const turned = b.node("Transpose", [b.node("Reshape", [x, five])], { attributes: { perm: ints([0, 2, 1, 3, 4]) } });
    return b.node("Reshape", [turned, shape]);
  },
  "doubling through floats": (b, x) => {
    const size = b.node("Slice", [b.node("Shape", [x]), b.ints([2]), b.ints([4])]);
    const scaled = b.node("Mul", [
      b.node("Cast", [size], { attributes: { to: int(1) } }),
      b.constant(float32([2], [2, 1.5])),
    ]);
    const sizes = b.node("Cast", [b.node("Floor", [scaled])], { attributes: { to: int(7) } });
    const head = b.node("Slice", [b.node("Shape", [x]), b.ints([0]), b.ints([2])]);
    return b.node("Resize", [x, "", "", b.node("Concat", [head, sizes], { attributes: { axis: int(0) } })]);
  },
  "expand with -1 kept": (b, x) => {
    const wanted = b.ints([2, -1, -1, -1, -1]);
    const ones = b.node("ConstantOfShape", [b.ints([5])], { attributes: { value: tensor(int64([1], [1])) } });
    const minus = b.node("Mul", [ones, b.ints([-1])]);
    return b.node("Expand", [x, b.node("Where", [b.node("Equal", [wanted, minus]), ones, wanted])]);
  },
  "positions by Range": (b, x) => {
    const width = b.node("Squeeze", [b.node("Shape", [x], { attributes: { start: int(3) } }), b.ints([0])]);
    const places = b.node("Range", [b.constant(int64([], [0])), width, b.constant(int64([], [2]))]);
    return b.node("Gather", [x, places], { attributes: { axis: int(3) } });
  },
  "elements by ReduceProd": (b, x) => {
    const rest = b.node("ReduceProd", [b.node("Shape", [x], { attributes: { start: int(1) } })], {
      attributes: { keepdims: int(1) },
    });
    return b.node("Reshape", [x, b.node("Concat", [b.ints([-1]), rest], { attributes: { axis: int(0) } })]);
  },
  "padding to even sizes": (b, x) => {
    const size = b.node("Shape", [x], { attributes: { start: int(2) } });
    const odd = b.node("Mod", [size, b.ints([2])]);
    const zeros = b.node("Tile", [b.ints([0]), b.ints([6])]);
    return b.node("Pad", [x, b.node("Concat", [zeros, odd], { attributes: { axis: int(0) } })]);
  },
  "PyTorch's order of pads": (b, x) => {
    const pads = b.node(
      "Concat",
      [
        b.ints([1, 2, 3, 0]),
        b.node("ConstantOfShape", [b.ints([4])], { attributes: { value: tensor(int64([1], [0])) } }),
      ],
      {
        attributes: { axis: int(0) },
      },
    );
    const pairs = b.node("Reshape", [pads, b.ints([-1, 2])]);
    const reversed = b.node("Slice", [pairs, b.ints([-1]), b.ints([-(2 ** 40)]), b.ints([0]), b.ints([-1])]);
    const turned = b.node("Transpose", [reversed], { attributes: { perm: ints([1, 0]) } });
    return b.node("Pad", [x, b.node("Reshape", [turned, b.ints([-1])])]);
  },
  "sizes picked from a table": (b, x) => {
    const table = b.node("Concat", [b.constant(int64([2, 2], [1, 2, 3, 4])), b.constant(int64([2, 1], [5, 2]))], {
      attributes: { axis: int(1) },
    });
    const [, row] = b.nodes("Split", [b.node("Gather", [table, b.ints([1, -1, 0])]), b.ints([2, 1])], {
      outputs: 2,
      attributes: { axis: int(0) },
    });
    const tiled = b.node("Tile", [
      b.node("Gather", [row!, b.ints([0, 2])], { attributes: { axis: int(1) } }),
      b.ints([1, 2]),
    ]);
    return b.node("Expand", [
      b.node("ReduceMax", [x, b.ints([1, 2, 3])]),
      b.node("Reshape", [
        b.node("Concat", [b.constant(int64([1, 1], [1])), tiled], { attributes: { axis: int(1) } }),
        b.ints([-1]),
      ]),
    ]);
  },
  "a clamped number of best": (b, x) => {
    const least = b.node("Min", [b.node("Shape", [x], { attributes: { start: int(3) } }), b.ints([3])]);
    return b.nodes("TopK", [x, least], { outputs: 2 })[0]!;
  },
  "halves of a channel axis": (b, x) => {
    const channels = b.node("Size", [b.node("Shape", [x])]);
    const half = b.node("Reshape", [b.node("Sub", [channels, b.constant(int64([], [2]))]), b.ints([1])]);
    return b.node("Slice", [x, half, b.ints([2 ** 40]), b.ints([1])]);
  },
  "rounding a scaled size up": (b, x) => {
    const size = b.node("Cast", [b.node("Shape", [x])], { attributes: { to: int(1) } });
    const half = b.node("Ceil", [b.node("Div", [size, b.constant(float32([4], [1, 1, 4, 4]))])]);
    return b.node("Slice", [x, b.ints([0, 0, 0, 0]), b.node("Cast", [half], { attributes: { to: int(7) } })]);
  },
};

describe("computed shapes", () => {
  test.each(Object.entries(idioms))("%s", async (_, make) => {
    const b = builder();
    const graph = b.finish([make(b, b.input("x", { type: "float32", shape: [null, 4, 6, 5] }))]);
    await compare(graph, 1);
    await compare(graph, 3);
  });
});

describe("real models", () => {
  test.each(["mobilenet_v2_1.0_224_keras_ptq_deq.onnx", "squeezenet_v1.1_fp32.onnx", "shufflenet-v2-12-int8.onnx"])(
    "%s: every value as the engine has it",
    async (file) => {
      const path = dataPath("models", file);
      if (!path) return;
      const { graph } = await readModel(await nodePlatform.open(path));
      await compare(graph, 1);
      const free = graph.values.get(graph.inputs[0]!)!.shape[0] === null;
      if (free) await compare(graph, 3);
      const shaped = withShapes(graph, concrete(graph, 1));
      expect(shaped.values.get(graph.outputs[0]!)?.shape[0]).toBe(free ? null : 1);
    },
    60_000,
  );
});

describe("contradictions and hostile numbers", () => {
  const x = { feed: "float32", dims: ["N", 4, 6, 6] } as const;
  const one = (op: string, inputs: readonly Input[], attributes = {}): (() => void) => {
    const graph = graphOf({ op, inputs, attributes, outputs: 1, domain: "" });
    return () => inferShapes(graph, concrete(graph, 2));
  };
  const w = (...dims: number[]): Tensor => float32(dims, new Float32Array(Math.min(1000, sizeOf(dims))));
  const i64 = (...values: number[]): Tensor => int64([values.length], values);
  test.each<[string, () => void, string]>([
    ["channels", one("Conv", [x, w(8, 3, 3, 3)]), "the input has 4 channels, the weight wants 3 x 1 groups"],
    ["groups", one("Conv", [x, w(8, 4, 3, 3)], { group: int(0) }), "wants 4 x 0 groups"],
    ["bias", one("Conv", [x, w(8, 4, 3, 3), w(7)]), "the bias has shape [7], expected [8]"],
    ["strides", one("MaxPool", [x], { kernel_shape: ints([2, 2]), strides: ints([0, 1]) }), "strides = [0, 1]"],
    ["pads", one("MaxPool", [x], { kernel_shape: ints([2, 2]), pads: ints([1]) }), "pads = [1], expected 4 numbers"],
    ["window", one("AveragePool", [x], { kernel_shape: ints([9, 9]) }), "a window of 9 does not fit 6 places"],
    ["broadcast", one("Add", [x, w(5)]), "do not broadcast"],
    ["reshape", one("Reshape", [x, i64(5, -1)]), "288 elements cannot take the shape [5, -1]"],
    ["two open axes", one("Reshape", [x, i64(-1, -1)]), "is no shape"],
    ["a shape of 100 GB", one("ConstantOfShape", [i64(50_000, 500_000)]), "more than any machine holds"],
    ["a shape beyond numbers", one("Expand", [x, i64(2 ** 40, 1, 1, 1, 1, 1)]), "more than any machine holds"],
    ["a negative shape", one("ConstantOfShape", [i64(-3)]), "expected sizes of 0 or more"],
    ["negative pads", one("Pad", [x, i64(0, 0, -5, 0, 0, 0, -5, 0)]), "expected sizes of 0 or more"],
    ["axis", one("Concat", [x, x], { axis: int(4) }), "axis 4 is outside rank 4"],
    ["concat", one("Concat", [x, w(2, 3, 6, 6)], { axis: int(2) }), "inputs differ outside axis 2"],
    ["split", one("Split", [x, i64(1, 2)], { axis: int(1) }), "cannot split 4 places"],
    ["gather", one("Gather", [x, i64(4)], { axis: int(1) }), "index 4 is outside axis 1 of size 4"],
    ["squeeze", one("Squeeze", [x, i64(1)]), "cannot squeeze axis 1 of size 4"],
    ["attribute kind", one("Softmax", [x], { axis: float(1) }), 'attribute "axis" is of kind float, expected int'],
    ["inputs", one("Conv", [x]), "input 1 is missing"],
    ["range", one("Range", [int64([], [0]), int64([], [2 ** 50]), int64([], [1])]), "more than any machine holds"],
    ["division", one("Div", [i64(1), i64(0)]), "divides an integer by zero"],
    ["matmul", one("MatMul", [x, w(5, 2)]), "cannot multiply rows of 6 by columns of 5"],
    ["norm", one("BatchNormalization", [x, w(4), w(4), w(3), w(4)]), "input 3 has shape [3], expected [4]"],
  ])("%s", (_, infer, message) => expect(infer).toThrow(message));
});

describe("names that every object inherits", () => {
  test.each([
    ["__proto__", "toString"],
    ["constructor", "keys"],
    ["", "constructor"],
  ])("operator %s.%s has no rule", (domain, op) => {
    const b = builder();
    const x = b.input("constructor", { type: "float32", shape: [null, 2] });
    const y = b.node(op, [x], { domain });
    const graph = b.finish([y]);
    expect([...inferShapes(graph, {}).keys()]).toEqual([]);
    expect(withShapes(graph, {}).values.get(x)).toEqual({ type: "float32", shape: [null, 2] });
  });
});

test("more axes than any engine takes are refused", () => {
  const b = builder();
  const x = b.input("x", { type: "float32", shape: [2] });
  const y = b.node("Unsqueeze", [x, b.ints(Array.from({ length: 64 }, (_, i) => i))]);
  expect(() => inferShapes(b.finish([y]), {})).toThrow(/would have 65 axes, expected at most 64/);
});

describe("damaged graphs", () => {
  const odd = [-1, 0, 1, 3, 7, 2 ** 31, -(2 ** 31), 2 ** 53, -(2 ** 62), 2 ** 62];
  const damage = (one: InferenceCase, next: () => number): InferenceCase => {
    const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!;
    const attributes = Object.entries(one.attributes).map(([name, attribute]): [string, Attribute] => {
      if (next() < 0.5) return [name, attribute];
      if (attribute.kind === "int") return [name, int(pick(odd))];
      if (attribute.kind === "ints")
        return [name, ints(Array.from({ length: Math.floor(next() * 6) }, () => pick(odd)))];
      return next() < 0.2 ? [name, int(1)] : [name, attribute];
    });
    const inputs = one.inputs.map((input): Input => {
      const chance = next();
      if (chance < 0.5 || input === undefined) return input;
      if (chance < 0.6) return undefined;
      if (chance < 0.7) return pick(one.inputs);
      if (isFed(input))
        return { ...input, dims: Array.from({ length: Math.floor(next() * 6) }, () => pick([0, 1, 2, 6, "N"])) };
      const values = Array.from({ length: Math.floor(next() * 5) }, () => pick(odd));
      return int64([values.length], values);
    });
    return { ...one, inputs: next() < 0.1 ? inputs.slice(1) : inputs, attributes: Object.fromEntries(attributes) };
  };
  test("are told in one line, whatever is wrong", () => {
    const next = seeded(1);
    let refused = 0;
    for (let round = 0; round < 20; round++)
      for (const one of inferenceCases) {
        const graph = graphOf(damage(one, next));
        try {
          inferShapes(graph, concrete(graph, 2));
        } catch (error) {
          if (!(error instanceof ConvlensError)) throw error;
          expect(error.message).not.toContain("\n");
          refused++;
        }
      }
    expect(refused).toBeGreaterThan(1000);
  });
});
