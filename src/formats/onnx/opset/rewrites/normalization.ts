/** Softmax and its kin, batch and group normalization: the same name with another meaning. */
import { int } from "../../../../graph/builder.ts";
import type { Node, Shape } from "../../../../graph/graph.ts";
import { describeNode } from "../../../../graph/walk.ts";
import type { Rewrite, Rewriting } from "../converter.ts";
import { numberOf, without } from "./inputs.ts";

/**
 * Before 13 the input was seen as a matrix: axes up to `axis` are the rows, the others one long row. Where at most one
 * of those others is longer than 1, that is a softmax along it; else the matrix is made and undone.
 */
export const flattenedSoftmax: Rewrite = (node, to) => {
  const x = node.inputs[0]!;
  const axis = numberOf(node, "axis", 1);
  const single = singleAxis(to.shape(x) ?? to.shape(node.outputs[0]!), axis);
  if (single !== undefined) return to.add({ ...node, attributes: { ...node.attributes, axis: int(single) } });
  to.note(`${describeNode(node)} takes its input as a matrix from axis ${axis} on, as opsets before 13 do`);
  const matrix = to.emit("Flatten", [x], { axis: int(axis) });
  const rows = to.emit(node.op, [matrix], { ...node.attributes, axis: int(-1) });
  const like = to.emit("Shape", [x]);
  to.add({ ...node, op: "Reshape", inputs: [rows, like], attributes: {} });
};

function singleAxis(shape: Shape | undefined, axis: number): number | undefined {
  if (axis === -1) return -1;
  if (!shape) return undefined;
  const from = axis < 0 ? axis + shape.length : axis;
  const long = shape.flatMap((n, i) => (i >= from && n !== 1 ? [i] : []));
  if (long.length > 1) return undefined;
  return long[0] === undefined || long[0] === shape.length - 1 ? -1 : long[0];
}

/** Outputs beside the first ask for training until 14, where an attribute does. */
export const batchNormalization: Rewrite = (node, to) => {
  const trains = node.outputs.slice(1).some((output) => output !== "");
  if (numberOf(node, "spatial", 1) === 0) return perElement(node, to, trains);
  if (node.outputs.slice(3).some((output) => output !== ""))
    to.refuse(node, "it gives saved statistics, which only training needs; export the model for inference");
  const attributes = { ...without(node, "spatial"), ...(trains && { training_mode: int(1) }) };
  to.add({ ...node, outputs: node.outputs.slice(0, trains ? 3 : 1), attributes });
};

/** `spatial = 0`: statistics for each element, not for each channel: (x - mean) / sqrt(var + epsilon) * scale + bias. */
function perElement(node: Node, to: Rewriting, trains: boolean): void {
  if (trains) to.refuse(node, "it trains statistics per element; export the model for inference");
  const [x, scale, bias, mean, variance] = node.inputs as [string, string, string, string, string];
  const epsilon = to.scalarLike(numberOf(node, "epsilon", 1e-5), variance);
  const deviation = to.emit("Sqrt", [to.emit("Add", [variance, epsilon])]);
  const normal = to.emit("Div", [to.emit("Sub", [x, mean]), deviation]);
  to.add({
    ...node,
    op: "Add",
    inputs: [to.emit("Mul", [normal, scale]), bias],
    outputs: [node.outputs[0]!],
    attributes: {},
  });
}

/** Until 21 scale and bias were one number per group: each is repeated for the channels of its group. */
export const groupNormalization: Rewrite = (node, to) => {
  const [x, scale, bias] = node.inputs as [string, string, string];
  const groups = to.ints([numberOf(node, "num_groups", 1)]);
  const channels = to.emit("Shape", [x], { start: int(1), end: int(2) });
  const target = to.emit("Concat", [groups, to.emit("Div", [channels, groups])], { axis: int(0) });
  const perChannel = (value: string): string =>
    to.emit("Reshape", [to.emit("Expand", [to.emit("Unsqueeze", [value, to.ints([1])]), target]), to.ints([-1])]);
  to.add({ ...node, inputs: [x, perChannel(scale), perChannel(bias)] });
};

/** x / sqrt(mean(x^2) + epsilon) * scale over the axes from `axis` on, in float32 unless `stash_type` says otherwise. */
export const rmsNormalization: Rewrite = (node, to) => {
  const [x, scale] = node.inputs as [string, string];
  const axis = numberOf(node, "axis", -1);
  const rank = to.shape(x)?.length;
  if (axis >= 0 && rank === undefined) to.refuse(node, `axis ${axis} counts from the front of a value of unknown rank`);
  const first = axis >= 0 ? axis - rank! : axis;
  const stash = int(numberOf(node, "stash_type", 1));
  const wide = to.emit("Cast", [x], { to: stash });
  const axes = to.ints(Array.from({ length: -first }, (_, i) => first + i));
  const mean = to.emit("ReduceMean", [to.emit("Mul", [wide, wide]), axes]);
  const epsilon = to.scalarLike(numberOf(node, "epsilon", 1e-5), mean);
  const root = to.emit("Sqrt", [to.emit("Add", [mean, epsilon])]);
  const normal = to.emit("CastLike", [to.emit("Div", [wide, root]), x]);
  to.add({ ...node, op: "Mul", inputs: [normal, scale], attributes: {} });
};
