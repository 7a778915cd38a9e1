/**
 * Reverse-mode differentiation of a graph into more nodes of the same kind.
 *
 * Walks backwards from `of`, over only those nodes that lie between `wrt` and `of`; asks each node's rule for the
 * gradients of its inputs; sums them where a value is used twice; and folds broadcast axes back. Everything a rule
 * would otherwise repeat is here, once.
 */
import { ConvlensError } from "../core/errors.ts";
import type { Node, Shape } from "../graph/graph.ts";
import { describeNode, reads } from "../graph/walk.ts";
import { type Emitter, GRADIENT } from "./emitter.ts";
import { contextOf, type Rule, type RuleTable } from "./rule.ts";

export interface GradientRequest {
  /** The value that is differentiated, and the gradient it starts from (same shape): a one-hot row picks a class. */
  readonly of: string;
  readonly seed: string;
  readonly wrt: readonly string[];
  readonly note?: (text: string) => void;
}

/**
 * Adds the gradient nodes and returns d(of)/d(w) for each `w` of `wrt`, in its shape; `null` where `of` does not depend
 * on it. Throws `model-unsupported` for an operator on the way that has no rule, naming its node.
 */
export function gradient(
  emit: Emitter,
  { of, seed, wrt, note = () => {} }: GradientRequest,
  rules: RuleTable,
): (string | null)[] {
  const { onPath, downstream } = nodesBetween(emit.base.nodes, new Set(wrt), of);
  const gradients = new Map<string, string>([[of, seed]]);

  for (const node of onPath.reverse()) {
    const dys = node.outputs.map((y) => gradients.get(y) ?? null);
    const first = dys.find((dy) => dy !== null);
    if (first === undefined || first === null) continue;
    const context = contextOf({ node, emit, dys, isDownstream: (value) => downstream.has(value), note });
    const parts = ruleFor(node, rules)(dys[0] ?? first, context);
    const later = dys.findIndex((dy, i) => i > 0 && dy !== null);
    if (later > 0 && !severalOutputs.has(node.op) && parts.some((part) => part !== null))
      context.fail(`its output ${later} is used, which its rule leaves out`);
    node.inputs.forEach((x, i) => {
      if (x === "" || !downstream.has(x)) return;
      const part = parts[i];
      if (part === undefined) context.fail(`the rule for its input ${i} ("${x}") is not written`);
      if (part === undefined || part === null) return;
      const folded = broadcasting.has(node.op) ? foldTo(emit, part, emit.shape(node.outputs[0]!), x) : part;
      const before = gradients.get(x);
      gradients.set(x, before === undefined ? folded : emit.add(before, folded));
    });
  }
  return wrt.map((w) => gradients.get(w) ?? null);
}

function ruleFor(node: Node, rules: RuleTable): Rule {
  if (node.name.startsWith(GRADIENT))
    throw new ConvlensError(
      "model-unsupported",
      `${describeNode(node)} belongs to a gradient already, and gradients are not differentiated again: its masks have no slope`,
    );
  const rule = node.domain === "" && Object.hasOwn(rules, node.op) ? rules[node.op] : undefined;
  if (rule) return rule;
  const operator = node.domain === "" ? node.op : `${node.domain}.${node.op}`;
  throw new ConvlensError(
    "model-unsupported",
    `no gradient passes ${describeNode(node)}: there is no rule for the operator ${operator} (docs/reference/operators.md lists those that have one)`,
  );
}

/** What follows from a shape follows from no number: masks and paddings of run-time size. */
const shapeOnly: ReadonlySet<string> = new Set(["Shape", "Size"]);

/** The nodes that depend on `from` and reach `to`, in graph order, and all values that depend on `from`. */
function nodesBetween(
  nodes: readonly Node[],
  from: ReadonlySet<string>,
  to: string,
): { onPath: Node[]; downstream: ReadonlySet<string> } {
  const downstream = new Set(from);
  const forward = nodes.filter((node) => {
    const touched = !shapeOnly.has(node.op) && reads(node).some((x) => downstream.has(x));
    if (touched) for (const y of node.outputs) if (y !== "") downstream.add(y);
    return touched;
  });
  const upstream = new Set([to]);
  const onPath: Node[] = [];
  for (const node of forward.reverse()) {
    if (!node.outputs.some((y) => upstream.has(y))) continue;
    for (const x of reads(node)) upstream.add(x);
    onPath.push(node);
  }
  return { onPath: onPath.reverse(), downstream };
}

/** Operators whose rule looks at the gradients of all outputs. */
const severalOutputs: ReadonlySet<string> = new Set(["Split", "TopK"]);

/** Operators whose inputs broadcast to the shape of the first output, as NumPy does. */
const broadcasting: ReadonlySet<string> = new Set([
  "Add",
  "Sub",
  "Mul",
  "Div",
  "Pow",
  "Where",
  "Min",
  "Max",
  "Sum",
  "Mean",
  "PRelu",
  "Expand",
]);

/** Broadcasting sums in the gradient: over added axes and over axes of size 1. `from` is the shape of `value`. */
export function foldTo(emit: Emitter, value: string, from: Shape, like: string): string {
  const to = emit.shape(like);
  const added = from.length - to.length;
  const axes = from.flatMap((size, axis) => (axis < added || (to[axis - added] === 1 && size !== 1) ? [axis] : []));
  if (axes.length > 0) return emit.reshapeLike(emit.sum(value, axes), like);
  return added < 0 ? emit.reshapeLike(value, like) : value;
}
