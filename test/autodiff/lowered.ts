/** What the suites of networks that are no plain float32 ones share: they say what the engine says of the same graph. */
import { expect } from "vitest";
import { emitter, GRADIENT } from "../../src/autodiff/emitter.ts";
import { gradient } from "../../src/autodiff/gradient.ts";
import { rules } from "../../src/autodiff/rules/index.ts";
import { arrayTypes, type ElementType, float32, type Tensor, toFloat32 } from "../../src/core/tensor.ts";
import { checkGraph } from "../../src/graph/check.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { withFacts } from "../../src/graph/infer.ts";
import { seeded } from "../random.ts";
import { sessionOf } from "./check.ts";

/** A number of a type. */
export const one = (type: ElementType, value: number): Tensor => {
  const data = new arrayTypes[type](1);
  data[0] = value;
  return { type, dims: [], data };
};

/** Numbers that are codes times scale exactly, some beyond the range that the codes reach. */
export const exact = (batch: number, reach = 100): Tensor<"float32"> => {
  const next = seeded(batch);
  const data = Float32Array.from({ length: batch * 100 }, () => Math.round((2 * next() - 1) * reach) / 32);
  return float32([batch, 4, 5, 5], data);
};

/** The graph's first output. */
export async function run(graph: Graph, feeds: Readonly<Record<string, Tensor>>): Promise<Float32Array> {
  const session = await sessionOf(graph);
  const tensor = (await session.run(feeds))[graph.outputs[0]!]!;
  await session.release();
  return toFloat32(tensor);
}
export const farthest = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
};

/** The gradient of sum(y cos(i)) by x, and the graph it stands in. */
export function slopeGraph(graph: Graph, dims: readonly number[]): Graph {
  const facts = withFacts(graph, { x: dims });
  const emit = emitter(facts, GRADIENT);
  const [found] = gradient(
    emit,
    { of: graph.outputs[0]!, seed: emit.expandLike(1, graph.outputs[0]!), wrt: ["x"] },
    rules,
  );
  const whole = emit.finish([found!]);
  checkGraph(whole);
  return whole;
}
