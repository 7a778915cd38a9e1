/** Linear maps along one axis, and the adjoints of picking places along it. */
import { float32 } from "../core/tensor.ts";
import { int } from "../graph/builder.ts";
import type { Emitter } from "./emitter.ts";

/** Multiplies an axis by a matrix `[size, new size]`. */
export function matrixAlong(emit: Emitter, value: string, matrix: string, axis: number, rank: number): string {
  if (axis === rank - 1) return emit.matMul(value, matrix);
  const last = [...Array(rank).keys()].filter((i) => i !== axis).concat(axis);
  const moved = emit.matMul(emit.transpose(value, last), matrix);
  return emit.transpose(
    moved,
    last.map((_, i) => last.indexOf(i)),
  );
}

/** A matrix of this many numbers is still cheaper than addresses. */
const LARGEST_MATRIX = 2 ** 20;

/**
 * The adjoint of taking `places` along an axis of `size`: place p gets the sum of all that was taken there. Distinct
 * places are gathered back, a place that was not taken reading an added 0; others go through a matrix of 0 and 1.
 * `undefined` where that would be too large.
 */
export function putBack(
  emit: Emitter,
  value: string,
  places: readonly number[],
  { size, axis, rank }: { readonly size: number; readonly axis: number; readonly rank: number },
): string | undefined {
  if (new Set(places).size === places.length) {
    const rest = places.length < size ? 1 : 0;
    const end = Array.from({ length: 2 * rank }, (_, i) => (i === rank + axis ? rest : 0));
    const padded = rest > 0 ? emit.op("Pad", [value, emit.ints(end)]) : value;
    const from = new Map(places.map((place, i) => [place, i]));
    const back = Array.from({ length: size }, (_, i) => from.get(i) ?? places.length);
    return emit.op("Gather", [padded, emit.ints(back)], { axis: int(axis) });
  }
  if (places.length * size > LARGEST_MATRIX) return undefined;
  const matrix = new Float32Array(places.length * size);
  places.forEach((place, i) => {
    matrix[i * size + place] = 1;
  });
  return matrixAlong(emit, value, emit.constant(float32([places.length, size], matrix)), axis, rank);
}
