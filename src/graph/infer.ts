/**
 * Static shape inference: the element type and shape of every value at given input shapes, with the integer
 * arithmetic that exporters leave in graphs (Shape, Gather, Concat …) computed on the way.
 */
import { ConvlensError } from "../core/errors.ts";
import { type ElementType, sizeOf, toFloat32 } from "../core/tensor.ts";
import { type Constant, type Dimension, type Graph, MOST_AXES, type Node, type ValueInfo } from "./graph.ts";
import * as rules from "./infer/index.ts";
import * as microsoft from "./infer/microsoft.ts";
import { callOf, type Fact, type Rule, smallSize, unknown } from "./infer/rule.ts";
import { describeNode } from "./walk.ts";

/** No tensor of a network that runs on one machine has more elements. */
const mostElements = 2 ** 33;

/** By domain. Files name domains, operators and inputs: names that every object inherits are none of ours. */
const ruleTables: ReadonlyMap<string, Readonly<Record<string, Rule>>> = new Map([
  ["", { ...rules }],
  ["com.microsoft", { ...microsoft }],
]);

/** The operators of domain ai.onnx (or another one) that have a shape rule. */
export const inferredOperators = (domain = ""): string[] => Object.keys(ruleTables.get(domain) ?? {}).sort();

/**
 * Types and shapes of all values that can be told without running the graph. `feeds` gives the shape of each input,
 * batch included; an input that is not named there counts with its declared shape where that has no free axis. Values
 * behind operators without a rule, or behind data-dependent shapes, are absent. Throws `model-invalid` where shapes
 * contradict each other, and `model-unsupported` where one is larger than any machine holds.
 */
export function inferShapes(
  graph: Graph,
  feeds: Readonly<Record<string, readonly number[]>>,
): Map<string, { type: ElementType; shape: number[] }> {
  const facts = inferFacts(graph, feeds);
  return new Map([...facts].map(([name, { type, shape }]) => [name, { type, shape: [...shape] }]));
}

function inferFacts(graph: Graph, feeds: Readonly<Record<string, readonly number[]>>): Facts {
  const facts = initialFacts(graph, feeds);
  for (const node of graph.nodes) inferNode(node, facts);
  return facts;
}

/** What is known of values by name, added to node by node. */
export type Facts = Map<string, Fact>;

/** What is known before any node: constants, and inputs as `inferShapes` takes them. */
export function initialFacts(graph: Graph, feeds: Readonly<Record<string, readonly number[]>>): Facts {
  const facts: Facts = new Map();
  for (const [name, constant] of graph.constants) facts.set(name, constantFact(name, constant));
  for (const name of graph.inputs) {
    const info = graph.values.get(name);
    const shape = Object.hasOwn(feeds, name) ? feeds[name] : info?.shape;
    if (info && shape?.every((n) => n !== null)) facts.set(name, { type: info.type, shape: shape as number[] });
  }
  return facts;
}

/** Adds what follows for a node's outputs. Throws as `inferShapes` does. */
export function inferNode(node: Node, facts: Facts): void {
  const table = ruleTables.get(node.domain);
  const rule = table && Object.hasOwn(table, node.op) ? table[node.op] : undefined;
  if (!rule) return;
  const outputs = outputsOf(rule, node, facts);
  node.outputs.forEach((name, i) => {
    const fact = outputs[i];
    if (name === "" || !fact) return;
    checkSize(node, name, fact.shape);
    facts.set(name, fact);
  });
}

function outputsOf(rule: Rule, node: Node, facts: ReadonlyMap<string, Fact>): readonly (Fact | undefined)[] {
  try {
    return rule(callOf(node, facts));
  } catch (error) {
    if (error === unknown) return [];
    throw error;
  }
}

function checkSize(node: Node, name: string, shape: readonly number[]): void {
  const of = `${describeNode(node)}: output "${name}" would have`;
  if (shape.length > MOST_AXES)
    throw new ConvlensError("model-unsupported", `${of} ${shape.length} axes, expected at most ${MOST_AXES}`);
  if (!shape.every((n) => Number.isSafeInteger(n) && n >= 0))
    throw new ConvlensError("model-invalid", `${of} the shape [${shape.join(", ")}], expected sizes of 0 or more`);
  if (sizeOf(shape) > mostElements)
    throw new ConvlensError(
      "model-unsupported",
      `${of} the shape [${shape.join(", ")}], ${sizeOf(shape)} elements, more than any machine holds`,
    );
}

/** What is known of a constant: its elements where they are few and in memory. Throws `model-invalid`. */
export function constantFact(name: string, constant: Constant): Fact {
  const { type, dims } = constant;
  if (!dims.every((n) => Number.isSafeInteger(n) && n >= 0))
    throw new ConvlensError("model-invalid", `the weight "${name}" has the impossible shape [${dims.join(", ")}]`);
  if ("stored" in constant || constant.data.length > smallSize) return { type, shape: dims };
  const data = /float16$/.test(type) ? toFloat32(constant) : (constant.data as ArrayLike<number | bigint>);
  return { type, shape: dims, data: Array.from(data, Number) };
}

/**
 * The graph with `values` filled in. `dims` gives the shape of each input, batch included (the batch number itself
 * does not matter where the batch is free): the inputs whose axis 0 the graph declares as `null` are inferred at batch
 * 2 and at batch 3, and axes that differ between the two are marked `null`. Where no input has a free batch, or
 * the network cannot take more than the given batch, shapes are inferred once, as given. Values that cannot be
 * inferred keep what the graph declares of them, or stay absent. Throws `model-invalid`.
 */
export const withShapes = (graph: Graph, dims: Readonly<Record<string, readonly number[]>>): Graph =>
  withFacts(graph, dims).graph;

/**
 * The same, and the elements of small values (up to 4096) that no input's numbers change, whatever the batch: weights,
 * and what shape arithmetic gives.
 */
export function withFacts(
  graph: Graph,
  dims: Readonly<Record<string, readonly number[]>>,
): { readonly graph: Graph; readonly known: ReadonlyMap<string, readonly number[]> } {
  const free = graph.inputs.filter(
    (name) => graph.values.get(name)?.shape[0] === null && Object.hasOwn(dims, name) && dims[name]!.length > 0,
  );
  const values = new Map<string, ValueInfo>(graph.values);
  const known = new Map<string, readonly number[]>();
  const at = (batch: number): Map<string, Fact> =>
    inferFacts(graph, {
      ...dims,
      ...Object.fromEntries(free.map((name) => [name, [batch, ...dims[name]!.slice(1)]])),
    });
  const pair = free.length > 0 ? refusedAsUndefined(() => [at(2), at(3)] as const) : undefined;
  const first = pair?.[0] ?? inferFacts(graph, dims);
  for (const [name, { type, shape, data }] of first) {
    const other = pair ? pair[1].get(name) : first.get(name);
    if (other?.shape.length !== shape.length) continue;
    values.set(name, { type, shape: shape.map((n, i): Dimension => (n === other.shape[i] ? n : null)) });
    const same = data?.length === other.data?.length && data?.every((x, i) => Object.is(x, other.data?.[i]));
    if (data && same) known.set(name, data);
  }
  for (const name of graph.constants.keys()) if (!graph.values.has(name)) values.delete(name);
  return { graph: { ...graph, values }, known };
}

/** Networks that declare a free batch but hold a fixed one (a Reshape to [1, -1]) contradict themselves at 2. */
function refusedAsUndefined<T>(infer: () => T): T | undefined {
  try {
    return infer();
  } catch (error) {
    if (error instanceof ConvlensError && error.code === "model-invalid") return undefined;
    throw error;
  }
}
