/**
 * Where class-activation maps are taken: the last convolutional stage's output when nobody says where, the layers a
 * user names, or all convolutions. It reads the graph only: nothing runs.
 */
import { ConvlensError } from "../../core/errors.ts";
import type { Layer } from "../../core/layers.ts";
import { sizeOf } from "../../core/tensor.ts";
import type { Graph, Node } from "../../graph/graph.ts";
import { inferShapes } from "../../graph/infer.ts";
import { consumers, producers, reads } from "../../graph/walk.ts";
import { pictureDims } from "../../model/make-model.ts";
import type { Model } from "../../model/model.ts";

export interface ChosenLayer {
  readonly layer: string;
  /** For a note: what it is, and what lies between it and the scores. */
  readonly why: string;
}

type Shapes = ReadonlyMap<string, readonly number[]>;

/** What the choice needs of a model, worked out once. */
interface Survey {
  readonly graph: Graph;
  readonly layers: readonly Layer[];
  readonly byOutput: ReadonlyMap<string, Layer>;
  readonly shapes: Shapes;
  readonly made: ReadonlyMap<string, Node>;
  readonly logits: string;
}

const surveys = new WeakMap<Model, Promise<Survey>>();
function survey(model: Model): Promise<Survey> {
  const known = surveys.get(model) ?? makeSurvey(model);
  surveys.set(model, known);
  return known;
}

async function makeSurvey(model: Model): Promise<Survey> {
  const { graph } = model;
  const layers = await model.layers();
  const shapes = new Map<string, readonly number[]>(
    [...inferShapes(graph, pictureDims(model.inputs, model.preprocessing))].map(([name, { shape }]) => [name, shape]),
  );
  for (const { output, shape } of layers)
    if (!shapes.has(output) && shape.length > 0)
      shapes.set(
        output,
        shape.map((n) => n ?? 1),
      );
  return {
    graph,
    layers,
    byOutput: new Map(layers.map((layer) => [layer.output, layer])),
    shapes,
    made: producers(graph),
    logits: model.head().logits,
  };
}

/** Height and width of more than one place, whatever the order of axes: at least two of three axes are wider than 1. */
const isMap = (shape: readonly number[] | undefined): boolean =>
  shape?.length === 4 && shape.slice(1).filter((n) => n > 1).length >= 2;

const pooling = /Pool$|^Reduce(Mean|Max|Sum|L2)$/;
/** What hands feature maps on without making new ones, or makes them only larger, or evens them out before pooling. */
const handsOn =
  /^(Identity|Dropout|Cast|Transpose|Pad|Resize|Upsample|QuantizeLinear|DequantizeLinear|LayerNormalization)$/;
const isConvolution = /^(Conv|ConvTranspose|QLinearConv|ConvInteger)$/;
const isDense = /^(Gemm|MatMul|QLinearMatMul|MatMulInteger|QGemm)$/;
const activation =
  /^(Relu|LeakyRelu|PRelu|Elu|Selu|Celu|Clip|Sigmoid|HardSigmoid|HardSwish|Tanh|Softplus|Softsign|Gelu|Mish|ThresholdedRelu)$/;

/** Products of two values that both depend on the picture mix places: attention over tokens. */
const mixes = /^(MatMul|Einsum)$|Attention$/;

interface Way {
  readonly value: string;
  /** What has been passed on the way back from the scores. */
  readonly dense: number;
  readonly pool: boolean;
  readonly classifier: boolean;
  readonly attention: boolean;
}

/**
 * The layer where a class-activation map is taken when none is named: from the logits back over dense layers, flatten,
 * reshape, dropout and pooling to the last convolutional stage's activated output. Networks that end in a convolution
 * with a channel for each class (SqueezeNet, fully convolutional ones) are taken before that convolution: it is their
 * dense layer. Attention leaves no feature maps: vision transformers are taken at the convolution in front of it. Throws
 * `model-unsupported` where the scores depend on no feature maps.
 */
export function chooseCamLayer(model: Model): Promise<ChosenLayer> {
  const known = choices.get(model) ?? survey(model).then((all) => choose(model, all));
  choices.set(model, known);
  return known;
}

const choices = new WeakMap<Model, Promise<ChosenLayer>>();

