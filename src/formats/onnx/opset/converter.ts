/**
 * The machine behind opset conversion: walks a graph in order, hands each node that means something else at the IR's
 * opset to its rewrite, and keeps what rewrites may ask about a value (element type, shape as far as it is known).
 */
import { ConvlensError } from "../../../core/errors.ts";
import { float32, int64, type Tensor } from "../../../core/tensor.ts";
import type { Attribute, Constant, Graph, Node, Shape } from "../../../graph/graph.ts";
import { freshNames } from "../../../graph/names.ts";
import { describeNode } from "../../../graph/walk.ts";
import { type Known, learn, smallConstant } from "./knowledge.ts";

/** What a rewrite works with. Everything it adds must be legal at the IR's opset. */
export interface Rewriting {
  /** The opset the file is written in. */
  readonly opset: number;
  /** Adds the node that takes the old one's place, with its name and outputs. */
  add(node: Node): void;
  /** Adds a helper node and returns its output. */
  emit(op: string, inputs: readonly string[], attributes?: Readonly<Record<string, Attribute>>): string;
  constant(value: Tensor): string;
  /** A 1-D int64 constant. */
  ints(values: readonly number[]): string;
  /** A float scalar of the element type of `like`. */
  scalarLike(value: number, like: string): string;
  /** What is known of a value without inference: nothing, or its shape with `null` for open axes. */
  shape(value: string): Shape | undefined;
  /** The elements of a small constant in memory. */
  elements(value: string): readonly number[] | undefined;
  /** Tells the user what the graph does otherwise than its text suggests. */
  note(text: string): void;
  /** Gives up on the file: `model-unsupported`, naming the node. */
  refuse(node: Node, reason: string): never;
}

/** Turns one node of an older or newer opset into nodes of the IR's. */
export type Rewrite = (node: Node, to: Rewriting) => void;

/** Finds the rewrite of a node; `undefined` where the node means the same at the IR's opset. */
export type FindRewrite = (node: Node) => Rewrite | undefined;

/** Converts a graph and the graphs inside its nodes' attributes. */
export function convertGraph(graph: Graph, opset: number, find: FindRewrite): { graph: Graph; notes: string[] } {
  const job: Job = { opset, find, fresh: freshNames(namesOf(graph)), notes: [] };
  return { graph: convert(graph, job), notes: job.notes };
}

interface Job {
  readonly opset: number;
  readonly find: FindRewrite;
  /** Makes a name that neither the file nor a rewrite has. */
  readonly fresh: (wanted: string) => string;
  readonly notes: string[];
}

function convert(graph: Graph, job: Job, outer?: Known): Graph {
  const nodes: Node[] = [];
  const constants = new Map<string, Constant>(graph.constants);
  const known: Known = { values: new Map([...(outer?.values ?? []), ...graph.values]), constants };
  for (const [name, constant] of outer?.constants ?? []) known.values.set(name, infoOf(constant));
  for (const [name, constant] of constants) known.values.set(name, infoOf(constant));

  const push = (node: Node, origin: Node): void => {
    // Rewrites take the inputs and outputs that the operator must have; a damaged file may lack them.
    if ([...node.inputs, ...node.outputs].includes(undefined as never))
      throw new ConvlensError("model-invalid", `${describeNode(origin)} has too few inputs or outputs`);
    nodes.push(node);
    learn(node, known);
  };
  for (const original of graph.nodes) {
    const node = withInnerGraphs(original, (inner) => convert(inner, job, known));
    const rewrite = node.domain === "" ? job.find(node) : undefined;
    if (!rewrite) push(node, node);
    else
      rewrite(
        node,
        rewriting(node, job, (made) => push(made, node), constants, known),
      );
  }
  return { ...graph, nodes, constants };
}

function rewriting(
  origin: Node,
  { opset, fresh, notes }: Job,
  push: (node: Node) => void,
  constants: Map<string, Constant>,
  known: Known,
): Rewriting {
  const base = origin.outputs.find((output) => output !== "") ?? origin.op;
  const constant = (value: Tensor): string => {
    const name = fresh(`${base}/const`);
    constants.set(name, value);
    known.values.set(name, infoOf(value));
    return name;
  };
  const emit: Rewriting["emit"] = (op, inputs, attributes = {}) => {
    const output = fresh(`${base}/${op}`);
    push({ name: "", op, domain: "", inputs, outputs: [output], attributes });
    return output;
  };
  return {
    opset,
    add: push,
    emit,
    constant,
    ints: (values) => constant(int64([values.length], values)),
    scalarLike(value, like) {
      const scalar = constant(float32([], [value]));
      return known.values.get(like)?.type === "float32" ? scalar : emit("CastLike", [scalar, like]);
    },
    shape: (value) => known.values.get(value)?.shape,
    elements: (value) => smallConstant(value, known),
    note: (text) => void notes.push(text),
    refuse(node, reason) {
      throw new ConvlensError("model-unsupported", `${describeNode(node)} at opset ${opset}: ${reason}`);
    },
  };
}

const infoOf = ({ type, dims }: Constant): { type: Constant["type"]; shape: Shape } => ({ type, shape: dims });

function withInnerGraphs(node: Node, change: (graph: Graph) => Graph): Node {
  const attributes = Object.entries(node.attributes);
  if (!attributes.some(([, { kind }]) => kind === "graph")) return node;
  const changed = attributes.map(([name, attribute]): [string, Attribute] => [
    name,
    attribute.kind === "graph" ? { kind: "graph", value: change(attribute.value) } : attribute,
  ]);
  return { ...node, attributes: Object.fromEntries(changed) };
}

function namesOf(graph: Graph, names: Set<string> = new Set()): Set<string> {
  for (const name of [...graph.inputs, ...graph.constants.keys(), ...graph.values.keys()]) names.add(name);
  for (const node of graph.nodes) {
    for (const name of [...node.inputs, ...node.outputs]) names.add(name);
    for (const attribute of Object.values(node.attributes))
      if (attribute.kind === "graph") namesOf(attribute.value, names);
  }
  return names;
}
