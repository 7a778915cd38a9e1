/** The reference page of operators: which have a shape rule, a gradient, a rule of their own in an overlay, a WebGPU kernel. */
import { loweredOperators } from "../../src/autodiff/differentiable.ts";
import { deeplift } from "../../src/autodiff/overlays/deeplift.ts";
import { lrp } from "../../src/autodiff/overlays/lrp.ts";
import { deconvnet, guided } from "../../src/autodiff/overlays/rectifiers.ts";
import { webgpu } from "../../src/autodiff/overlays/webgpu.ts";
import type { RuleTable } from "../../src/autodiff/rule.ts";
import { rules } from "../../src/autodiff/rules/index.ts";
import { inferredOperators } from "../../src/graph/infer.ts";

/** What a rule leaves out. Where a network needs it, its node is refused by name. */
const limits: Readonly<Record<string, string>> = {
  BatchNormalization: "at inference",
  Cast: "between floats, and from an input of whole numbers",
  CastLike: "between floats",
  Concat: "not along the free batch axis",
  Conv: "by the input and the bias; the kernel must not depend on what is differentiated by",
  ConvTranspose: "by the input and the bias; the kernel must not depend on what is differentiated by",
  Dropout: "at inference",
  Einsum: "without ellipsis, diagonals and broadcast indices",
  LRN: "with a known number of channels",
  LayerNormalization: "of its first output",
  MaxPool: "the first of equal maxima; not with storage_order 1",
  Pad: "not by the padding value",
  Resize: "not tf_crop_and_resize; not the batch axis",
  ScatterElements: "reduction none and add",
  ScatterND: "reduction none and add",
  Tile: "with constant repeats",
  TopK: "of the values",
};

/** ONNX Runtime 1.30's WebGPU engine: these run on the CPU in between, at the cost of copies. */
const onCpu = new Set([
  ...["Sign", "Sum", "Mean", "OneHot", "LogSoftmax", "Selu", "Celu", "Softsign", "Round", "LRN", "Dropout"],
  ...["ConstantOfShape", "EyeLike", "SpaceToDepth", "Col2Im", "MaxUnpool", "NonZero", "Mod", "RandomNormal"],
  ...["GroupNormalization", "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "Shape", "Size", "Range"],
]);

const overlays: readonly (readonly [string, RuleTable])[] = [
  ["guided", guided.lay(rules)],
  ["deconvnet", deconvnet.lay(rules)],
  ["deeplift", deeplift.lay(rules)],
  ["lrp", lrp({ rule: "composite", epsilon: 1e-6, gamma: 0.25, alpha: 2 }).lay(rules)],
  ["webgpu", webgpu.lay(rules)],
];

type Table = (head: readonly string[], rows: readonly (readonly string[])[]) => string;

export function operatorsPage(table: Table): string {
  const inferred = new Set(inferredOperators());
  const lowered = new Set(loweredOperators(""));
  const all = [...new Set([...inferred, ...Object.keys(rules), ...lowered])].sort();
  const gradientOf = (op: string): string => {
    if (lowered.has(op)) return "as real numbers";
    const rule = Object.hasOwn(rules, op) ? rules[op] : undefined;
    if (!rule) return "";
    // One rule serves all operators through which nothing flows.
    if (rule === rules.Shape) return "nothing flows";
    return limits[op] ? `yes, ${limits[op]}` : "yes";
  };
  const changedBy = (op: string): string =>
    overlays.flatMap(([name, changed]) => (changed[op] && changed[op] !== rules[op] ? [name] : [])).join(", ");
  const microsoft = [...new Set([...inferredOperators("com.microsoft"), ...loweredOperators("com.microsoft")])].sort();
  return `# Operators

Any operator of ONNX runs: ONNX Runtime's CPU engine (in Node) and WASM engine (in browsers) know them all. This page says which Convlens looks into: *shapes* are told without running the network, and a *gradient* passes. A method that needs a gradient refuses a network by the name of the node where none passes, and only if that node lies between the score and what is explained.

- *as real numbers*: quantised operators are replaced before differentiation by the real numbers that they stand for, weights and activations, without their rounding; a note says so. Networks in float16, bfloat16 or double are differentiated in float32.
- *nothing flows*: comparisons, positions, shapes and steps have no slope.
- A gradient's own nodes are not differentiated again: their masks have no slope.
- *Overlays* change the way a gradient passes: those of methods (\`guided\`, \`deconvnet\`, \`deeplift\`, \`lrp\`), and \`webgpu\`, the rules for that engine.
- *WebGPU*: operators marked *on the CPU* run there in between, at the cost of copies; the others have a kernel, or fall back as the engine decides.

${table(
  ["Operator", "Shapes", "Gradient", "Overlays", "WebGPU"],
  all.map((op) => [
    `\`${op}\``,
    inferred.has(op) ? "yes" : "",
    gradientOf(op),
    changedBy(op),
    op === "MaxPool" ? "without indices" : onCpu.has(op) ? "on the CPU" : "",
  ]),
)}

## com.microsoft

What ONNX Runtime's own tools write. Quantized forms are read as real numbers, fused ones taken apart.

${table(
  ["Operator", "Shapes", "Gradient"],
  microsoft.map((op) => [
    `\`${op}\``,
    inferredOperators("com.microsoft").includes(op) ? "yes" : "",
    !loweredOperators("com.microsoft").includes(op) ? "" : /^Q[LG]/.test(op) ? "as real numbers" : "taken apart",
  ]),
)}
`;
}
