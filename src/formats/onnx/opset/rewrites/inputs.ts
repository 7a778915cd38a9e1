/** Attributes that became inputs: sizes, axes and bounds that newer opsets allow to be computed. */
import { int64 } from "../../../../core/tensor.ts";
import { int } from "../../../../graph/builder.ts";
import type { Attribute, Node } from "../../../../graph/graph.ts";
import type { Rewrite } from "../converter.ts";

/** The node's attributes without some. */
export function without(node: Node, ...names: readonly string[]): Readonly<Record<string, Attribute>> {
  return Object.fromEntries(Object.entries(node.attributes).filter(([name]) => !names.includes(name)));
}

function intsOf(node: Node, name: string): readonly number[] | undefined {
  const attribute = node.attributes[name];
  return attribute?.kind === "ints" ? attribute.value : undefined;
}

export function numberOf(node: Node, name: string, otherwise: number): number {
  const attribute = node.attributes[name];
  return attribute?.kind === "int" || attribute?.kind === "float" ? attribute.value : otherwise;
}

/** An integer list becomes the second input; left out where it is absent or empty. */
const listToInput =
  (name: string): Rewrite =>
  (node, to) => {
    const list = intsOf(node, name);
    const extra = list && list.length > 0 ? [to.ints(list)] : [];
    to.add({ ...node, inputs: [...node.inputs.slice(0, 1), ...extra], attributes: without(node, name) });
  };

/** Squeeze, Unsqueeze, Reduce*: no axes and an empty list both mean all of them, then as now. */
export const axesToInput: Rewrite = listToInput("axes");

/** Equal parts must be asked for since 18. */
export const split: Rewrite = (node, to) => {
  const sizes = intsOf(node, "split");
  const attributes = without(node, "split");
  if (sizes) to.add({ ...node, inputs: [node.inputs[0]!, to.ints(sizes)], attributes });
  else if (node.inputs[1]) to.add(node);
  else
    to.add({
      ...node,
      inputs: node.inputs.slice(0, 1),
      attributes: { ...attributes, num_outputs: int(node.outputs.length) },
    });
};

export const slice: Rewrite = (node, to) => {
  const starts = intsOf(node, "starts") ?? to.refuse(node, "it has no starts");
  const ends = intsOf(node, "ends") ?? to.refuse(node, "it has no ends");
  const axes = intsOf(node, "axes");
  const inputs = [node.inputs[0]!, to.ints(starts), to.ints(ends), ...(axes ? [to.ints(axes)] : [])];
  to.add({ ...node, inputs, attributes: {} });
};

export const clip: Rewrite = (node, to) => {
  const x = node.inputs[0]!;
  const bound = (name: string): string => {
    const attribute = node.attributes[name];
    return attribute?.kind === "float" ? to.scalarLike(attribute.value, x) : "";
  };
  const bounds = [bound("min"), bound("max")];
  while (bounds.at(-1) === "") bounds.pop();
  to.add({ ...node, inputs: [x, ...bounds], attributes: {} });
};

export const pad: Rewrite = (node, to) => {
  const x = node.inputs[0]!;
  const pads = intsOf(node, "pads") ?? to.refuse(node, "it has no pads");
  const value = numberOf(node, "value", 0);
  const inputs = [x, to.ints(pads), ...(value === 0 ? [] : [to.scalarLike(value, x)])];
  to.add({ ...node, inputs, attributes: without(node, "pads", "value") });
};

export const topK: Rewrite = (node, to) =>
  to.add({ ...node, inputs: [node.inputs[0]!, to.ints([numberOf(node, "k", 1)])], attributes: without(node, "k") });

export const dft: Rewrite = (node, to) => {
  const axis = to.constant(int64([], [numberOf(node, "axis", 1)]));
  to.add({ ...node, inputs: [node.inputs[0]!, node.inputs[1] ?? "", axis], attributes: without(node, "axis") });
};

/**
 * Inference: nothing is dropped. The mask says so with ones since 12; before, engines give zeros, of the data's type
 * until 10 and bool since.
 */
export const dropout: Rewrite = (node, to) => {
  const x = node.inputs[0]!;
  const mask = node.outputs[1] ?? "";
  to.add({ ...node, outputs: node.outputs.slice(0, 1), attributes: without(node, "ratio") });
  if (mask === "") return;
  const zero = to.opset < 10 ? to.scalarLike(0, x) : to.constant({ type: "bool", dims: [], data: new Uint8Array(1) });
  to.add({ ...node, name: "", op: "Expand", inputs: [zero, to.emit("Shape", [x])], outputs: [mask], attributes: {} });
};
