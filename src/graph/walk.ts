/** Ways through a graph: who makes a value, who reads it, what a node needs. */
import type { Graph, Node } from "./graph.ts";

/** The node that makes each value; inputs and constants have none. */
export function producers(graph: Graph): Map<string, Node> {
  const made = new Map<string, Node>();
  for (const node of graph.nodes) for (const output of node.outputs) if (output !== "") made.set(output, node);
  return made;
}

/** The nodes that read each value, in order; a node that reads it twice stands once. */
export function consumers(graph: Graph): Map<string, Node[]> {
  const readers = new Map<string, Node[]>();
  for (const node of graph.nodes)
    for (const value of new Set(reads(node))) {
      const list = readers.get(value);
      if (list) list.push(node);
      else readers.set(value, [node]);
    }
  return readers;
}

/** All values a node needs: its inputs, and what the graphs in its attributes (branches, loop bodies) take from outside. */
export function reads(node: Node): string[] {
  const inner = Object.values(node.attributes).flatMap((a) => (a.kind === "graph" ? captured(a.value) : []));
  return [...node.inputs.filter((value) => value !== ""), ...inner];
}

/** The outer values that an inner graph uses. */
function captured(graph: Graph): string[] {
  const own = new Set([...graph.inputs, ...graph.constants.keys()]);
  const outer = new Set<string>();
  const take = (value: string): void => {
    if (!own.has(value)) outer.add(value);
  };
  for (const node of graph.nodes) {
    reads(node).forEach(take);
    for (const output of node.outputs) own.add(output);
  }
  graph.outputs.forEach(take);
  return [...outer];
}

/** How messages name a node: `Conv "features.0"`, or by its first output where it has no name. */
export function describeNode(node: Node): string {
  const name = node.name || node.outputs.find((output) => output !== "") || "";
  return `${node.domain === "" ? "" : `${node.domain}.`}${node.op} "${name}"`;
}
