/** Until the conversion is there: files of any opset as they are. */
import type { Graph } from "../../graph/graph.ts";
export const toIrOpset = (graph: Graph, _opset: number): { graph: Graph; notes: readonly string[] } => ({
  graph,
  notes: [],
});
