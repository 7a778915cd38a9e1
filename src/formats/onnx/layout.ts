/** The axis order of pictures that a graph takes, as far as its shapes tell. */
import type { Layout } from "../../core/layers.ts";
import type { Graph } from "../../graph/graph.ts";

const isChannels = (n: number | null | undefined): boolean => n === 1 || n === 3 || n === 4;

/** NHWC when the last axis of a rank-4 input can only be the channels (1, 3 or 4, and axis 1 is not); else NCHW. */
export function inputLayout(graph: Pick<Graph, "values">, input: string): Layout {
  const shape = graph.values.get(input)?.shape;
  return shape?.length === 4 && isChannels(shape[3]) && !isChannels(shape[1]) ? "NHWC" : "NCHW";
}
