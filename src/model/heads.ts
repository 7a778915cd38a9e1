/** Heads: an output and the logits behind it. Outputs linked only by Softmax or Sigmoid are one head. */
import { ConvlensError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import type { Graph, Shape } from "../graph/graph.ts";
import { producers } from "../graph/walk.ts";

export type Activation = "softmax" | "sigmoid" | "log-softmax";

export interface Head {
  /** The output that carries its result: probabilities where the file gives them. */
  readonly output: string;
  /** The value of the logits: another output, an inner value, or the output itself. */
  readonly logits: string;
  /** What the graph makes of the logits. */
  readonly activation: Activation | undefined;
  /** All outputs of the file that belong to it. */
  readonly names: readonly string[];
}

const activations: Readonly<Record<string, Activation>> = {
  Softmax: "softmax",
  Sigmoid: "sigmoid",
  LogSoftmax: "log-softmax",
};

/** Operators that hand on the same numbers in another shape or type. */
const passing = new Set([
  "Identity",
  "Cast",
  "Flatten",
  "Reshape",
  "Squeeze",
  "Unsqueeze",
  "Dropout",
  "QuantizeLinear",
  "DequantizeLinear",
]);

/** The heads of a graph, in the order of its outputs. */
export function findHeads(graph: Graph): readonly Head[] {
  const made = producers(graph);
  const source = (value: string): string => {
    const node = made.get(value);
    return node?.domain === "" && passing.has(node.op) && node.outputs[0] === value ? source(node.inputs[0]!) : value;
  };
  const byLogits = new Map<
    string,
    { output: string; logits: string; activation: Activation | undefined; names: string[] }
  >();
  for (const output of graph.outputs) {
    const node = made.get(source(output));
    const activation = node?.domain === "" ? activations[node.op] : undefined;
    const logits = activation ? node!.inputs[0]! : output;
    const key = source(logits);
    const head = byLogits.get(key);
    if (!head) byLogits.set(key, { output, logits, activation, names: [output] });
    else {
      head.names.push(output);
      // Logits that the file gives as an output need no inner value.
      if (!activation) head.logits = output;
      else if (!head.activation) Object.assign(head, { output, activation });
    }
  }
  return [...byLogits.values()];
}

/** The head that is meant: the only one, or the one that `name` is an output of. Throws `option-invalid`, listing the heads. */
export function chooseHead(heads: readonly Head[], name: string | undefined, model: string): Head {
  const names = heads.flatMap((head) => head.names);
  const listed = heads.map((head) => `"${head.output}"`).join(", ");
  if (name !== undefined) {
    const head = heads.find((candidate) => candidate.names.includes(name));
    if (head) return head;
    throw new ConvlensError(
      "option-invalid",
      `"${model}" has no head "${name}": its heads are ${listed}.${didYouMean(name, names)}`,
    );
  }
  if (heads.length === 1) return heads[0]!;
  throw new ConvlensError(
    "option-invalid",
    `"${model}" has ${heads.length} independent outputs (${listed}): choose one with --head`,
  );
}

/** The number of classes of an output's shape, where it is known and a vector. */
export function classCount(shape: Shape | undefined): number | undefined {
  const axes = shape?.slice(1).filter((n) => n !== 1);
  if (!axes || axes.includes(null) || axes.length > 1) return undefined;
  return axes[0] ?? 1;
}
