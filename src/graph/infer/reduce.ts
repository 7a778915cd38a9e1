/** Reductions over axes, and the operators that rank along one. */
import { sizeOf } from "../../core/tensor.ts";
import { axisOf, type Call, fact, like, type Rule } from "./rule.ts";

/** The reduced axes: the second input, all when it is left out or empty, unless `noop_with_empty_axes`. */
function reducedAxes(call: Call, rank: number): Set<number> {
  const axes = call.optional(1) ? call.data(1) : [];
  if (axes.length > 0) return new Set(axes.map((axis) => axisOf(call, axis, rank)));
  return call.int("noop_with_empty_axes", 0) === 1 ? new Set() : new Set(Array.from({ length: rank }, (_, i) => i));
}

/** A reduction; `fold` computes it where all elements are known and reduced to one number. */
const reduce =
  (fold?: (values: readonly number[]) => number): Rule =>
  (call) => {
    const { type, shape, data } = call.input(0);
    const axes = reducedAxes(call, shape.length);
    const keep = call.int("keepdims", 1) === 1;
    const out = shape.flatMap((n, i) => (!axes.has(i) ? [n] : keep ? [1] : []));
    const whole = fold && data && data.length > 0 && sizeOf(out) === 1 && (axes.size > 0 || shape.length === 0);
    return [fact(type, out, whole ? [fold(data)] : undefined)];
  };

export const ReduceL1: Rule = reduce();
export const ReduceL2: Rule = reduce();
export const ReduceLogSum: Rule = reduce();
export const ReduceLogSumExp: Rule = reduce();
export const ReduceMax: Rule = reduce((values) => Math.max(...values));
export const ReduceMean: Rule = reduce();
export const ReduceMin: Rule = reduce((values) => Math.min(...values));
export const ReduceProd: Rule = reduce((values) => values.reduce((a, b) => a * b, 1));
export const ReduceSum: Rule = reduce((values) => values.reduce((a, b) => a + b, 0));
export const ReduceSumSquare: Rule = reduce();

const argument: Rule = (call) => {
  const { shape } = call.input(0);
  const axis = axisOf(call, call.int("axis", 0), shape.length);
  const keep = call.int("keepdims", 1) === 1;
  return [
    fact(
      "int64",
      shape.flatMap((n, i) => (i !== axis ? [n] : keep ? [1] : [])),
    ),
  ];
};
export const ArgMax: Rule = argument;
export const ArgMin: Rule = argument;

export const CumSum: Rule = like;

export const TopK: Rule = (call) => {
  const { type, shape } = call.input(0);
  const axis = axisOf(call, call.int("axis", -1), shape.length);
  const k = call.data(1)[0] ?? call.fail("K is empty");
  if (k > shape[axis]!) call.fail(`K = ${k} is more than the ${shape[axis]} elements of axis ${axis}`);
  const out = shape.map((n, i) => (i === axis ? k : n));
  return [fact(type, out), fact("int64", out)];
};
