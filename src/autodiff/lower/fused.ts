/** Operators that ONNX Runtime's own tools fuse, taken apart into standard ones. */
import { ConvlensError } from "../../core/errors.ts";
import { type Builder, builder, float, text } from "../../graph/builder.ts";
import type { Attribute, Graph, Node } from "../../graph/graph.ts";
import { describeNode } from "../../graph/walk.ts";

type Take = (node: Node, b: Builder) => void;
type Attributes = Readonly<Record<string, Attribute>>;

const end = (node: Node, b: Builder, op: string, inputs: readonly string[], attributes: Attributes = {}): void =>
  void b.node(op, inputs, { attributes, name: node.name, outputs: node.outputs });

const numberOf = (node: Node, name: string, otherwise: number): number => {
  const found = node.attributes[name];
  return found?.kind === "float" ? found.value : otherwise;
};

/** y = activation(op(x)); of a convolution also with a sum in between. */
const activated =
  (op: "Conv" | "Gemm"): Take =>
  (node, b) => {
    const kept = Object.entries(node.attributes).filter(([name]) => !name.startsWith("activation"));
    const sum = op === "Conv" ? (node.inputs[3] ?? "") : "";
    const product = b.node(op, node.inputs.slice(0, 3), { attributes: Object.fromEntries(kept) });
    const before = sum === "" ? product : b.node("Add", [product, sum]);
    const name = node.attributes.activation?.kind === "string" ? node.attributes.activation.value : "";
    const params = node.attributes.activation_params;
    const given = params?.kind === "floats" ? params.value : [];
    const alpha = op === "Gemm" ? numberOf(node, "activation_alpha", 0.01) : (given[0] ?? 0.01);
    if (name === "") end(node, b, "Identity", [before]);
    else if (name === "LeakyRelu") end(node, b, name, [before], { alpha: float(alpha) });
    else if (name === "Clip" && given.length === 2) end(node, b, name, [before, ...given.map((n) => b.scalar(n))]);
    else if (name === "HardSigmoid" && given.length === 2)
      end(node, b, name, [before], { alpha: float(given[0]!), beta: float(given[1]!) });
    else if (["Relu", "Sigmoid", "Tanh"].includes(name)) end(node, b, name, [before]);
    else
      throw new ConvlensError(
        "model-unsupported",
        `no gradient passes ${describeNode(node)}: its activation is "${name}"`,
      );
  };
const biased = (node: Node, b: Builder): string => {
  const [x = "", bias = ""] = node.inputs;
  return bias === "" ? x : b.node("Add", [x, bias]);
};

const parts: Readonly<Record<string, Take>> = {
  FusedConv: activated("Conv"),
  FusedGemm: activated("Gemm"),
  Gelu: (node, b) => end(node, b, "Gelu", node.inputs),
  BiasGelu: (node, b) => end(node, b, "Gelu", [biased(node, b)]),
  FastGelu: (node, b) => end(node, b, "Gelu", [biased(node, b)], { approximate: text("tanh") }),
  QuickGelu: (node, b) => {
    const [x = ""] = node.inputs;
    const scaled = b.node("Mul", [x, b.scalar(numberOf(node, "alpha", 1.702))]);
    end(node, b, "Mul", [x, b.node("Sigmoid", [scaled])]);
  },
};
/** Of domain com.microsoft. */
export const unfusedOperators: readonly string[] = Object.keys(parts);

const takeOf = ({ op, domain }: Node): Take | undefined =>
  domain === "com.microsoft" && Object.hasOwn(parts, op) ? parts[op] : undefined;

/** The same graph where nothing in it is fused. Throws `model-unsupported` for an activation that is not known. */
export function unfused(graph: Graph): Graph {
  if (!graph.nodes.some(takeOf)) return graph;
  const b = builder({ ...graph, nodes: [] }, "unfused/");
  for (const node of graph.nodes) {
    const take = takeOf(node);
    if (take) take(node, b);
    else b.nodes(node.op, node.inputs, { ...node });
  }
  return b.finish(graph.outputs);
}
