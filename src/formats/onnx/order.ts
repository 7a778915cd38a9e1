/** The order of nodes: every value defined once, before it is used. Files may list nodes in any order. */
import { ConvlensError } from "../../core/errors.ts";
import type { Graph, Node } from "../../graph/graph.ts";
import { describeNode, reads } from "../../graph/walk.ts";

/**
 * The nodes in topological order: the file's own where it is one.
 * @param own the graph's inputs and constants
 * @param outer whether a surrounding graph defines a value
 * @throws ConvlensError `model-invalid` for a value defined twice or never, and for cycles
 */
export function inOrder(
  graph: Pick<Graph, "nodes" | "outputs">,
  own: ReadonlySet<string>,
  outer: (name: string) => boolean,
  fileName: string,
): Node[] {
  const { nodes } = graph;
  const producer = new Map<string, number>();
  for (const [i, node] of nodes.entries())
    for (const name of node.outputs) {
      if (!name) continue;
      if (producer.has(name) || own.has(name))
        throw new ConvlensError(
          "model-invalid",
          `value "${name}" of ${fileName} is defined twice; export the model again`,
        );
      producer.set(name, i);
    }
  const undefinedValue = (name: string, user: string): ConvlensError =>
    new ConvlensError(
      "model-invalid",
      `${user} of ${fileName} uses the value "${name}", which nothing defines; the file is damaged, get it or export it again`,
    );
  const given = (name: string): boolean => own.has(name) || outer(name);
  for (const name of graph.outputs) if (!producer.has(name) && !given(name)) throw undefinedValue(name, "an output");

  const waiting = new Array<number>(nodes.length).fill(0);
  const users: number[][] = nodes.map(() => []);
  for (const [i, node] of nodes.entries())
    for (const name of new Set(reads(node))) {
      const from = producer.get(name);
      if (from !== undefined) {
        users[from]!.push(i);
        waiting[i]!++;
      } else if (!given(name)) throw undefinedValue(name, describeNode(node));
    }
  if (nodes.every((_, i) => users[i]!.every((user) => user > i))) return [...nodes];

  const ready = nodes.flatMap((_, i) => (waiting[i] === 0 ? [i] : []));
  const sorted: Node[] = [];
  for (let k = 0; k < ready.length; k++) {
    const i = ready[k]!;
    sorted.push(nodes[i]!);
    for (const user of users[i]!) if (--waiting[user]! === 0) ready.push(user);
  }
  if (sorted.length < nodes.length) {
    const stuck = nodes.find((_, i) => waiting[i]! > 0)!;
    throw new ConvlensError("model-invalid", `${describeNode(stuck)} of ${fileName} needs its own result (a cycle)`);
  }
  return sorted;
}
