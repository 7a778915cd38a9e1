/** The part of a graph that wanted values need: what a session for one layer, or one gradient, is made of. */
import { ConvlensError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import type { Constant, Graph, Node, ValueInfo } from "./graph.ts";
import { producers, reads } from "./walk.ts";

/**
 * The nodes and constants between `inputs` and `outputs`. `inputs` may name inner values, which then become inputs
 * of the new graph (their types and shapes should be known: `withShapes`); by default they are the graph's own.
 * Inputs that the outputs do not depend on are kept when they were named, and dropped when they were not. Throws
 * `model-invalid` for an output that the graph does not have, or that needs an input which is not among `inputs`.
 */
export function subgraph(graph: Graph, outputs: readonly string[], inputs?: readonly string[]): Graph {
  const made = producers(graph);
  const open = new Set(inputs ?? graph.inputs);
  const needed = new Set<Node>();
  const used = new Set<string>();
  const queue = [...outputs];
  for (let value = queue.pop(); value !== undefined; value = queue.pop()) {
    if (used.has(value)) continue;
    used.add(value);
    if (open.has(value) || graph.constants.has(value)) continue;
    const node = made.get(value);
    if (!node) throw missing(graph, value, made);
    if (needed.has(node)) continue;
    needed.add(node);
    // No spread: a node may read more values than a call takes arguments.
    for (const input of reads(node)) queue.push(input);
  }
  for (const value of open)
    if (!made.has(value) && !graph.inputs.includes(value) && !graph.constants.has(value))
      throw missing(graph, value, made);

  const constants = new Map<string, Constant>();
  for (const [name, constant] of graph.constants) if (used.has(name) && !open.has(name)) constants.set(name, constant);
  const nodes = graph.nodes.filter((node) => needed.has(node));
  const names = new Set([...used, ...open, ...nodes.flatMap((node) => node.outputs)]);
  const values = new Map<string, ValueInfo>();
  for (const [name, info] of graph.values) if (names.has(name)) values.set(name, info);
  return {
    name: graph.name,
    inputs: inputs ?? graph.inputs.filter((value) => used.has(value)),
    outputs,
    nodes: cutProducers(nodes, open),
    constants,
    values,
  };
}

/** A node kept for its second output must not also make a value that became an input. */
function cutProducers(nodes: readonly Node[], open: ReadonlySet<string>): readonly Node[] {
  return nodes.map((node) =>
    node.outputs.some((output) => open.has(output))
      ? { ...node, outputs: node.outputs.map((output) => (open.has(output) ? `${output}/cut` : output)) }
      : node,
  );
}

function missing(graph: Graph, value: string, made: ReadonlyMap<string, Node>): ConvlensError {
  if (graph.inputs.includes(value))
    return new ConvlensError("model-invalid", `the wanted outputs need the input "${value}", which is not given`);
  const near = nearest(value, [...graph.inputs, ...made.keys()]);
  const hint = near.length > 0 ? `; nearest: ${near.map((name) => `"${name}"`).join(", ")}` : "";
  return new ConvlensError("model-invalid", `the graph "${graph.name}" has no value "${value}"${hint}`);
}
