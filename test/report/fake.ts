/** A made-up network for tests of the page: fixed names, shapes and numbers, no engine behind it. */
import { ConvlensError } from "../../src/core/errors.ts";
import type { Layer } from "../../src/core/layers.ts";
import type { Picture } from "../../src/core/picture.ts";
import { float32, sizeOf, type Tensor } from "../../src/core/tensor.ts";
import { builder, int, ints } from "../../src/graph/builder.ts";
import type { Graph } from "../../src/graph/graph.ts";
import type { Preprocessing } from "../../src/model/card.ts";
import type { Model } from "../../src/model/model.ts";
import { preparePicture } from "../../src/model/preprocess.ts";

export interface FakeOptions {
  readonly name?: string;
  readonly labels?: readonly string[];
  readonly layerNames?: readonly [string, string, string];
  readonly opaque?: string;
  readonly side?: number;
}

/** Deterministic numbers in 0..1. */
export function* numbers(seed: number): Generator<number, never> {
  for (let state = seed >>> 0; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

export function fakePicture(width: number, height: number): Picture {
  const data = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const at = 4 * (y * width + x);
      data[at] = (x * 255) / width;
      data[at + 1] = (y * 255) / height;
      data[at + 2] = 128 + 100 * Math.sin((x * y) / 400);
    }
  return { width, height, data };
}

/** Three layers: a convolution of 4 channels, the last of them dead; a pooling; a dense layer. */
export function fakeModel(options: FakeOptions = {}): Model {
  const side = options.side ?? 12;
  const [conv, pool, dense] = options.layerNames ?? ["conv2d", "max_pooling2d", "dense"];
  const labels = options.labels ?? ["cat", "dog"];
  const shapes = [
    [null, side, side, 4],
    [null, side / 2, side / 2, 4],
    [null, labels.length],
  ] as const;
  const kernel = { name: "kernel", value: "k", trainable: true, shape: [3, 3, 3, 4], type: "float32" } as const;
  const bias = { name: "bias", value: "b", trainable: true, shape: [4], type: "float32" } as const;
  const layers: readonly Layer[] = [
    {
      name: conv,
      class: "Conv2D",
      output: "c",
      layout: "NHWC",
      shape: shapes[0],
      inputs: ["picture"],
      weights: [kernel, bias],
      parameters: 112,
      multiplyAdds: 15_552,
    },
    {
      name: pool,
      class: "MaxPooling2D",
      output: "p",
      layout: "NHWC",
      shape: shapes[1],
      inputs: [conv],
      weights: [],
      parameters: 0,
      multiplyAdds: 0,
    },
    {
      name: dense,
      class: "Dense",
      output: "d",
      layout: "NHWC",
      shape: shapes[2],
      inputs: [pool],
      weights: [],
      parameters: 290,
      multiplyAdds: 288,
    },
  ];
  const fill = (dims: readonly number[], seed: number): Tensor<"float32"> => {
    const source = numbers(seed);
    const channels = dims.at(-1)!;
    const data = Float32Array.from({ length: sizeOf(dims) }, (_, i) =>
      i % channels === channels - 1 ? 0 : Math.max(0, source.next().value - 0.4),
    );
    return float32(dims, data);
  };
  const shapeOf = (name: string): readonly number[] =>
    (layers.find((layer) => layer.name === name)?.shape ?? [1, side, side, 3]).map((n) => n ?? 1);
  const probabilities = labels.map((_, i) => (i === 0 ? 0.9 : 0.1 / (labels.length - 1)));
  const preprocessing: Preprocessing = {
    size: [side, side],
    resize: "nearest",
    resizeLibrary: "pil",
    fit: "stretch",
    scale: 1 / 255,
    mean: [0, 0, 0],
    std: [1, 1, 1],
    channels: "RGB",
    layout: "NHWC",
  };
  return {
    name: options.name ?? "fake",
    description: "made up for tests",
    graph: fakeGraph(side, labels.length),
    opaque: options.opaque,
    sourceLayout: "NHWC",
    inputs: [{ name: "picture", shape: [null, side, side, 3], layout: "NHWC", type: "float32" }],
    input: { name: "picture", shape: [null, side, side, 3], layout: "NHWC", type: "float32" },
    preprocessing,
    labels: labels.map((name) => ({ name })),
    notes: [],
    fileNotes: [],
    engineName: "none",
    head: () => ({ output: "d", logits: "d", activation: undefined, names: ["d"] }),
    layers: async () => layers,
    findLayers: async (patterns) => {
      const wanted = [patterns].flat();
      return wanted.includes("all") ? layers : layers.filter(({ name }) => wanted.includes(name));
    },
    sha256: async () => "0".repeat(64),
    prepare: (picture) => {
      const seen = picture.width === side && picture.height === side ? picture : fakePicture(side, side);
      return preparePicture(seen, preprocessing);
    },
    gradient: async (_feeds, { targets, wrt = ["picture"], outputs = [] }) => {
      const values = (names: readonly string[], seed: number) =>
        Object.fromEntries(names.map((name) => [name, fill(shapeOf(name), seed)]));
      return {
        targets: targets.map((target, t) => {
          const index = "class" in target && target.class !== "top" ? target.class : 0;
          const [score, probability] = [Math.log(probabilities[index]!), probabilities[index]!];
          return {
            scores: Float32Array.of(score),
            classes: [index],
            explained: [{ index, label: labels[index]!, of: "logit", score, probability }],
            gradients: values(wrt, 11 + t),
          };
        }),
        values: values(outputs, 5),
        notes: [],
      };
    },
    compute: async () => {
      throw new ConvlensError("model-unsupported", "a made-up network has no engine");
    },
    findTarget: async (what, of = "logit") => ({ class: what === "top" ? "top" : Number(what), of }),
    run: async (_feeds, { outputs = [dense] } = {}) =>
      Object.fromEntries(outputs.map((name) => [name, fill(shapeOf(name), 5)])),
    predict: async (feeds, { top = 5 } = {}) =>
      Array.from({ length: (feeds as Tensor).dims[0] ?? 1 }, () => ({
        predictions: labels
          .map((label, index) => ({
            index,
            label,
            probability: probabilities[index]!,
            score: Math.log(probabilities[index]!),
          }))
          .slice(0, top),
        output: probabilities,
        notes: [],
      })),
    weight: async (_layer, name) => (name === "kernel" ? fill([3, 3, 3, 4], 7) : float32([4], [0.1, -0.2, 0, 0.3])),
    workers: () => [],
    release: async () => {},
  };
}

/** Convolution, Relu, pooling, dense: enough for those who look at the graph to find the layers. */
function fakeGraph(side: number, classes: number): Graph {
  const b = builder();
  const zeros = (dims: readonly number[]) => b.constant(float32(dims, new Float32Array(sizeOf(dims))));
  const square = (n: number) => ({ attributes: { kernel_shape: ints([n, n]), strides: ints([n - 1, n - 1]) } });
  const picture = b.input("picture", { type: "float32", shape: [null, side, side, 3] });
  // The picture's axes are taken as they come; nothing is ever worked out.
  const conv = b.node("Conv", [picture, zeros([4, side, 3, 3])], { attributes: { pads: ints([1, 1, 1, 1]) } });
  const relu = b.node("Relu", [conv], { outputs: ["c"] });
  const pool = b.node("MaxPool", [relu], { outputs: ["p"], ...square(2) });
  const flat = b.node("ReduceMean", [pool, b.ints([2, 3])], { attributes: { keepdims: int(0) } });
  return b.finish([b.node("Gemm", [flat, zeros([4, classes])], { outputs: ["d"] })]);
}
