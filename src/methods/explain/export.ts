/**
 * An explanation as a model: the network, the gradient and the map in one graph of standard operators, which any ONNX
 * runtime of any language runs.
 */
import { type Emitter, emitter, GRADIENT } from "../../autodiff/emitter.ts";
import { gradient } from "../../autodiff/gradient.ts";
import { rules } from "../../autodiff/rules/index.ts";
import { ConvlensError } from "../../core/errors.ts";
import type { Layer } from "../../core/layers.ts";
import { int } from "../../graph/builder.ts";
import type { Graph, Shape } from "../../graph/graph.ts";
import { withFacts } from "../../graph/infer.ts";
import { subgraph } from "../../graph/subgraph.ts";
import { pictureDims } from "../../model/make-model.ts";
import type { Model } from "../../model/model.ts";
import { freeBatch } from "../../model/sessions.ts";
import { classScore, classValues } from "../../model/targets.ts";
import { mapLayers } from "./layer-choice.ts";

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
  const base = withFreeBatch(withoutNames(model.graph), dims, notes);
  const place = method === "gradient" ? undefined : await mapLayer(model, options, notes);

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
  const wrt = place ? rename(place.output) : model.input.name;
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
  const map = place ? mapNodes(emit, method, wrt, slope, place.layout, signed) : slope;
  const outputs = { scores: logits, map };
  const whole = emit.finish(Object.values(outputs));
  const shape = emit.shape(wrt);
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

/** The one layer that the map is taken at. */
async function mapLayer(model: Model, { layer }: ExportOptions, notes: string[]): Promise<Layer> {
  const { layers, notes: said } = await mapLayers(model, layer === undefined ? [] : [layer]);
  if (layers.length > 1)
    throw new ConvlensError("option-invalid", `"${layer}" means ${layers.length} layers: an exported map has one`);
  notes.push(...said);
  return layers[0]!;
}

/** Grad-CAM: sum over channels of the mean gradient times the activation. CAM is that without ReLU, times h w. */
function mapNodes(
  emit: Emitter,
  method: ExportMethod,
  value: string,
  slope: string,
  layout: "NCHW" | "NHWC",
  signed: boolean,
): string {
  const shape = emit.shape(value);
  const [channels, places] = layout === "NHWC" ? [3, [1, 2]] : [1, [2, 3]];
  const area = places.reduce((product, axis) => product * (shape[axis] ?? Number.NaN), 1);
  if (shape.length !== 4 || !Number.isFinite(area))
    throw new ConvlensError(
      "option-invalid",
      `"${value}" has the shape [${shape.map((n) => n ?? "N").join(", ")}]: a map needs a layer of channels and fixed height and width`,
    );
  const weighted = emit.mul(emit.mean(slope, places), value);
  const sum = emit.op("ReduceSum", [weighted, emit.ints([channels])], { keepdims: int(0) });
  if (method === "cam") return emit.mul(sum, area);
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
