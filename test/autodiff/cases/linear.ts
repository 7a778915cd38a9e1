/** Cases of matrix products. */
import { float, int, text } from "../../../src/graph/builder.ts";
import { type GradientCase, linear, w, x } from "./case.ts";

const transposes = [0, 1].flatMap((a) => [0, 1].map((b) => ({ transA: int(a), transB: int(b) })));
const shape = (flip: number, ...dims: (number | "N")[]): (number | "N")[] => (flip === 1 ? dims.toReversed() : dims);

export const products: readonly GradientCase[] = [
  linear("Gemm", [x(["N", 6]), w([6, 3])]),
  linear("Gemm", [x(["N", 6]), w([6, 3]), w([3])], { alpha: float(0.5), beta: float(2) }),
  ...transposes.flatMap((attributes) => {
    const a = x(shape(attributes.transA.value as number, attributes.transA.value === 1 ? 2 : "N", 5));
    const b = x(shape(attributes.transB.value as number, 5, 3));
    return [
      linear("Gemm", [a, b], attributes),
      linear("Gemm", [a, b, x([3])], { ...attributes, alpha: float(0.5), beta: float(-2) }),
      linear("Gemm", [a, w(b.dims as number[])], { ...attributes, alpha: float(3) }),
    ];
  }),
  ...[["N", 3], ["N", 1], [1, 3], [1], []].map((c) =>
    linear("Gemm", [x(["N", 4]), w([4, 3]), x(c as (number | "N")[])], { beta: float(0.5) }),
  ),
  linear("MatMul", [x(["N", 6]), w([6, 3])]),
  // Large weights stand on the left.
  linear("MatMul", [x(["N", 2048]), w([2048, 2048])]),
  linear("Gemm", [x(["N", 2048]), w([2048, 2049])], { alpha: float(0.5) }),
  linear("Gemm", [x(["N", 2049]), w([2048, 2049])], { transB: int(1) }),
  linear("MatMul", [x(["N", 6]), x([6, 3])]),
  linear("MatMul", [w([3, 4]), x([4, 5])]),
  linear("MatMul", [x(["N", 4, 5]), w([5, 2])]),
  linear("MatMul", [x(["N", 4, 5]), x([5, 2])]),
  linear("MatMul", [x(["N", 4, 5]), x(["N", 5, 2])]),
  linear("MatMul", [x(["N", 2, 4, 5]), x(["N", 1, 5, 3])]),
  linear("MatMul", [x(["N", 2, 4, 5]), x([2, 5, 3])]),
  linear("MatMul", [x([2, 4, 5]), x(["N", 1, 5, 3])]),
  linear("MatMul", [x([4, 5]), x(["N", 2, 5, 3])]),
  linear("MatMul", [x(["N", 2, 4, 5]), x([5])]),
  linear("MatMul", [x(["N", 5]), x([5])]),
  linear("MatMul", [x([4]), x(["N", 4, 3])]),
  linear("MatMul", [x([4]), x([4, 3])]),
  linear("MatMul", [x([4]), x([4])]),
  linear("MatMul", [w([2, 3, 4]), x(["N", 1, 4, 2])]),

  linear("Einsum", [x(["N", 4, 7, 6]), w([6, 5])], { equation: text("nchw,wk->nkch") }),
  linear("Einsum", [x(["N", 4, 5]), x([5, 2])], { equation: text("nij,jk->nik") }),
  linear("Einsum", [x(["N", 4, 5]), x(["N", 3, 5])], { equation: text("bid, bjd -> bij") }),
  linear("Einsum", [x(["N", 4, 5]), x(["N", 4])], { equation: text("bid,bi->bd") }),
  linear("Einsum", [x(["N", 4, 5])], { equation: text("bid->bdi") }),
  linear("Einsum", [x(["N", 4, 5])], { equation: text("bid->bi") }),
  linear("Einsum", [x(["N", 6]), w([6, 2])], { equation: text("ij,jk") }),
];
