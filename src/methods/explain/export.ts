/**
 * An explanation as a model: the network, the gradient and the map in one graph of standard operators, which any ONNX
 * runtime of any language runs.
 */
import { differentiable } from "../../autodiff/differentiable.ts";
import { type Emitter, emitter, GRADIENT } from "../../autodiff/emitter.ts";
import { gradient } from "../../autodiff/gradient.ts";
import { rules } from "../../autodiff/rules/index.ts";
import { ConvlensError } from "../../core/errors.ts";
import type { Layout } from "../../core/layers.ts";
import { int } from "../../graph/builder.ts";
import type { Graph, Shape } from "../../graph/graph.ts";
import { withFacts } from "../../graph/infer.ts";
import { subgraph } from "../../graph/subgraph.ts";
import { pictureDims } from "../../model/make-model.ts";
import type { Model } from "../../model/model.ts";
import { freeBatch } from "../../model/sessions.ts";
import { classScore, classValues } from "../../model/targets.ts";
import { findWholePool } from "./cam/whole-pool.ts";
import { layerBefore, mapLayers } from "./layer-choice.ts";

/** What can be exported: each explanation that is a graph from end to end. */
export const exportMethods = ["gradcam", "cam", "gradient"] as const;
export type ExportMethod = (typeof exportMethods)[number];

export interface ExportOptions {
  readonly method: ExportMethod;
  /** Where the map is taken; default: the one that `explain` takes. Not for `gradient`. */
  readonly layer?: string;
  /** Which score of the class is explained; default the logit. */
  readonly of?: "logit" | "probability";
  /** Grad-CAM without its final ReLU. */
  readonly signed?: boolean;
}