function choose(model: Model, all: Survey): ChosenLayer {
  const { graph, made, shapes, byOutput, logits } = all;
  const order = new Map(graph.nodes.map((node, i) => [node, i]));
  const score = shapes.get(logits) ?? [];
  const classes = isMap(score) ? [score[1], score[3]] : [sizeOf(score.slice(1))];
  const { mixing, mixed } = attention(graph);
  const seen = new Set<string>();
  const queue: Way[] = [{ value: logits, dense: 0, pool: false, classifier: false, attention: false }];
  let best: (Way & { readonly node: Node }) | undefined;
  for (let way = queue.pop(); way !== undefined; way = queue.pop()) {
    const { value } = way;
    const node = made.get(value);
    if (!node || seen.has(value) || node.op === "Shape") continue;
    seen.add(value);
    const isPool = pooling.test(node.op);
    const isTokens = mixed.has(value) || (way.attention && !isConvolved(all, value));
    if (!isMap(shapes.get(value)) || isTokens) {
      const isLayer = isDense.test(node.op) || isConvolution.test(node.op);
      const next = {
        ...way,
        dense: way.dense + (isLayer ? 1 : 0),
        pool: way.pool || isPool,
        attention: way.attention || mixing.has(node),
      };
      for (const input of node.inputs) queue.push({ ...next, value: input });
      continue;
    }
    const classifier = way.dense === 0 ? classifierBehind(all, node, classes) : undefined;
    const behind = classifier ?? (isPool || handsOn.test(node.op) ? node : undefined);
    if (behind)
      queue.push({
        ...way,
        value: behind.inputs[0] ?? "",
        pool: way.pool || isPool,
        classifier: way.classifier || classifier !== undefined,
      });
    else if (!best || order.get(node)! > order.get(best.node)!) best = { ...way, node };
  }
  const layer = best && nearestLayer(all, best.value);
  if (!best || !layer)
    throw new ConvlensError(
      "model-unsupported",
      `"${model.name}" has no feature maps in front of its scores: class-activation maps need feature maps of a convolution; gradient methods work`,
    );
  const between = [
    ...(best.pool ? ["the pooling"] : []),
    ...(best.classifier ? ["the convolution that makes the class scores"] : []),
    ...(best.attention ? ["attention over its places"] : []),
    ...(best.dense > 0 && !best.attention ? [`${best.dense} dense ${best.dense > 1 ? "layers" : "layer"}`] : []),
  ];
  const before = between.length > 0 ? `, before ${between.join(" and ")}` : "";
  return {
    layer: layer.name,
    why: `the output of the last convolutional stage${before}${sizeText(byOutput.get(layer.output)!, model)}`,
  };
}

/** The nodes that mix places by products of two activations, and the values behind them up to the next convolution. */
function attention(graph: Graph): { readonly mixing: ReadonlySet<Node>; readonly mixed: ReadonlySet<string> } {
  const active = new Set(graph.inputs);
  const mixing = new Set<Node>();
  const mixed = new Set<string>();
  for (const node of graph.nodes) {
    const from = node.op === "Shape" ? [] : node.inputs.filter((value) => active.has(value));
    if (from.length === 0) continue;
    const isMixing = mixes.test(node.op) && (from.length > 1 || node.op.endsWith("Attention"));
    if (isMixing) mixing.add(node);
    const isMixed = isMixing || (!isConvolution.test(node.op) && from.some((value) => mixed.has(value)));
    for (const output of node.outputs) {
      active.add(output);
      if (isMixed) mixed.add(output);
    }
  }
  return { mixing, mixed };
}

/** Whether a map comes from a convolution through maps alone: queries and keys, cut into heads, have four axes too. */
function isConvolved({ made, shapes }: Survey, value: string): boolean {
  const seen = new Set<string>();
  const queue = [value];
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    const node = made.get(at);
    if (!node || seen.has(at) || !isMap(shapes.get(at))) continue;
    if (isConvolution.test(node.op)) return true;
    seen.add(at);
    queue.push(...node.inputs);
  }
  return false;
}

function sizeText({ shape }: Layer, { sourceLayout }: Model): string {
  const [, a, b, c] = shape;
  const [channels, height, width] = sourceLayout === "NCHW" ? [a, b, c] : [c, a, b];
  return `: ${channels} channels of ${height} x ${width}`;
}

/** The convolution that gives one channel a class, where `node` is it or only adds a bias or an activation to it. */
function classifierBehind({ made, shapes }: Survey, node: Node, classes: readonly unknown[]): Node | undefined {
  let at: Node | undefined = node;
  while (at && (activation.test(at.op) || at.op === "Add")) {
    const inner: string[] = at.inputs.filter((input) => made.has(input) && isMap(shapes.get(input)));
    if (inner.length !== 1) return undefined;
    at = made.get(inner[0]!);
  }
  if (!at || !isConvolution.test(at.op)) return undefined;
  return classes.includes(shapes.get(at.outputs[0]!)?.[1]) ? at : undefined;
}

/** The layer whose output a value is, or else the next one before it that gives maps. */
function nearestLayer({ byOutput, made, shapes }: Survey, value: string): Layer | undefined {
  for (let at: string | undefined = value; at !== undefined; at = made.get(at)?.inputs[0]) {
    const layer = byOutput.get(at);
    if (layer && isMap(shapes.get(at))) return layer;
  }
  return undefined;
}

