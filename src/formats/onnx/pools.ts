/**
 * ONNX Runtime 1.30 merges a Pad into the MaxPool behind it and then pads with minus infinity in place of the file's
 * own value: wrong where all of a window that reaches the padding is below it (ResNet v2 begins so). It leaves pools
 * alone that say `auto_pad`, and a pool without pads of its own may say VALID.
 */
import { text } from "../../graph/builder.ts";
import type { Graph, Node } from "../../graph/graph.ts";
import { producers } from "../../graph/walk.ts";

/** The graph with every such pool written as VALID. */
export function keepPadsBeforePools(graph: Graph): Graph {
  const made = producers(graph);
  const isBehindPad = ({ op, domain, inputs, attributes }: Node): boolean => {
    if (op !== "MaxPool" || domain !== "") return false;
    const { auto_pad, ceil_mode, pads } = attributes;
    const own = pads?.kind === "ints" && pads.value.some((n) => n !== 0);
    const ceil = ceil_mode?.kind === "int" && ceil_mode.value === 1;
    const says = auto_pad?.kind === "string" && auto_pad.value !== "NOTSET";
    return !own && !ceil && !says && made.get(inputs[0] ?? "")?.op === "Pad";
  };
  if (!graph.nodes.some(isBehindPad)) return graph;
  const valid = (node: Node): Node => {
    const { pads: _, ...rest } = node.attributes;
    return { ...node, attributes: { ...rest, auto_pad: text("VALID") } };
  };
  return { ...graph, nodes: graph.nodes.map((node) => (isBehindPad(node) ? valid(node) : node)) };
}
