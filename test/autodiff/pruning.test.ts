/** What a gradient costs: only what lies between the score and the layer, and one channel of a layer a channel. */
import { afterAll, describe, expect, test } from "vitest";
import { GRADIENT } from "../../src/autodiff/emitter.ts";
import type { Platform } from "../../src/core/platform.ts";
import { float32 } from "../../src/core/tensor.ts";
import { readModel } from "../../src/formats/index.ts";
import { writeOnnx } from "../../src/formats/onnx/write.ts";
import { builder, int, ints } from "../../src/graph/builder.ts";
import type { Graph, Node } from "../../src/graph/graph.ts";
import { inferShapes } from "../../src/graph/infer.ts";
import type { GradientOptions, Gradients, Model } from "../../src/model/model.ts";
import { openModel } from "../../src/model/open.ts";
import { createNodePlatform } from "../../src/platform/node.ts";
import { memorySource } from "../../src/platform/source.ts";
import { w } from "./cases/case.ts";

const padded = { attributes: { pads: ints([1, 1, 1, 1]), kernel_shape: ints([3, 3]) } };

/** Three stages of convolutions, plain, normalized and grouped, then a dense layer. */
function network(): Graph {
  const b = builder();
  const input = b.input("input", { type: "float32", shape: [null, 3, 8, 8] });
  const conv = (x: string, weight: readonly number[], name: string, group = 1): string => {
    const attributes = { ...padded.attributes, group: int(group) };
    const bias = b.constant(w([weight[0]!]));
    return b.nodes("Conv", [x, b.constant(w(weight)), bias], { attributes, name, outputs: [name] })[0]!;
  };
  const relu = (x: string, name: string): string => b.nodes("Relu", [x], { name, outputs: [name] })[0]!;
  const one = relu(conv(input, [6, 3, 3, 3], "conv1"), "relu1");
  const pool = { attributes: { kernel_shape: ints([2, 2]), strides: ints([2, 2]) }, name: "pool" };
  const pooled = b.node("MaxPool", [one], pool);
  const two = conv(pooled, [8, 6, 3, 3], "conv2");
  const four = [w([8]), w([8], -0.1, 0.1), w([8]), w([8], 0.5, 2)].map((part) => b.constant(part));
  const norm = b.nodes("BatchNormalization", [two, ...four], { name: "norm", outputs: ["norm"] })[0]!;
  const three = relu(norm, "relu2");
  const grouped = relu(conv(three, [8, 2, 3, 3], "conv3", 4), "relu3");
  const sum = b.nodes("Add", [grouped, three], { name: "sum", outputs: ["sum"] })[0]!;
  const last = relu(conv(sum, [10, 8, 3, 3], "conv4"), "relu4");
  const flat = b.node("Flatten", [b.node("GlobalAveragePool", [last], { name: "gap" })], { name: "flat" });
  return b.finish(b.nodes("Gemm", [flat, b.constant(w([10, 5]))], { name: "dense", outputs: ["logits"] }));
}

/** The graphs that the engine gets, beside a model that runs on it. */
async function watched(): Promise<{ model: Model; graphs: Graph[] }> {
  const graphs: Graph[] = [];
  const platform = createNodePlatform();
  const watching: Platform = {
    ...platform,
    engine: async () => {
      const engine = await platform.engine();
      return {
        ...engine,
        createSession: async (model, options) => {
          if (model.kind === "graph") {
            const sibling = async (path: string) => model.files.find(({ location }) => location === path)?.source;
            graphs.push((await readModel({ ...memorySource(model.bytes, "session.onnx")!, sibling })).graph);
          }
          return engine.createSession(model, options);
        },
      };
    },
  };
  const model = await openModel(watching, await writeOnnx(network()), { preprocessing: "unit" });
  return { model, graphs };
}

const opened = watched();
afterAll(async () => (await opened).model.release());
const feeds = float32(
  [2, 3, 8, 8],
  Float32Array.from({ length: 384 }, (_, i) => Math.sin(i * 1.7) + Math.cos(i / 5)),
);

