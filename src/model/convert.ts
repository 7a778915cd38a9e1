/** A network as one standard ONNX graph with its table of layers: what `convlens convert` writes. */
import { ConvlensError } from "../core/errors.ts";
import type { Layer, Layout } from "../core/layers.ts";
import { type Tensor, transpose } from "../core/tensor.ts";
import { LAYERS_KEY } from "../formats/onnx/layers.ts";
import { ints } from "../graph/builder.ts";
import { readConstant } from "../graph/constants.ts";
import type { Graph, Node, ValueInfo } from "../graph/graph.ts";
import { layoutAxes } from "./layers.ts";
import type { Model } from "./model.ts";

export interface ConvertOptions {
  /** The axis order of the pictures that the file takes; default: as the model's own file has it. */
  readonly layout?: Layout;
}

export interface Converted {
  readonly graph: Graph;
  /** With the table of layers, so that Convlens shows the same names, classes and shapes again. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Throws `model-unsupported` for files whose inside is not known. */
export async function convertModel(model: Model, { layout }: ConvertOptions = {}): Promise<Converted> {
  if (model.opaque !== undefined)
    throw new ConvlensError("model-unsupported", `"${model.name}" cannot be converted: ${model.opaque}`);
  const layers = await model.layers();
  const folded = await foldTransposes(model.graph);
  const turned = new Set(
    model.inputs
      .filter((input) => layout !== undefined && input.shape.length === 4 && input.layout !== layout)
      .map((input) => input.name),
  );
  const graph = [...turned].reduce((before, name) => turnInput(before, name, layout!), folded.graph);
  const rows = layers.map((layer) => rowOf(layer, folded.turned, turned, layout));
  const table = { version: 1, sourceLayout: model.sourceLayout, layers: rows };
  return { graph, metadata: { [LAYERS_KEY]: JSON.stringify(table) } };
}

interface Turned {
  /** The constant that took its place. */
  readonly value: string;
  /** The transposition from that one back to the framework's shape. */
  readonly axes: readonly number[];
}

function rowOf(
  layer: Layer,
  weights: ReadonlyMap<string, Turned>,
  inputs: ReadonlySet<string>,
  layout: Layout | undefined,
): object {
  return {
    name: layer.name,
    class: layer.class,
    output: layer.output,
    layout: inputs.has(layer.output) ? layout : layer.layout,
    inputs: layer.inputs,
    ...(layer.within === undefined ? {} : { within: layer.within }),
    weights: layer.weights.map(({ name, value, axes, trainable }) => ({
      name,
      ...(weights.get(value) ?? { value, ...(axes ? { axes } : {}) }),
      trainable,
    })),
  };
}

/** Keras' kernels lie in Keras' order, a Transpose behind each: other tools expect them in ONNX' own. */
async function foldTransposes(graph: Graph): Promise<{ graph: Graph; turned: Map<string, Turned> }> {
  const uses = new Map<string, number>();
  for (const node of graph.nodes) for (const input of node.inputs) uses.set(input, (uses.get(input) ?? 0) + 1);
  const constants = new Map(graph.constants);
  const turned = new Map<string, Turned>();
  const gone = new Set<Node>();
  for (const node of graph.nodes) {
    const [input = "", perm] = [node.inputs[0], node.attributes.perm];
    const constant = constants.get(input);
    if (node.op !== "Transpose" || node.domain !== "" || perm?.kind !== "ints" || uses.get(input) !== 1 || !constant)
      continue;
    const value = node.outputs[0]!;
    const tensor: Tensor = transpose(await readConstant(constant), perm.value);
    constants.delete(input);
    constants.set(value, tensor);
    turned.set(input, { value, axes: perm.value.map((_, axis) => perm.value.indexOf(axis)) });
    gone.add(node);
  }
  return { graph: { ...graph, constants, nodes: graph.nodes.filter((node) => !gone.has(node)) }, turned };
}

/** The graph with one input in the other order of axes: transpositions that undo each other go, others come. */
function turnInput(graph: Graph, input: string, layout: Layout): Graph {
  const info = graph.values.get(input)!;
  const from: Layout = layout === "NCHW" ? "NHWC" : "NCHW";
  const toNew = layoutAxes(4, from, layout)!;
  const isUndone = ({ op, inputs, attributes: { perm } }: Node): boolean =>
    op === "Transpose" && inputs[0] === input && perm?.kind === "ints" && perm.value.join() === toNew.join();
  const straight = new Map(graph.nodes.filter(isUndone).map((node) => [node.outputs[0]!, input]));
  const back = `${input}/${from.toLowerCase()}`;
  const rest = graph.nodes.filter((node) => !isUndone(node));
  const isRead = rest.some((node) => node.inputs.includes(input)) || graph.outputs.includes(input);
  const renamed = (name: string): string => straight.get(name) ?? (name === input ? back : name);
  const nodes = rest.map((node) => ({ ...node, inputs: node.inputs.map(renamed) }));
  const turn: Node = {
    name: back,
    op: "Transpose",
    domain: "",
    inputs: [input],
    outputs: [back],
    attributes: { perm: ints(layoutAxes(4, layout, from)!) },
  };
  const values = new Map<string, ValueInfo>(graph.values);
  values.set(input, { type: info.type, shape: toNew.map((axis) => info.shape[axis]!) });
  return {
    ...graph,
    values,
    nodes: isRead ? [turn, ...nodes] : nodes,
    outputs: graph.outputs.map(renamed),
  };
}
