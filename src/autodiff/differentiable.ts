/**
 * What is done to a network's graph before it is differentiated: fused operators are taken apart, quantized ones
 * become real numbers, other precisions float32. All values keep their names.
 */
import type { Graph } from "../graph/graph.ts";
import { unfused } from "./lower/fused.ts";
import { inFloat32 } from "./lower/precision.ts";
import { dequantized } from "./lower/quantized.ts";

export interface Differentiable {
  /** The graph itself where nothing had to change. */
  readonly graph: Graph;
  /** What a reader of the gradients must know. */
  readonly notes: readonly string[];
}

/** Throws `model-unsupported` for a quantized form that is not known. */
export function differentiable(graph: Graph): Differentiable {
  const real = dequantized(unfused(graph));
  const single = inFloat32(real.graph);
  return { graph: single.graph, notes: [...real.notes, ...single.notes] };
}
