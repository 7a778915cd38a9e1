/**
 * Inlines the functions that a model defines for itself: each call becomes the function's nodes, with fresh value
 * names and the call's attributes put where the function refers to them.
 */
import { clone, create } from "@bufbuild/protobuf";
import { ConvlensError } from "../../core/errors.ts";
import { freshNames } from "../../graph/names.ts";
import {
  type AttributeProto,
  AttributeProtoSchema,
  type FunctionProto,
  type GraphProto,
  type NodeProto,
  NodeProtoSchema,
} from "./onnx_pb.ts";

/** More nodes than any real model has: calls of calls can multiply without bound. */
const MOST_NODES = 200_000;

const domainOf = (domain: string): string => (domain === "ai.onnx" ? "" : domain);
const keyOf = (domain: string, name: string, overload: string): string => `${domainOf(domain)}::${name}::${overload}`;

/** Replaces every call in the graph and its subgraphs, in place. Throws `model-invalid` for functions that call themselves or grow without bound. */
export function inlineFunctions(graph: GraphProto, functions: readonly FunctionProto[], fileName: string): void {
  if (!functions.length) return;
  const table = new Map(functions.map((f) => [keyOf(f.domain, f.name, f.overload), f]));
  // One set for values and nodes: engines refuse a second node of the same name too.
  const taken = new Set<string>();
  collectNames(graph, taken);
  const fresh = freshNames(taken);
  let count = 0;

  const expand = (nodes: readonly NodeProto[], calls: readonly string[]): NodeProto[] =>
    nodes.flatMap((node) => {
      if (++count > MOST_NODES)
        throw new ConvlensError("model-invalid", `the functions of ${fileName} expand to over ${MOST_NODES} nodes`);
      for (const attribute of node.attribute)
        for (const inner of subgraphs(attribute)) inner.node = expand(inner.node, calls);
      const key = keyOf(node.domain, node.opType, node.overload);
      const called = table.get(key);
      if (!called) return [node];
      if (calls.includes(key) || calls.length > 100)
        throw new ConvlensError("model-invalid", `function "${called.name}" of ${fileName} calls itself`);
      return expand(body(node, called, fresh), [...calls, key]);
    });
  graph.node = expand(graph.node, []);
}

/** The function's nodes for one call. */
function body(call: NodeProto, called: FunctionProto, fresh: (name: string) => string): NodeProto[] {
  const prefix = call.name || call.output.find(Boolean) || called.name;
  const names = new Map<string, string>([["", ""]]);
  for (const [i, name] of called.input.entries()) names.set(name, call.input[i] ?? "");
  const copies: NodeProto[] = [];
  for (const [i, name] of called.output.entries()) {
    const wanted = call.output[i];
    const source = names.get(name);
    // An output that is an input too, or a second name of an output, is a plain copy.
    if (source !== undefined) {
      if (wanted) copies.push(create(NodeProtoSchema, { opType: "Identity", input: [source], output: [wanted] }));
    } else names.set(name, wanted || fresh(`${prefix}/${name}`));
  }
  const rename = (name: string): string => {
    const known = names.get(name);
    if (known !== undefined) return known;
    const made = fresh(`${prefix}/${name}`);
    names.set(name, made);
    return made;
  };
  const attributes = new Map<string, AttributeProto>(called.attributeProto.map((a) => [a.name, a]));
  for (const attribute of call.attribute) attributes.set(attribute.name, attribute);

  const renamed = (original: NodeProto): NodeProto => {
    const node = clone(NodeProtoSchema, original);
    node.name = fresh(`${prefix}/${node.name || node.opType}`);
    node.input = node.input.map(rename);
    node.output = node.output.map(rename);
    node.attribute = node.attribute.flatMap((attribute) => {
      if (!attribute.refAttrName) {
        for (const graph of subgraphs(attribute)) renameGraph(graph);
        return [attribute];
      }
      const given = attributes.get(attribute.refAttrName);
      if (!given) return [];
      const copy = clone(AttributeProtoSchema, given);
      copy.name = attribute.name;
      return [copy];
    });
    return node;
  };
  const renameGraph = (graph: GraphProto): void => {
    for (const value of [...graph.input, ...graph.output, ...graph.valueInfo, ...graph.initializer])
      value.name = rename(value.name);
    graph.node = graph.node.map(renamed);
  };
  return [...called.node.map(renamed), ...copies];
}

const subgraphs = (attribute: AttributeProto): GraphProto[] =>
  attribute.g ? [attribute.g, ...attribute.graphs] : attribute.graphs;

function collectNames(graph: GraphProto, names: Set<string>): void {
  for (const value of [...graph.input, ...graph.output, ...graph.valueInfo, ...graph.initializer])
    names.add(value.name);
  for (const node of graph.node) {
    names.add(node.name);
    for (const name of node.input) names.add(name);
    for (const name of node.output) names.add(name);
    for (const attribute of node.attribute) for (const inner of subgraphs(attribute)) collectNames(inner, names);
  }
}
