/**
 * Puts one branch in the place of an `If` whose condition is the same for every picture: a constant, or what follows
 * from sizes that the file fixes. PyTorch writes squeeze(1) so where it lost track of the size.
 */
import { ConvlensError } from "../../core/errors.ts";
import type { Attribute, Constant, Graph, Node, ValueInfo } from "../../graph/graph.ts";
import { constantFact, type Facts, inferNode, initialFacts } from "../../graph/infer.ts";
import { freshNames } from "../../graph/names.ts";
import { reads } from "../../graph/walk.ts";

/**
 * Sizes that stand for every size of an open axis. One and a few pictures, and many, so that nothing that rounds can
 * look fixed; other axes are tried at sizes of usual pictures.
 */
const probes = [
  { batch: 1, other: 224 },
  { batch: 2, other: 256 },
  { batch: 3, other: 299 },
  { batch: 61, other: 320 },
] as const;

const isIf = (node: Node): boolean => node.op === "If" && node.domain === "";

/** Operators that only move numbers: what they give at one place is what they were given at another. */
const moves =
  /^(Shape|Identity|Cast|Gather|Slice|Squeeze|Unsqueeze|Reshape|Flatten|Concat|Split|Transpose|Expand|Tile)$/;

/**
 * The graph, of the IR's opset, without the `If` nodes whose branch is known, and without what only their conditions
 * and other branches needed. An `If` stays where its condition depends on numbers or on an open size. Inner values keep
 * their names where these are free.
 */
export function inlineBranches(graph: Graph): Graph {
  if (!graph.nodes.some(isIf)) return graph;
  const taken = new Set<string>();
  collectNames(graph, taken);
  const fresh = freshNames(taken);
  const used = new Set([
    ...graph.inputs,
    ...graph.constants.keys(),
    ...graph.nodes.flatMap((node) => [node.name, ...node.outputs]),
  ]);
  const unique = (name: string): string => {
    const own = used.has(name) ? fresh(name) : name;
    used.add(own);
    return own;
  };

  const nodes: Node[] = [];
  const constants = new Map<string, Constant>(graph.constants);
  const values = new Map<string, ValueInfo>(graph.values);
  const known = settledValues(graph);
  const inlined: Node[] = [];

  const visit = (node: Node): void => {
    const branch = isIf(node) ? chosenBranch(node, known.elements(node.inputs[0] ?? "")) : undefined;
    if (!branch) {
      nodes.push(node);
      known.learn(node);
      return;
    }
    inlined.push(node);
    for (const inner of place(node, branch)) visit(inner);
  };

  /** The branch's nodes under names of the outer graph; its constants and what it says of values are taken over. */
  const place = (node: Node, branch: Graph): Node[] => {
    const names = new Map<string, string>();
    const made = new Set(branch.nodes.flatMap((inner) => inner.outputs));
    const copies: Node[] = [];
    for (const [i, name] of branch.outputs.entries()) {
      const wanted = node.outputs[i];
      if (!wanted) continue;
      if (made.has(name) && !names.has(name)) names.set(name, wanted);
      else copies.push({ name: "", op: "Identity", domain: "", inputs: [name], outputs: [wanted], attributes: {} });
    }
    nameAll(branch, names, unique);
    for (const [name, constant] of branch.constants) {
      constants.set(names.get(name)!, constant);
      known.hold(names.get(name)!, constant);
    }
    for (const [name, info] of branch.values) {
      const own = names.get(name);
      if (own !== undefined && !values.has(own)) values.set(own, info);
    }
    const placed = [...branch.nodes, ...copies].map((inner) => renamed(inner, names, unique));
    // The layer that a reader of the file knows by the name of the If.
    const last = placed.findLast((inner) => inner.outputs.includes(node.outputs[0] ?? ""));
    return placed.map((inner) => (inner === last && inner.name === "" ? { ...inner, name: node.name } : inner));
  };

  for (const node of graph.nodes) visit(node);
  if (inlined.length === 0) return graph;
  return withoutDead(graph, { ...graph, nodes, constants, values });
}

/** The branch that the condition's one element chooses; `undefined` where that is not known or no plain branch. */
function chosenBranch(node: Node, condition: readonly number[] | undefined): Graph | undefined {
  if (condition?.length !== 1) return undefined;
  const branch = node.attributes[condition[0] !== 0 ? "then_branch" : "else_branch"];
  const fits =
    branch?.kind === "graph" && branch.value.inputs.length === 0 && branch.value.outputs.length === node.outputs.length;
  return fits ? branch.value : undefined;
}

/** What holds for every picture and size, learned node by node. */
interface Settled {
  /** The elements of a value that no input's numbers and no open size change. */
  elements(value: string): readonly number[] | undefined;
  hold(name: string, constant: Constant): void;
  learn(node: Node): void;
}

/**
 * Inference at several sizes side by side. That the elements of a value agree is not enough: N == 8 is false at all of
 * them. They must have been moved there from constants and axes, or be computed from values that are settled themselves.
 */
