/** Small networks whose attacks can be worked out by hand, and a model that counts what it is asked. */

import { readFileSync } from "node:fs";
import { afterAll } from "vitest";
import type { Picture } from "../../src/core/picture.ts";
import type { Random } from "../../src/core/random.ts";
import type { Attack, ClassScore } from "../../src/core/result.ts";
import { float32, int64, sizeOf, type Tensor } from "../../src/core/tensor.ts";
import { writeOnnx } from "../../src/formats/onnx/write.ts";
import { builder, int, ints } from "../../src/graph/builder.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { isTensor } from "../../src/model/feeds.ts";
import type { Model } from "../../src/model/model.ts";
import { openModel } from "../../src/node.ts";

const open = async (graph: Graph, size: number, name: string): Promise<Model> =>
  openModel(await writeOnnx(graph), { name, preprocessing: "unit", size: [size, size], activation: "softmax" });

function begin(size: number): { b: ReturnType<typeof builder>; x: string } {
  const b = builder();
  return { b, x: b.input("image", { type: "float32", shape: [null, 3, size, size] }) };
}

/** Scores are weighted sums of all numbers of the picture: `weights` is `[3 * size * size][classes]`. */
export function linearModel(size: number, weights: readonly (readonly number[])[]): Promise<Model> {
  const { b, x } = begin(size);
  const flat = b.node("Flatten", [x], { attributes: { axis: int(1) } });
  const kernel = b.constant(float32([weights.length, weights[0]!.length], weights.flat()));
  return open(b.finish([b.node("MatMul", [flat, kernel])]), size, "linear.onnx");
}

/** Three classes: the mean red, the mean green, the mean blue. */
export function meanModel(size: number): Promise<Model> {
  const { b, x } = begin(size);
  const axes = b.constant(int64([2], [2, 3]));
  const mean = b.node("ReduceMean", [x, axes], { attributes: { keepdims: int(0) } });
  return open(b.finish([mean]), size, "mean.onnx");
}

type Weights = Readonly<Record<string, readonly number[]>>;

/** Conv 3x3 to 4 channels, Relu, dense to 5 classes, with PyTorch's weights. */
export const twoLayerModel = (weights: Weights): Promise<Model> => open(twoLayers(weights), 8, "two-layers.onnx");

/** The same without the lead of class 1: one pixel is often enough. */
export async function wavering(): Promise<Uint8Array> {
  const path = new URL("../fixtures/attack/attack.json", import.meta.url);
  const { weights } = JSON.parse(readFileSync(path, "utf8")).dense as { weights: Weights };
  const bias = weights["dense.bias"]!.map((value, index) => (index === 1 ? value - 0.4 : value));
  return writeOnnx(twoLayers({ ...weights, "dense.bias": bias }));
}

function twoLayers(weights: Weights): Graph {
  const { b, x } = begin(8);
  const conv = b.node(
    "Conv",
    [x, b.constant(float32([4, 3, 3, 3], weights["conv.weight"]!)), b.constant(float32([4], weights["conv.bias"]!))],
    { attributes: { kernel_shape: ints([3, 3]), pads: ints([1, 1, 1, 1]), strides: ints([1, 1]) } },
  );
  const flat = b.node("Flatten", [b.node("Relu", [conv])], { attributes: { axis: int(1) } });
  const kernel = b.constant(float32([5, 256], weights["dense.weight"]!));
  const dense = b.node("Gemm", [flat, kernel, b.constant(float32([5], weights["dense.bias"]!))], {
    attributes: { transB: int(1) },
  });
  return b.finish([dense]);
}

/** The model, and how many pictures it has judged so far, in predictions and in gradient passes. */
export function counting(model: Model): { model: Model; judged: () => number; gradients: () => number } {
  let [judged, gradients] = [0, 0];
  const pictures = (feeds: Parameters<Model["predict"]>[0]): number =>
    (isTensor(feeds) ? feeds : (Object.values(feeds)[0] as Tensor)).dims[0]!;
  return {
    judged: () => judged,
    gradients: () => gradients,
    model: {
      ...model,
      predict: (feeds, options) => {
        judged += pictures(feeds);
        return model.predict(feeds, options);
      },
      gradient: (feeds, options) => {
        judged += pictures(feeds);
        gradients += pictures(feeds);
        return model.gradient(feeds, options);
      },
    },
  };
}

export function pictureOf(width: number, height: number, source: Random, low = 0, high = 255): Picture {
  const data = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let i = 0; i < data.length; i++) if (i % 4 < 3) data[i] = low + source.integer(high - low + 1);
  return { width, height, data };
}

/** Numbers in -1..1. */
export const noise = (dims: readonly number[], source: Random): number[] =>
  Array.from({ length: sizeOf(dims) }, () => 2 * source.uniform() - 1);

/** Attacks a picture as a photograph that was opened. */
export const attack = <O>(
  method: { run: (model: Model, input: object, options: O) => Promise<Attack> },
  model: Model,
  picture: Picture,
  options: O,
): Promise<Attack> => method.run(model, { feeds: model.prepare(picture).tensor, isPicture: true }, options);

/** The best ten classes. */
export const best = async (model: Model, picture: Picture): Promise<readonly ClassScore[]> =>
  (await model.predict(model.prepare(picture).tensor, { top: 10 }))[0]!.predictions;

/** Keeps models until the tests of the file are over. */
export function keeper(): (model: Promise<Model>) => Promise<Model> {
  const opened: Model[] = [];
  afterAll(async () => {
    for (const model of opened) await model.release();
  });
  return async (model) => {
    opened.push(await model);
    return model;
  };
}
