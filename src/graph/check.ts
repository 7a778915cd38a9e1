/** What a legal graph is, as a list of rules: run in tests after each rewrite, so that a bad one fails where it was made. */
import { ConvlensError } from "../core/errors.ts";
import { sizeOf } from "../core/tensor.ts";
import type { Graph } from "./graph.ts";
import { signatures } from "./operators.generated.ts";
import { describeNode, reads } from "./walk.ts";

/** A rule finds the first thing that is wrong; `outer` are the values that an inner graph may take from outside. */
type Legality = (graph: Graph, outer: ReadonlySet<string>) => string | undefined;

const none: ReadonlySet<string> = new Set();

const rules: readonly Legality[] = [
  function everyValueIsMadeOnce(graph) {
    const seen = new Set<string>();
    const made = [...graph.inputs, ...graph.constants.keys(), ...graph.nodes.flatMap((node) => node.outputs)];
    for (const value of made) {
      if (value !== "" && seen.has(value)) return `the value "${value}" is made twice`;
      seen.add(value);
    }
    return undefined;
  },
  function valuesAreMadeBeforeUse(graph, outer) {
    const known = new Set([...graph.inputs, ...graph.constants.keys(), ...outer]);
    for (const node of graph.nodes) {
      for (const value of reads(node))
        if (!known.has(value)) return `${describeNode(node)} reads "${value}", which nothing before it makes`;
      for (const output of node.outputs) known.add(output);
    }
    return undefined;
  },
  function outputsExist(graph, outer) {
    const made = new Set([...graph.inputs, ...graph.constants.keys(), ...outer]);
    for (const node of graph.nodes) for (const output of node.outputs) made.add(output);
    const absent = graph.outputs.find((value) => value === "" || !made.has(value));
    return absent === undefined ? undefined : `nothing makes the output "${absent}"`;
  },
  function inputsHaveTypes(graph, outer) {
    const untyped = outer === none ? graph.inputs.find((value) => !graph.values.has(value)) : undefined;
    return untyped === undefined ? undefined : `the input "${untyped}" has no type and shape`;
  },
  function nodesFitTheirOperator(graph) {
    for (const node of graph.nodes) {
      const signature = node.domain === "" && Object.hasOwn(signatures, node.op) ? signatures[node.op] : undefined;
      if (!signature) continue;
      const [fewestIn, mostIn, fewestOut, mostOut, kinds] = signature;
      const [takes, gives] = [node.inputs.length, node.outputs.length];
      if (takes < fewestIn || takes > mostIn)
        return `${describeNode(node)} has ${takes} inputs, expected ${span(fewestIn, mostIn)}`;
      if (gives < fewestOut || gives > mostOut)
        return `${describeNode(node)} has ${gives} outputs, expected ${span(fewestOut, mostOut)}`;
      for (const [name, { kind }] of Object.entries(node.attributes))
        if (kinds[name] !== kind)
          return `${describeNode(node)}: attribute "${name}" of kind ${kind}, expected ${kinds[name] ?? "no such attribute"}`;
    }
    return undefined;
  },
  function constantsHoldTheirShape(graph) {
    for (const [name, constant] of graph.constants)
      if (!("stored" in constant) && constant.data.length !== sizeOf(constant.dims))
        return `the constant "${name}" has ${constant.data.length} elements for the shape [${constant.dims.join(", ")}]`;
    return undefined;
  },
];

const span = (least: number, most: number): string =>
  least === most ? String(least) : most === Number.POSITIVE_INFINITY ? `${least} or more` : `${least} to ${most}`;

/** Throws `model-invalid` with the first rule that the graph, or a graph inside it, breaks. */
export function checkGraph(graph: Graph): void {
  check(graph, none);
}

function check(graph: Graph, outer: ReadonlySet<string>): void {
  for (const rule of rules) {
    const wrong = rule(graph, outer);
    if (wrong) throw new ConvlensError("model-invalid", `graph "${graph.name}": ${wrong}`);
  }
  const visible = new Set([...outer, ...graph.inputs, ...graph.constants.keys()]);
  for (const node of graph.nodes) {
    for (const attribute of Object.values(node.attributes))
      if (attribute.kind === "graph") check(attribute.value, visible);
    for (const output of node.outputs) visible.add(output);
  }
}