/** A gradient, and the graph that was made for it. */
async function graphOf(options: GradientOptions): Promise<{ graph: Graph; found: Gradients }> {
  const { model, graphs } = await opened;
  graphs.length = 0;
  const found = await model.gradient(feeds, options);
  // None where the session is still there.
  expect(graphs.length).toBeLessThan(2);
  return { graph: graphs[0]!, found };
}
const isGradient = ({ name }: Node): boolean => name.startsWith(GRADIENT);
const count = (nodes: readonly Node[], op: string): number => nodes.filter((node) => node.op === op).length;
const convolves = ({ op }: Node): boolean => op === "Conv" || op === "ConvTranspose";

describe("a gradient at a layer", () => {
  test("at the last convolution costs no convolution", async () => {
    const { graph } = await graphOf({ targets: [{ class: 2 }], wrt: ["relu4"], outputs: ["relu4"] });
    expect(graph.nodes.filter((node) => !isGradient(node) && convolves(node))).toHaveLength(4);
    expect(graph.nodes.filter((node) => isGradient(node) && convolves(node))).toEqual([]);
    expect(count(graph.nodes.filter(isGradient), "MaxPool")).toBe(0);
    // The mask of relu4 lies behind relu4's own output.
    expect(count(graph.nodes.filter(isGradient), "HardSigmoid")).toBe(0);
  });
  test("further back costs the convolutions in between", async () => {
    const { graph } = await graphOf({ targets: [{ class: 2 }], wrt: ["sum"] });
    expect(graph.nodes.filter((node) => isGradient(node) && convolves(node))).toHaveLength(1);
  });
  test("of several classes shares the forward pass", async () => {
    const { graph } = await graphOf({ targets: [{ class: 0 }, { class: 1 }, { class: "top" }], wrt: ["input"] });
    expect(graph.nodes.filter((node) => !isGradient(node) && convolves(node))).toHaveLength(4);
    expect(graph.nodes.filter((node) => isGradient(node) && convolves(node))).toHaveLength(12);
  });
});

describe("one channel of a layer", () => {
  test("costs a channel, and nothing behind it", async () => {
    const { graph } = await graphOf({ targets: [{ layer: "relu2", channel: 3 }] });
    const shapes = inferShapes(graph, { input: [1, 3, 8, 8] });
    const convolutions = graph.nodes.filter(convolves);
    // conv1 whole, conv2 for one channel, and both again backwards.
    expect(convolutions.filter((node) => !isGradient(node))).toHaveLength(2);
    expect(convolutions.filter((node) => isGradient(node))).toHaveLength(2);
    const channels = convolutions.map(({ inputs, outputs }) =>
      [inputs[0]!, outputs[0]!].map((value) => shapes.get(value)?.shape[1]).join(" to "),
    );
    expect(channels).toEqual(["3 to 6", "6 to 1", "1 to 6", "6 to 3"]);
    expect(count(graph.nodes, "Gemm")).toBe(0);
  });
  test.each(["relu1", "conv2", "norm", "relu2", "conv3", "relu3", "sum", "conv4"])(
    "of %s has the slope of that channel",
    async (layer) => {
      const { found } = await graphOf({ targets: [{ layer, channel: 3 }] });
      const whole = await graphOf({
        targets: [
          {
            label: "the same, cut from the whole layer",
            score: (emit) => {
              const [, , ...map] = emit.shape(layer);
              const one = emit.op("Slice", [layer, emit.ints([3]), emit.ints([4]), emit.ints([1])]);
              return emit.op("ReduceMean", [one, emit.ints(map.map((_, i) => i + 2).concat(1))]);
            },
          },
        ],
      });
      const [ours, theirs] = [found, whole.found].map(({ targets }) => targets[0]!);
      for (let i = 0; i < 2; i++) expect(ours!.scores[i]).toBeCloseTo(theirs!.scores[i]!, 5);
      const [a, b] = [ours!.gradients.input!.data, theirs!.gradients.input!.data];
      const largest = Math.max(...b.map(Math.abs));
      expect(largest).toBeGreaterThan(0);
      expect(Math.max(...a.map((value, i) => Math.abs(value - b[i]!)))).toBeLessThan(1e-5 * largest);
    },
  );
  test("at one place lets only its own surroundings count", async () => {
    const { found } = await graphOf({ targets: [{ layer: "conv1", channel: 0, position: [2, 5] }] });
    const { data } = found.targets[0]!.gradients.input!;
    const touched = Array.from({ length: 64 }, (_, i) => i).filter((i) => data[i] !== 0);
    expect(touched).toEqual([1, 2, 3].flatMap((row) => [4, 5, 6].map((column) => row * 8 + column)));
  });
});