/** What changes no number, or only its type. */
const keeps = /^(Identity|Dropout|Cast|Transpose|QuantizeLinear|DequantizeLinear)$/;

/** The layer that makes a value's numbers, or the next one before it. Throws `model-unsupported`. */
export async function layerBefore(model: Model, value: string): Promise<Layer> {
  const all = await survey(model);
  let at = value;
  for (let node = all.made.get(at); node && keeps.test(node.op); node = all.made.get(at)) at = node.inputs[0]!;
  const layer = nearestLayer(all, at);
  if (layer) return layer;
  throw new ConvlensError("model-unsupported", `no layer of "${model.name}" gives the feature maps "${value}"`);
}

/** The values that a value is computed from, itself included. */
export function upstream(made: ReadonlyMap<string, Node>, value: string): ReadonlySet<string> {
  const found = new Set<string>();
  const queue = [value];
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    if (found.has(at)) continue;
    found.add(at);
    const node = made.get(at);
    if (node) queue.push(...reads(node));
  }
  return found;
}

/**
 * The layers that a user's words mean, for maps: each must have height and width and lie before the scores. `all`:
 * every convolution, behind its activation. No words: the chosen one, with the note that says so. A pattern that means
 * several layers keeps those that fit. Throws `layer-unknown` and `option-invalid`.
 */
export async function mapLayers(
  model: Model,
  patterns: readonly string[],
): Promise<{ readonly layers: readonly Layer[]; readonly notes: readonly string[] }> {
  const all = await survey(model);
  if (patterns.length === 0) {
    const { layer, why } = await chooseCamLayer(model);
    const note = `layer "${layer}" was chosen: ${why}; --layer takes another`;
    return { layers: [all.layers.find(({ name }) => name === layer)!], notes: [note] };
  }
  const before = upstream(all.made, all.logits);
  const found = new Set<Layer>();
  for (const pattern of patterns) {
    if (pattern === "all") {
      for (const layer of convolutions(all, before)) found.add(layer);
      continue;
    }
    const meant = await model.findLayers(pattern);
    const fit = meant.filter((layer) => problem(all, layer, before) === undefined);
    if (fit.length === 0) {
      const { layer } = await chooseCamLayer(model);
      throw new ConvlensError("option-invalid", `${problem(all, meant[0]!, before)}; such a layer is "${layer}"`);
    }
    for (const layer of fit) found.add(layer);
  }
  if (found.size === 0)
    throw new ConvlensError("option-invalid", `"${model.name}" has no convolution with maps before its scores`);
  return { layers: all.layers.filter((layer) => found.has(layer)), notes: [] };
}

/** Why no map can be taken at a layer; `undefined` where one can. */
function problem({ shapes, made, logits }: Survey, layer: Layer, before: ReadonlySet<string>): string | undefined {
  const shape = layer.shape.map((n) => n ?? "N").join(", ");
  if ((shapes.get(layer.output)?.length ?? layer.shape.length) !== 4)
    return `layer "${layer.name}" has no height and width: its output is [${shape}], and a map needs a layer of channels of feature maps`;
  if (before.has(layer.output)) return undefined;
  return upstream(made, layer.output).has(logits)
    ? `layer "${layer.name}" lies behind the scores that are explained: a map needs a layer before them`
    : `the scores that are explained do not depend on layer "${layer.name}": a map needs a layer on the way to them`;
}

/** Every convolution with a map, each taken behind its normalisation and activation, in graph order. */
function convolutions(all: Survey, before: ReadonlySet<string>): readonly Layer[] {
  const readers = consumers(all.graph);
  const found = new Set<Layer>();
  for (const node of all.graph.nodes) {
    const output = node.outputs[0]!;
    if (!isConvolution.test(node.op) || !before.has(output) || !isMap(all.shapes.get(output))) continue;
    let layer: Layer | undefined;
    for (
      let value: string | undefined = output;
      value !== undefined;
      value = activated(readers.get(value) ?? [], value)
    )
      layer = all.byOutput.get(value) ?? layer;
    if (layer && before.has(layer.output)) found.add(layer);
  }
  return all.layers.filter((layer) => found.has(layer));
}

/** The next value behind a convolution that is still its own: normalised, activated, x * sigmoid(x). */
function activated(readers: readonly Node[], value: string): string | undefined {
  const [first, second] = readers;
  if (readers.length === 1)
    return first!.op === "BatchNormalization" || activation.test(first!.op) ? first!.outputs[0] : undefined;
  const gates = readers.length === 2 && second!.op === "Mul" && second!.inputs.includes(value);
  return gates && activation.test(first!.op) && second!.inputs.includes(first!.outputs[0]!)
    ? second!.outputs[0]
    : undefined;
}
