/** Matrix products. */
import { sizeOf } from "../../core/tensor.ts";
import { int } from "../../graph/builder.ts";
import type { Dimension, Shape } from "../../graph/graph.ts";
import type { Emitter } from "../emitter.ts";
import { foldTo } from "../gradient.ts";
import type { Rule } from "../rule.ts";

const swapped = (rank: number): number[] => [...Array(rank - 2).keys(), rank - 1, rank - 2];
const flip = (emit: Emitter, matrix: string, rank: number): string => emit.transpose(matrix, swapped(rank));

/** dA = dY B^T, dB = A^T dY; leading axes broadcast, and vectors count as a row on the left, a column on the right. */
export const MatMul: Rule = (dy, { x, emit, wants, rank }) => {
  const [a, b, ra, rb] = [x(0), x(1), rank(0), rank(1)];
  if (ra === 2 && rb === 2 && !wants(1)) return [throughWeight(emit, dy, b, true), null];
  const column = (value: string): string => emit.op("Unsqueeze", [value, emit.ints([-1])]);
  const row = (value: string): string => emit.op("Unsqueeze", [value, emit.ints([-2])]);
  let [grad, left, right] = [dy, a, b];
  const [sa, sb]: [Shape, Shape] = [emit.shape(a), emit.shape(b)];
  if (rb === 1) [grad, right] = [column(grad), column(b)];
  if (ra === 1) [grad, left] = [row(grad), row(a)];
  const [wa, wb] = [Math.max(2, ra), Math.max(2, rb)];
  const most = Math.max(wa, wb);
  const leading = broadcastShape(sa.slice(0, -2), sb.slice(0, -2), most - 2);
  // A vector's gradient is a column or a row: the added axis is dropped before the leading ones are folded.
  const fold = (value: string, like: string, shape: Shape, added: number): string => {
    if (shape.length > 1) return foldTo(emit, value, [...leading, ...shape.slice(-2)], like);
    return foldTo(emit, emit.op("Squeeze", [value, emit.ints([added])]), [...leading, ...shape], like);
  };
  return [
    wants(0) ? fold(emit.matMul(grad, flip(emit, right, wb)), a, sa, -2) : null,
    wants(1) ? fold(emit.matMul(flip(emit, left, wa), grad), b, sb, -1) : null,
  ];
};

function broadcastShape(a: Shape, b: Shape, rank: number): Shape {
  return Array.from({ length: rank }, (_, i) => {
    const [n, m] = [
      a[i - rank + a.length] ?? (i - rank + a.length < 0 ? 1 : null),
      b[i - rank + b.length] ?? (i - rank + b.length < 0 ? 1 : null),
    ];
    return n === 1 ? m : n;
  });
}

/** Dense layers of this many weights (16 MB) decide how long it takes to make a session. */
const LARGE = 2 ** 22;

/**
 * dy times the weight of a dense layer, or times its transpose, which Gemm reads in place. The engine keeps a constant
 * right operand in a layout of its own, a second copy beside that of the forward pass: a large weight stands on the
 * left, which for VGG16 takes 0.7 s off the first gradient. What is transposed there are rows of numbers; with a third
 * axis, or else the engine would turn the product around again.
 */
function throughWeight(emit: Emitter, dy: string, weight: string, isTransposed: boolean): string {
  const dims = emit.base.constants.get(weight)?.dims;
  if (dims && sizeOf(dims) >= LARGE) {
    const first = emit.ints([0]);
    const turned = (rows: string): string =>
      emit.op("Squeeze", [emit.transpose(emit.op("Unsqueeze", [rows, first]), [0, 2, 1]), first]);
    return turned(emit.op("Gemm", [weight, turned(dy)], { transA: int(isTransposed ? 0 : 1) }));
  }
  return isTransposed ? emit.op("Gemm", [dy, weight], { transB: int(1) }) : emit.matMul(dy, weight);
}

/** Y = alpha A' B' + beta C */
export const Gemm: Rule = (dy, { x, y, emit, wants, float, int: attribute }) => {
  const scaled = (value: string, by: number): string => (by === 1 ? value : emit.mul(value, by));
  const [transA, transB] = [attribute("transA", 0) === 1, attribute("transB", 0) === 1];
  const turn = (value: string): string => emit.transpose(value, [1, 0]);
  const grad = scaled(dy, float("alpha", 1));
  const dA = (): string => {
    if (transA) return emit.matMul(transB ? turn(x(1)) : x(1), turn(grad));
    return throughWeight(emit, grad, x(1), !transB);
  };
  const dB = (): string => {
    const a = transA ? x(0) : turn(x(0));
    return transB ? turn(emit.matMul(a, grad)) : emit.matMul(a, grad);
  };
  return [
    wants(0) ? dA() : null,
    wants(1) ? dB() : null,
    wants(2) ? foldTo(emit, scaled(dy, float("beta", 1)), emit.shape(y()), x(2)) : null,
  ];
};

/** Each operand's gradient is the product of dy and the other operands, with the operand's own indices kept. */
export const Einsum: Rule = (dy, { node, emit, wants, text, fail }) => {
  const [left = "", right] = text("equation", "").replaceAll(" ", "").split("->");
  const terms = left.split(",");
  if (left.includes(".")) fail("its equation holds an ellipsis");
  if (terms.some((term) => new Set(term).size !== term.length)) fail("an operand repeats an index (a diagonal)");
  const count = (index: string): number => terms.filter((term) => term.includes(index)).length;
  // Without an arrow the output has the indices that stand once, by the alphabet.
  const output =
    right ??
    [...new Set(terms.join(""))]
      .filter((index) => count(index) === 1)
      .sort()
      .join("");
  const sizes = new Map<string, Dimension>();
  for (const [i, term] of terms.entries())
    for (const [axis, index] of [...term].entries()) {
      const size = emit.shape(node.inputs[i]!)[axis] ?? null;
      if (sizes.has(index) && sizes.get(index) !== size) fail(`its index ${index} has two sizes`);
      sizes.set(index, size);
    }
  return terms.map((term, i) => {
    if (!wants(i)) return null;
    const others = terms.filter((_, j) => j !== i);
    const operands = [dy, ...node.inputs.filter((_, j) => j !== i)];
    const has = (index: string): boolean => output.includes(index) || others.some((other) => other.includes(index));
    // An index that this operand alone has was summed up: each place gets the sum's gradient.
    const found = [...term].filter(has).join("");
    const equation = `${[output, ...others].join(",")}->${found}`;
    const part =
      equation === `${output}->${found}` && output === found
        ? dy
        : emit.op("Einsum", operands, { equation: { kind: "string", value: equation } });
    const lost = [...term].flatMap((index, axis) => (has(index) ? [] : [axis]));
    if (lost.length === 0) return part;
    return emit.expandLike(emit.op("Unsqueeze", [part, emit.ints(lost)]), node.inputs[i]!);
  });
};