function settledValues(graph: Graph): Settled {
  const isOpen = graph.inputs.some((name) => graph.values.get(name)?.shape.includes(null));
  let tries = (isOpen ? probes : probes.slice(0, 1)).map((probe) => initialFacts(graph, feedsOf(graph, probe)));
  /** Values whose elements, one by one, are constants or the sizes of axes. */
  const moved = new Set<string>();
  const settled = new Map<string, readonly number[]>();

  const hold = (name: string, constant: Constant): void => {
    const fact = constantFact(name, constant);
    moved.add(name);
    if (fact.data) settled.set(name, fact.data);
    for (const facts of tries) facts.set(name, fact);
  };
  for (const [name, constant] of graph.constants) hold(name, constant);
  const agreed = (value: string): readonly number[] | undefined => {
    const [first, ...rest] = tries.map((facts) => facts.get(value)?.data);
    return first && rest.every((data) => data?.length === first.length && data.every((x, i) => Object.is(x, first[i])))
      ? first
      : undefined;
  };
  return {
    elements: (value) => settled.get(value),
    hold,
    learn(node) {
      tries = learned(node, tries);
      const inputs = node.inputs.filter((value) => value !== "");
      const isMoved =
        node.domain === "" && moves.test(node.op) && (node.op === "Shape" || inputs.every((v) => moved.has(v)));
      const isSettled = inputs.every((value) => settled.has(value));
      if (isMoved || isSettled)
        for (const output of node.outputs) {
          if (isMoved) moved.add(output);
          const data = agreed(output);
          if (data) settled.set(output, data);
        }
    },
  };
}

/** Shapes that contradict each other end the learning: what follows is not known. */
function learned(node: Node, tries: Facts[]): Facts[] {
  try {
    for (const facts of tries) inferNode(node, facts);
    return tries;
  } catch (error) {
    if (error instanceof ConvlensError) return [];
    throw error;
  }
}

function feedsOf(graph: Graph, { batch, other }: (typeof probes)[number]): Record<string, number[]> {
  return Object.fromEntries(
    graph.inputs.flatMap((name) => {
      const shape = graph.values.get(name)?.shape;
      return shape ? [[name, shape.map((n, axis) => n ?? (axis === 0 ? batch : other))]] : [];
    }),
  );
}

/** Gives every value that a branch defines a name; those in `names` have theirs. */
function nameAll(branch: Graph, names: Map<string, string>, unique: (name: string) => string): void {
  for (const name of [...branch.inputs, ...branch.constants.keys(), ...branch.nodes.flatMap((node) => node.outputs)])
    if (name !== "" && !names.has(name)) names.set(name, unique(name));
}

function renamed(node: Node, names: ReadonlyMap<string, string>, unique: (name: string) => string): Node {
  const rename = (name: string): string => names.get(name) ?? name;
  const attributes = Object.entries(node.attributes).map(([key, attribute]): [string, Attribute] => [
    key,
    attribute.kind === "graph" ? { kind: "graph", value: renamedGraph(attribute.value, names, unique) } : attribute,
  ]);
  return {
    ...node,
    name: node.name && unique(node.name),
    inputs: node.inputs.map(rename),
    outputs: node.outputs.map(rename),
    attributes: Object.fromEntries(attributes),
  };
}

/** A graph within a branch: its own values get names of their own, so that none hides an outer one. */
function renamedGraph(graph: Graph, outer: ReadonlyMap<string, string>, unique: (name: string) => string): Graph {
  const own = new Map<string, string>();
  nameAll(graph, own, unique);
  const names = new Map([...outer, ...own]);
  const rename = (name: string): string => names.get(name) ?? name;
  const keys = <T>(map: ReadonlyMap<string, T>): Map<string, T> =>
    new Map([...map].map(([name, value]) => [rename(name), value]));
  return {
    name: graph.name,
    inputs: graph.inputs.map(rename),
    outputs: graph.outputs.map(rename),
    nodes: graph.nodes.map((node) => renamed(node, names, unique)),
    constants: keys(graph.constants),
    values: keys(graph.values),
  };
}

/** Leaves out nodes and constants of `graph` that something read in the graph `before`, and nothing reads any more. */
function withoutDead(before: Graph, graph: Graph): Graph {
  const wasRead = new Set(before.nodes.flatMap(reads));
  const isRead = new Set(graph.outputs);
  const kept: Node[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((value) => isRead.has(value)) && node.outputs.some((value) => wasRead.has(value))) continue;
    kept.push(node);
    for (const value of reads(node)) isRead.add(value);
  }
  const constants = new Map([...graph.constants].filter(([name]) => isRead.has(name) || !wasRead.has(name)));
  return { ...graph, nodes: kept.reverse(), constants };
}

function collectNames(graph: Graph, names: Set<string>): void {
  for (const name of [...graph.inputs, ...graph.constants.keys()]) names.add(name);
  for (const node of graph.nodes) {
    for (const name of [node.name, ...node.inputs, ...node.outputs]) names.add(name);
    for (const attribute of Object.values(node.attributes))
      if (attribute.kind === "graph") collectNames(attribute.value, names);
  }
}
