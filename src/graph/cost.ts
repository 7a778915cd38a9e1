/** What a node costs: multiply-adds, the field's measure of a network's work. */
import { sizeOf } from "../core/tensor.ts";
import type { Node } from "./graph.ts";

/** Positions of the value and the weight among the inputs. */
const convolutions: Readonly<Record<string, readonly [number, number]>> = {
  Conv: [0, 1],
  ConvInteger: [0, 1],
  ConvTranspose: [0, 1],
  DeformConv: [0, 1],
  FusedConv: [0, 1],
  QLinearConv: [0, 3],
};
const products: Readonly<Record<string, readonly [number, number]>> = {
  Gemm: [0, 1],
  MatMul: [0, 1],
  MatMulInteger: [0, 1],
  QLinearMatMul: [0, 3],
};

/**
 * Multiply-adds of one node: kernel places times input channels of a group for each output element of a convolution
 * (each input element of a transposed one), the inner length for each element of a matrix product; 0 for all other
 * operators. `shapes` holds concrete shapes, weights' too, as `inferShapes` gives them; where one is absent the answer is 0.
 */
export function multiplyAdds(node: Node, shapes: ReadonlyMap<string, { readonly shape: readonly number[] }>): number {
  const at = (index: number): readonly number[] | undefined => shapes.get(node.inputs[index] ?? "")?.shape;
  const output = shapes.get(node.outputs[0] ?? "")?.shape;
  const convolution = Object.hasOwn(convolutions, node.op) ? convolutions[node.op] : undefined;
  if (convolution) {
    const [input, weight] = [at(convolution[0]), at(convolution[1])];
    const elements = node.op === "ConvTranspose" ? input : output;
    return elements && weight ? sizeOf(elements) * sizeOf(weight.slice(1)) : 0;
  }
  const product = Object.hasOwn(products, node.op) ? products[node.op] : undefined;
  const left = product && at(product[0]);
  if (!left || !output) return 0;
  const transposed = node.op === "Gemm" && node.attributes.transA?.value === 1;
  return sizeOf(output) * ((transposed ? left.at(-2) : left.at(-1)) ?? 1);
}
