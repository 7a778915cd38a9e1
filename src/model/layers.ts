/** The layer table: from the file's own, or derived from its operators; with shapes, parameters and costs. */
import type { Layer, LayerWeight, Layout } from "../core/layers.ts";
import { sizeOf } from "../core/tensor.ts";
import type { LayerRecord, ModelFile } from "../formats/format.ts";
import { inputLayout } from "../formats/onnx/layout.ts";
import { multiplyAdds } from "../graph/cost.ts";
import type { Graph, Node } from "../graph/graph.ts";
import { producers, reads } from "../graph/walk.ts";
import { isArithmetic, weightSlots } from "./weights.ts";

/** Concrete shapes of one picture's pass, by value. */
export type Shapes = ReadonlyMap<string, { readonly shape: readonly number[] }>;

/** A layer before shapes are known. */
export interface PlainLayer extends Omit<LayerRecord, "weights"> {
  readonly layout: Layout;
  readonly isPath?: true;
  readonly weights: LayerRecord["weights"];
  /** The nodes that make it. */
  readonly nodes: readonly Node[];
}

/** The layers of a file without shapes: its own table, else one layer for each node that depends on an input. */
export function plainLayers(file: ModelFile): readonly PlainLayer[] {
  const layouts = valueLayouts(file.graph, inputLayouts(file));
  const records = file.layers ?? deriveRecords(file.graph);
  const made = producers(file.graph);
  const ends = new Set([...file.graph.inputs, ...records.map((record) => record.output)]);
  return records.map((record) => ({
    ...record,
    ...(!file.layers && /[^/]\/[^/]/.test(record.name) ? { isPath: true as const } : {}),
    layout: record.layout ?? layouts.get(record.output) ?? "NCHW",
    nodes: nodesBehind(record.output, made, ends),
  }));
}

const inputLayouts = (file: ModelFile): Map<string, Layout> =>
  new Map(file.graph.inputs.map((name) => [name, inputLayout(file.graph, name)]));

/** The order of axes in which rank-4 values are stored: spatial operators want NCHW, a Transpose turns it, others keep it. */
function valueLayouts(graph: Graph, known: Map<string, Layout>): ReadonlyMap<string, Layout> {
  for (const node of graph.nodes) {
    const inherited = node.inputs.map((name) => known.get(name)).find((layout) => layout !== undefined);
    const perm = node.attributes.perm?.kind === "ints" ? node.attributes.perm.value.join() : "";
    const layout =
      node.op === "Transpose" && perm === "0,3,1,2"
        ? "NCHW"
        : node.op === "Transpose" && perm === "0,2,3,1"
          ? "NHWC"
          : spatial.test(node.op)
            ? "NCHW"
            : inherited;
    if (layout) for (const output of node.outputs) known.set(output, layout);
  }
  return known;
}

const spatial = /Conv|Pool|^(Batch|Instance|Group)Normalization$|^(LRN|Resize|DepthToSpace|SpaceToDepth)$/;

/** Walks back from an output to the layers before it. */
function nodesBehind(output: string, made: ReadonlyMap<string, Node>, ends: ReadonlySet<string>): readonly Node[] {
  const nodes = new Set<Node>();
  const queue = [output];
  for (let value = queue.pop(); value !== undefined; value = queue.pop()) {
    const node = made.get(value);
    if (!node || nodes.has(node) || (value !== output && ends.has(value))) continue;
    nodes.add(node);
    queue.push(...reads(node));
  }
  return [...nodes];
}

/** One record for each node whose output depends on an input's numbers, not only on its shape. */
function deriveRecords(graph: Graph): LayerRecord[] {
  const owner = new Map<string, string>(graph.inputs.map((name) => [name, name]));
  const taken = new Set<string>();
  const records: LayerRecord[] = [];
  for (const node of graph.nodes) {
    const inputs = [...new Set(reads(node).flatMap((value) => owner.get(value) ?? []))];
    const output = node.outputs.find((value) => value !== "");
    if (inputs.length === 0 || output === undefined || node.op === "Shape" || node.op === "Size") continue;
    const name = node.name !== "" && !taken.has(node.name) ? node.name : output;
    taken.add(name);
    for (const value of node.outputs) if (value !== "") owner.set(value, name);
    records.push({ name, class: node.op, output, inputs, weights: weightsOf(graph, node, owner) });
  }
  return records;
}

function weightsOf(graph: Graph, node: Node, dependent: ReadonlyMap<string, string>): LayerRecord["weights"] {
  return weightSlots(node).flatMap(({ name, input, trainable }) => {
    const value = node.inputs[input] ?? "";
    if (value === "" || dependent.has(value)) return [];
    const constant = graph.constants.get(value);
    if (constant && isArithmetic(node) && sizeOf(constant.dims) === 1) return [];
    return [{ name, value, trainable }];
  });
}

/** The table complete. `shapes` are one picture's; `graph.values` marks the batch axis. */
export function completeLayers(
  layers: readonly PlainLayer[],
  graph: Graph,
  shapes: Shapes,
  sourceLayout: Layout,
): readonly Layer[] {
  return layers.map((layer) => {
    const weights = layer.weights.flatMap((weight): LayerWeight[] => {
      const stored = shapes.get(weight.value)?.shape ?? graph.constants.get(weight.value)?.dims;
      if (!stored) return [];
      return [
        {
          name: weight.name,
          value: weight.value,
          ...(weight.axes ? { axes: weight.axes } : {}),
          trainable: (weight.trainable ?? true) && (layer.trainable ?? true),
          shape: weight.axes ? weight.axes.map((axis) => stored[axis]!) : stored,
          type: graph.constants.get(weight.value)?.type ?? graph.values.get(weight.value)?.type ?? "float32",
        },
      ];
    });
    const shape = graph.values.get(layer.output)?.shape ?? shapes.get(layer.output)?.shape ?? [];
    return {
      name: layer.name,
      class: layer.class,
      output: layer.output,
      layout: layer.layout,
      shape: layoutAxes(shape.length, layer.layout, sourceLayout)?.map((axis) => shape[axis]!) ?? shape,
      inputs: layer.inputs,
      ...(layer.within === undefined ? {} : { within: layer.within }),
      ...(layer.isPath ? { isPath: layer.isPath } : {}),
      weights,
      parameters: weights.reduce((sum, weight) => sum + sizeOf(weight.shape), 0),
      multiplyAdds: layer.nodes.reduce((sum, node) => sum + multiplyAdds(node, shapes), 0),
    };
  });
}

/** The transposition that brings a value from one order of axes to another; `undefined` where none is needed. */
export function layoutAxes(rank: number, from: Layout, to: Layout): readonly number[] | undefined {
  if (rank !== 4 || from === to) return undefined;
  return to === "NHWC" ? [0, 2, 3, 1] : [0, 3, 1, 2];
}
