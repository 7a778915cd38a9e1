/** Matrix products. */
import { broadcast, type Call, fact, type Rule, wantRank } from "./rule.ts";

export const Gemm: Rule = (call) => {
  const [a, b] = [wantRank(call, 0, 2), wantRank(call, 1, 2)];
  if (a.length !== 2 || b.length !== 2) call.fail("Gemm takes matrices");
  const [m, k] = call.int("transA", 0) !== 0 ? [a[1]!, a[0]!] : [a[0]!, a[1]!];
  const [inner, n] = call.int("transB", 0) !== 0 ? [b[1]!, b[0]!] : [b[0]!, b[1]!];
  if (k !== inner) call.fail(`cannot multiply ${m}x${k} by ${inner}x${n}`);
  const c = call.optional(2);
  if (c && broadcast(call, [[m, n], c.shape]).join() !== [m, n].join())
    call.fail(`the third input [${c.shape.join(", ")}] does not broadcast to [${m}, ${n}]`);
  return [fact(call.input(0).type, [m, n])];
};

/** numpy.matmul: vectors become matrices, leading axes broadcast. */
function product(call: Call, a: number, b: number): number[] {
  const [left, right] = [wantRank(call, a, 1), wantRank(call, b, 1)];
  const [x, y] = [left.length === 1 ? [1, left[0]!] : left, right.length === 1 ? [right[0]!, 1] : right];
  if (x.at(-1) !== y.at(-2)) call.fail(`cannot multiply rows of ${x.at(-1)} by columns of ${y.at(-2)}`);
  const shape = broadcast(call, [x.slice(0, -2), y.slice(0, -2)]);
  if (left.length > 1) shape.push(x.at(-2)!);
  if (right.length > 1) shape.push(y.at(-1)!);
  return shape;
}

export const MatMul: Rule = (call) => [fact(call.input(0).type, product(call, 0, 1))];
export const MatMulInteger: Rule = (call) => [fact("int32", product(call, 0, 1))];
export const QLinearMatMul: Rule = (call) => [fact(call.input(7).type, product(call, 0, 3))];

export const Det: Rule = (call) => [fact(call.input(0).type, wantRank(call, 0, 2).slice(0, -2))];

export const Einsum: Rule = (call) => {
  const equation = call.text("equation", "").replace(/\s/g, "");
  const [left = "", right] = equation.split("->");
  const terms = left.split(",");
  if (terms.length !== call.node.inputs.length)
    call.fail(`"${equation}" has ${terms.length} terms for ${call.node.inputs.length} inputs`);
  const sizes = new Map<string, number>();
  const ellipses: number[][] = [];
  terms.forEach((term, i) => {
    const { shape } = call.input(i);
    const letters = term.replace("...", "");
    const free = shape.length - letters.length;
    if (free < 0 || (free > 0 && !term.includes("..."))) call.fail(`term "${term}" does not fit input ${i}`);
    const before = term.includes("...") ? term.indexOf("...") : term.length;
    ellipses.push(shape.slice(before, before + free));
    [...letters].forEach((letter, at) => {
      const n = shape[at < before ? at : at + free]!;
      const known = sizes.get(letter) ?? 1;
      if (known !== 1 && n !== 1 && known !== n) call.fail(`"${letter}" of "${equation}" is both ${known} and ${n}`);
      sizes.set(letter, Math.max(known, n));
    });
  });
  const dots = broadcast(call, ellipses);
  const counts = [...left.replace(/[.,]/g, "")];
  const once = [...new Set(counts)].filter((letter) => counts.indexOf(letter) === counts.lastIndexOf(letter));
  const target = right ?? `${left.includes("...") ? "..." : ""}${once.sort().join("")}`;
  const shape = target
    .split(/(\.\.\.)/)
    .flatMap((part) =>
      part === "..." ? dots : [...part].map((letter) => sizes.get(letter) ?? call.fail(`"${letter}" is in no term`)),
    );
  return [fact(call.input(0).type, shape)];
};
