/**
 * The head that CAM needs: a pooling over the whole map, then only what reshapes, then one dense layer (Gemm, MatMul or
 * a 1x1 convolution) whose output is the class scores. Read from the graph; nothing runs.
 */
import { sizeOf } from "../../../core/tensor.ts";
import { constantNode } from "../../../graph/constants.ts";
import type { Node } from "../../../graph/graph.ts";
import { inferShapes } from "../../../graph/infer.ts";
import { describeNode, producers, reads } from "../../../graph/walk.ts";
import { pictureDims } from "../../../model/make-model.ts";
import type { Model } from "../../../model/model.ts";

export interface WholePool {
  /** What the pooling reads: the feature maps. */
  readonly features: string;
  /** What it gives: one number a channel, which the dense layer weighs. */
  readonly pooled: string;
  readonly op: string;
}

const passing = new Set([
  "Identity",
  "Cast",
  "Dropout",
  "Flatten",
  "Reshape",
  "Squeeze",
  "Unsqueeze",
  "Transpose",
  "QuantizeLinear",
  "DequantizeLinear",
]);

/** Finds it, or says what stands in the way and what works instead. */
export function findWholePool(model: Model): WholePool | string {
  const { graph } = model;
  const made = producers(graph);
  const shapes = inferShapes(graph, pictureDims(model.inputs, model.preprocessing));
  const moving = downstream(graph.inputs, graph.nodes);
  let dense = 0;
  for (let value = model.head().logits; ; ) {
    const node = made.get(value);
    if (!node) return refusal("no pooling lies before its scores");
    const input = node.inputs.filter((name) => moving.has(name));
    const shape = shapes.get(input[0] ?? "")?.shape;
    if (passing.has(node.op)) value = node.inputs[0]!;
    else if (input.length === 1 && /^(QLinear)?Add$/.test(node.op)) value = input[0]!;
    else if (input.length === 1 && shape && isDense(node, shape)) {
      if (++dense > 1) return refusal("more than one dense layer lies before its scores");
      value = input[0]!;
    } else if (dense === 1 && shape && poolsAll(node, shape, graph.constants, made))
      return { features: node.inputs[0]!, pooled: value, op: node.op };
    else return refusal(`${describeNode(node)} lies between its feature maps and its scores`);
  }
}

const refusal = (why: string): string =>
  `it needs a pooling over the whole map, then one dense layer, and ${why}; gradcam is for any head`;

function downstream(inputs: readonly string[], nodes: readonly Node[]): ReadonlySet<string> {
  const found = new Set(inputs);
  for (const node of nodes)
    if (node.op !== "Shape" && reads(node).some((value) => found.has(value)))
      for (const output of node.outputs) found.add(output);
  return found;
}

/** A matrix of weights times a vector: also a convolution over one place. */
const isDense = ({ op }: Node, shape: readonly number[]): boolean =>
  /^(Gemm|MatMul|QGemm|QLinearMatMul)$/.test(op) || (/^(QLinear)?Conv$/.test(op) && sizeOf(shape.slice(2)) === 1);

function poolsAll(
  node: Node,
  shape: readonly number[],
  constants: Model["graph"]["constants"],
  made: ReadonlyMap<string, Node>,
): boolean {
  if (shape.length !== 4) return false;
  const { op, attributes } = node;
  if (/^(QLinear)?Global(Average|Max)Pool$/.test(op)) return true;
  if (op === "AveragePool" || op === "MaxPool") {
    const { kernel_shape: kernel, pads } = attributes;
    const isPadded = pads?.kind === "ints" && pads.value.some((n) => n > 0);
    return kernel?.kind === "ints" && !isPadded && kernel.value.every((n, i) => n === shape[i + 2]);
  }
  if (!/^Reduce(Mean|Max|Sum)$/.test(op)) return false;
  const name = node.inputs[1] ?? "";
  const maker = made.get(name);
  const constant = constants.get(name) ?? (maker && constantNode(maker));
  if (!constant || "stored" in constant) return false;
  const axes = Array.from(constant.data as BigInt64Array, (axis) => (Number(axis) + 4) % 4).sort();
  return axes.join() === "2,3" || axes.join() === "1,2";
}
