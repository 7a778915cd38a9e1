/** What came after the IR's opset and a few older nodes can say. */
import { int } from "../../../../graph/builder.ts";
import type { Node } from "../../../../graph/graph.ts";
import type { Rewrite, Rewriting } from "../converter.ts";
import { numberOf, without } from "./inputs.ts";

/** An attribute whose other values the older operator cannot express. */
const drop =
  (name: string, allowed: (value: unknown) => boolean): Rewrite =>
  (node, to) => {
    const value = node.attributes[name]?.value;
    if (value !== undefined && !allowed(value)) to.refuse(node, `${name} = ${value} has no older form`);
    to.add({ ...node, attributes: without(node, name) });
  };

/** Only matters for 8-bit power-of-two floats, which no reader gives. */
export const dropRoundMode: Rewrite = drop("round_mode", () => true);
export const dropPrecision: Rewrite = drop("precision", (value) => value === 0);
/** The precision of sums in half-float ranges. */
export const dropStashType: Rewrite = drop("stash_type", () => true);

/** `output_dtype` other than the scale's type is a Cast behind. */
export const dequantizeLinear: Rewrite = (node, to) => {
  const type = numberOf(node, "output_dtype", 0);
  const attributes = without(node, "output_dtype");
  if (type === 0) return to.add({ ...node, attributes });
  const plain = to.emit("DequantizeLinear", node.inputs, attributes);
  to.add({ ...node, op: "Cast", inputs: [plain], attributes: { to: int(type) } });
};

/** sigmoid(alpha * x), the factor of Swish. */
function swishGate(node: Node, to: Rewriting): string {
  const x = node.inputs[0]!;
  const alpha = numberOf(node, "alpha", 1);
  return to.emit("Sigmoid", [alpha === 1 ? x : to.emit("Mul", [x, to.scalarLike(alpha, x)])]);
}
export const swish: Rewrite = (node, to) =>
  to.add({ ...node, op: "Mul", inputs: [node.inputs[0]!, swishGate(node, to)], attributes: {} });
export const swiGlu: Rewrite = (node, to) => {
  const gated = to.emit("Mul", [node.inputs[0]!, swishGate(node, to)]);
  to.add({ ...node, op: "Mul", inputs: [gated, node.inputs[1]!], attributes: {} });
};

/** No few older nodes say it. */
export const refused: Rewrite = (node, to) =>
  to.refuse(node, `${node.op} is newer than opset 21 and has no short equivalent there; export at opset 21 or older`);
export const refusedScan: Rewrite = (node, to) =>
  to.refuse(node, "a Scan of opset 8 runs over batches; export at opset 9 or newer");
