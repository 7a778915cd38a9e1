/** Which inputs of an operator are its weights, what they are called (as PyTorch does), and reading them. */
import type { Layer } from "../core/layers.ts";
import { float32, type Tensor, toFloat32, transpose } from "../core/tensor.ts";
import { constantOf } from "../graph/constants.ts";
import type { Graph, Node } from "../graph/graph.ts";

export interface WeightSlot {
  readonly name: string;
  /** Position among the node's inputs. */
  readonly input: number;
  /** Statistics that training gathers rather than learns are false. */
  readonly trainable: boolean;
  /** For quantised weights: the inputs that hold scale and zero point. */
  readonly scale?: number;
  readonly zero?: number;
}

const slot = (name: string, input: number, trainable = true): WeightSlot => ({ name, input, trainable });
const weightAndBias = [slot("weight", 1), slot("bias", 2)];
const operand = [slot("weight", 0), slot("weight", 1)];

const slots: Readonly<Record<string, readonly WeightSlot[]>> = {
  Conv: weightAndBias,
  ConvTranspose: weightAndBias,
  Gemm: weightAndBias,
  InstanceNormalization: weightAndBias,
  LayerNormalization: weightAndBias,
  GroupNormalization: weightAndBias,
  BatchNormalization: [...weightAndBias, slot("running_mean", 3, false), slot("running_var", 4, false)],
  PRelu: [slot("weight", 1)],
  MatMul: operand,
  Add: operand,
  Sub: operand,
  Mul: operand,
  Div: operand,
  ConvInteger: [{ ...slot("weight", 1), zero: 3 }],
  MatMulInteger: [{ ...slot("weight", 1), zero: 3 }],
  QLinearConv: [{ ...slot("weight", 3), scale: 4, zero: 5 }, slot("bias", 8)],
  QLinearMatMul: [{ ...slot("weight", 3), scale: 4, zero: 5 }],
  QGemm: [{ ...slot("weight", 3), scale: 4, zero: 5 }, slot("bias", 6)],
};

/** The weight slots of a node. Operands of plain arithmetic count only where they are no single number (x + 3, x * 0.5). */
export const weightSlots = (node: Node): readonly WeightSlot[] =>
  Object.hasOwn(slots, node.op) ? slots[node.op]! : [];

export const isArithmetic = (node: Node): boolean => slots[node.op] === operand && node.op !== "MatMul";

/** A layer's weight in its framework's shape, as float32; quantised ones are expanded. `undefined` where it is no constant. */
export async function readWeight(graph: Graph, layer: Layer, name: string): Promise<Tensor<"float32"> | undefined> {
  const weight = layer.weights.find((candidate) => candidate.name === name);
  const stored = weight && (await constantOf(graph, weight.value));
  if (!weight || !stored) return undefined;
  const expanded = float32(stored.dims, toFloat32(await dequantized(graph, weight.value, stored)));
  return weight.axes ? transpose(expanded, weight.axes) : expanded;
}

/** `(q - zero) * scale`, scale and zero point one number or one for each output channel. */
async function dequantized(graph: Graph, value: string, stored: Tensor): Promise<Tensor> {
  const node = graph.nodes.find((candidate) => weightSlots(candidate).some((s) => candidate.inputs[s.input] === value));
  const slot = node && weightSlots(node).find((s) => node.inputs[s.input] === value);
  if (!node || slot?.scale === undefined) return stored;
  const scale = await constantOf(graph, node.inputs[slot.scale] ?? "");
  const zero = await constantOf(graph, node.inputs[slot.zero ?? -1] ?? "");
  if (!scale) return stored;
  const [scales, zeros] = [toFloat32(scale), zero ? toFloat32(zero) : new Float32Array(1)];
  const numbers = Float32Array.from(toFloat32(stored));
  // Convolutions have output channels first, matrices last.
  const isMatrix = stored.dims.length === 2;
  const channels = isMatrix ? stored.dims[1]! : (stored.dims[0] ?? 1);
  const inner = numbers.length / channels;
  for (let i = 0; i < numbers.length; i++) {
    const channel = isMatrix ? i % channels : Math.floor(i / inner);
    numbers[i] = (numbers[i]! - zeros[zeros.length > 1 ? channel : 0]!) * scales[scales.length > 1 ? channel : 0]!;
  }
  return float32(stored.dims, numbers);
}
