/**
 * Networks of half or double precision in float32: masks, steps and constants of a gradient are float32, and half
 * precision has too few digits for sums of gradients. Weights are cast by nodes, which the engine folds.
 */
import { ConvlensError } from "../../core/errors.ts";
import { type ElementType, float32, type Tensor, toFloat32 } from "../../core/tensor.ts";
import { builder, int } from "../../graph/builder.ts";
import { elementTypeNumbers, elementTypeOf } from "../../graph/element-types.ts";
import type { Attribute, Graph, Node } from "../../graph/graph.ts";
import { describeNode } from "../../graph/walk.ts";

const others: ReadonlySet<ElementType | undefined> = new Set(["float16", "bfloat16", "float64"]);
const single = elementTypeNumbers.float32;

/** The same graph where it is in float32 throughout (half-precision weights behind a Cast are fine). */
export function inFloat32(graph: Graph): { readonly graph: Graph; readonly notes: readonly string[] } {
  const b = builder({ ...graph, nodes: [] }, "float32/");
  const found = new Set<string>();
  const casts = new Map<string, string>();
  const typeOf = (value: string): ElementType | undefined =>
    graph.constants.get(value)?.type ?? (graph.inputs.includes(value) ? graph.values.get(value)?.type : undefined);
  /** A weight or an input as float32. */
  const cast = (value: string): string => {
    const type = typeOf(value);
    if (!others.has(type)) return value;
    found.add(String(type));
    const made = casts.get(value) ?? b.node("Cast", [value], { attributes: { to: int(single) } });
    casts.set(value, made);
    return made;
  };
  for (const node of graph.nodes) {
    const attributes = Object.fromEntries(
      Object.entries(node.attributes).map(([name, attribute]) => [name, wide(node, name, attribute)]),
    );
    for (const [name, attribute] of Object.entries(attributes))
      if (attribute !== node.attributes[name]) found.add(changedType(node.attributes[name]!));
    const inputs = node.op === "Cast" && node.domain === "" ? node.inputs : node.inputs.map(cast);
    b.nodes(node.op, inputs, { attributes, name: node.name, domain: node.domain, outputs: node.outputs });
  }
  if (found.size === 0) return { graph, notes: [] };
  const nested = graph.nodes.find((node) => Object.values(node.attributes).some(({ kind }) => kind === "graph"));
  if (nested)
    throw new ConvlensError(
      "model-unsupported",
      `no gradient passes ${describeNode(nested)}: the network computes in ${[...found].join(" and ")}, and graphs inside nodes are not brought to float32`,
    );
  const whole = b.finish(graph.outputs);
  const values = new Map(
    [...whole.values].map(([name, info]) => [
      name,
      graph.inputs.includes(name) || !others.has(info.type) ? info : { ...info, type: "float32" as const },
    ]),
  );
  const note = `the network's ${[...found].join(" and ")} numbers are computed in float32 for its gradients`;
  return { graph: { ...whole, values }, notes: [note] };
}

/** Attributes that name a type, or hold numbers of one. */
function wide({ op }: Node, name: string, attribute: Attribute): Attribute {
  if (attribute.kind === "tensor" && others.has(attribute.value.type))
    return { kind: "tensor", value: float32(attribute.value.dims, numbersOf(attribute.value)) };
  const namesType = name === "dtype" || (name === "to" && op === "Cast");
  return attribute.kind === "int" && namesType && others.has(elementTypeOf(attribute.value)) ? int(single) : attribute;
}
const numbersOf = (tensor: Tensor): Float32Array =>
  tensor.type === "float64" ? Float32Array.from(tensor.data as Float64Array) : toFloat32(tensor);

const changedType = (attribute: Attribute): string =>
  attribute.kind === "tensor" ? attribute.value.type : String(elementTypeOf(Number(attribute.value)));