export interface ExportedExplanation {
  /** Inputs: the network's own, and `target` (int64 `[N]`, -1: the top class). Outputs: `scores` `[N, classes]` and `map`. */
  readonly graph: Graph;
  /** For the file's metadata: how it was made. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly notes: readonly string[];
}

/**
 * The graph of an explanation. `map` is raw: `[N, h, w]` at the layer's resolution for `gradcam` and `cam`, the input's
 * shape for `gradient`. `scores` are the logits. Throws `model-unsupported` for an operator without a gradient, and
 * `option-invalid` for a layer that is no map or that the score does not depend on.
 */
export async function exportExplanation(model: Model, options: ExportOptions): Promise<ExportedExplanation> {
  const { method, of = "logit", signed = false } = options;
  if (model.opaque !== undefined)
    throw new ConvlensError(
      "model-unsupported",
      `"${model.name}" cannot be exported with an explanation: ${model.opaque}`,
    );
  if (model.inputs.some(({ name }) => reserved.has(name)))
    throw new ConvlensError(
      "model-unsupported",
      `"${model.name}" has an input called ${[...reserved].map((n) => `"${n}"`).join(" or ")}, names that the exported model gives to its own`,
    );
  const dims = pictureDims(model.inputs, model.preprocessing);
  const notes: string[] = [];
  const real = differentiable(model.graph);
  notes.push(...real.notes);
  const base = withFreeBatch(withoutNames(real.graph), dims, notes);
  const place = method === "gradient" ? undefined : await mapPlace(model, options, notes);

  const scoring = emitter(withFacts(base, dims), "score/");
  const { output, logits: before, ...rest } = model.head();
  const renamed = { ...rest, output: rename(output), logits: rename(before) };
  const head = { head: () => renamed, activation: undefined };
  const { values: logits, count } = classValues(scoring, "logit", head);
  const { values } = classValues(scoring, of, head);
  const target = scoring.input("target", { type: "int64", shape: [null] });
  const { score } = classScore(scoring, values, count, target, of);
  const scored = scoring.finish([...base.outputs, logits, score]);

  const emit = emitter(withFacts(scored, { ...dims, target: [1] }), GRADIENT);
  const wrt = place ? rename(place.wrt) : model.input.name;
  const found = new Set<string>();
  const request = {
    of: score,
    seed: emit.expandLike(1, score),
    wrt: [wrt],
    note: (text: string) => void found.add(text),
  };
  const [slope] = gradient(emit, request, rules);
  if (slope === null || slope === undefined)
    throw new ConvlensError("option-invalid", `the class score does not depend on "${options.layer ?? wrt}"`);
  const map = place ? mapNodes(emit, place, slope, method === "cam" || signed) : slope;
  const outputs = { scores: logits, map };
  const whole = emit.finish(Object.values(outputs));
  const shape = emit.shape(place ? rename(place.features) : wrt);
  const [h, w] = place?.layout === "NHWC" ? [shape[1], shape[2]] : [shape[2], shape[3]];
  const mapShape: Shape = place ? [shape[0] ?? null, h ?? null, w ?? null] : shape;
  const graph = named(subgraph(whole, [...new Set(whole.outputs)], [...base.inputs, "target"]), outputs, {
    scores: [shape[0] ?? null, count],
    map: mapShape,
  });
  const made = { version: 1, method, layer: place?.name ?? null, of, signed, model: model.name };
  return { graph, metadata: { "convlens.explanation": JSON.stringify(made) }, notes: [...notes, ...found] };
}

const reserved: ReadonlySet<string> = new Set(["target", "scores", "map"]);

/** Where a map comes from. */
interface MapPlace {
  readonly name: string;
  /** The value of the feature maps. */
  readonly features: string;
  readonly layout: Layout;
  /** What the score is differentiated by: the maps themselves, or, for CAM, what the pooling makes of them. */
  readonly wrt: string;
}

async function mapPlace(model: Model, { layer, method }: ExportOptions, notes: string[]): Promise<MapPlace> {
  if (method === "cam") {
    const pool = findWholePool(model);
    if (typeof pool === "string") throw new ConvlensError("model-unsupported", `cam cannot be exported: ${pool}`);
    if (layer !== undefined)
      throw new ConvlensError(
        "option-invalid",
        `cam takes its map before the global pooling: leave out --layer ${layer}`,
      );
    const { name, layout } = await layerBefore(model, pool.features);
    return { name, features: pool.features, layout, wrt: pool.pooled };
  }
  const { layers, notes: said } = await mapLayers(model, layer === undefined ? [] : [layer]);
  if (layers.length > 1)
    throw new ConvlensError("option-invalid", `"${layer}" means ${layers.length} layers: an exported map has one`);
  notes.push(...said);
  const { name, output, layout } = layers[0]!;
  return { name, features: output, layout, wrt: output };
}

/**
 * The sum over channels of weights times feature maps. Grad-CAM's weights are the means of the gradient over the map;
 * CAM's are the gradient by the pooled vector: scores are linear in it, so that is the class's row of the dense layer.
 */
function mapNodes(emit: Emitter, { features, layout, wrt }: MapPlace, slope: string, signed: boolean): string {
  const value = rename(features);
  const shape = emit.shape(value);
  const [channels, places] = layout === "NHWC" ? [3, [1, 2]] : [1, [2, 3]];
  if (shape.length !== 4 || places.some((axis) => shape[axis] === null))
    throw new ConvlensError(
      "option-invalid",
      `"${features}" has the shape [${shape.map((n) => n ?? "N").join(", ")}]: a map needs a layer of channels and fixed height and width`,
    );
  const unit = layout === "NHWC" ? [-1, 1, 1, shape[channels] ?? 1] : [-1, shape[channels] ?? 1, 1, 1];
  const weights = wrt === features ? emit.mean(slope, places) : emit.reshape(slope, unit);
  const sum = emit.op("ReduceSum", [emit.mul(weights, value), emit.ints([channels])], { keepdims: int(0) });
  return signed ? sum : emit.op("Relu", [sum]);
}

/** A file that fixes one picture takes several where nothing in it contradicts them. */
function withFreeBatch(graph: Graph, dims: Readonly<Record<string, readonly number[]>>, notes: string[]): Graph {
  if (graph.inputs.every((name) => graph.values.get(name)?.shape[0] !== 1)) return graph;
  const freed = freeBatch(graph);
  const { values } = withFacts(freed, dims).graph;
  if (freed.outputs.every((output) => values.get(output)?.shape[0] === null)) return freed;
  notes.push("the file takes one picture at a time, and so does the exported model");
  return graph;
}

const rename = (name: string): string => (reserved.has(name) ? `network/${name}` : name);

/** The graph with inner values and outputs of the reserved names renamed. */
function withoutNames(graph: Graph): Graph {
  const entries = <V>(map: ReadonlyMap<string, V>): Map<string, V> =>
    new Map([...map].map(([name, value]) => [rename(name), value]));
  return {
    ...graph,
    outputs: graph.outputs.map(rename),
    nodes: graph.nodes.map((node) => ({ ...node, inputs: node.inputs.map(rename), outputs: node.outputs.map(rename) })),
    constants: entries(graph.constants),
    values: entries(graph.values),
  };
}

/** Gives outputs their public names and shapes. */
function named(
  graph: Graph,
  outputs: Readonly<Record<string, string>>,
  shapes: Readonly<Record<string, Shape>>,
): Graph {
  const values = new Map(graph.values);
  for (const [name, shape] of Object.entries(shapes)) values.set(name, { type: "float32", shape });
  const copies = Object.entries(outputs).map(([name, value]) => ({
    name,
    op: "Identity",
    domain: "",
    inputs: [value],
    outputs: [name],
    attributes: {},
  }));
  return { ...graph, nodes: [...graph.nodes, ...copies], outputs: Object.keys(outputs), values };
}
