/**
 * What is done to a network's graph before it is differentiated: fused operators are taken apart, quantised ones
 * become real numbers, other precisions float32. All values keep their names.
 */
import type { Graph } from "../graph/graph.ts";
import { unfused, unfusedOperators } from "./lower/fused.ts";
import { inFloat32 } from "./lower/precision.ts";
import { dequantized, dequantizedOperators } from "./lower/quantized.ts";

/** The operators of a domain that are taken apart or read as real numbers. */
export const loweredOperators = (domain: string): string[] =>
  [...dequantizedOperators(domain), ...(domain === "com.microsoft" ? unfusedOperators : [])].sort();

export interface Differentiable {
  /** The graph itself where nothing had to change. */
  readonly graph: Graph;
  /** What a reader of the gradients must know. */
  readonly notes: readonly string[];
}

/** Throws `model-unsupported` for a quantised form that is not known. */
export function differentiable(graph: Graph): Differentiable {
  const real = dequantized(unfused(graph));
  const single = inFloat32(real.graph);
  return { graph: single.graph, notes: [...real.notes, ...single.notes] };
}
