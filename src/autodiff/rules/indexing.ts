/**
 * Operators that pick numbers by position. Where no operator undoes the choice, the operator itself is run on the
 * positions, and every gradient is added where its number came from.
 */
import { int64 } from "../../core/tensor.ts";
import { int, text } from "../../graph/builder.ts";
import type { Attribute } from "../../graph/graph.ts";
import { putBack } from "../along.ts";
import type { Parts, Rule, RuleContext } from "../rule.ts";

function byAddress(dy: string, { x, emit, node }: RuleContext): Parts {
  // What a Pad fills in has no place among positions.
  const rest = node.inputs.slice(1).map((value, i) => (node.op === "Pad" && i === 1 ? "" : value));
  const shape = emit.op("Shape", [x()]);
  const count = emit.op("ReduceProd", [shape], { keepdims: int(0) });
  const [zero, one] = [emit.constant(int64([], [0])), emit.constant(int64([], [1]))];
  const positions = emit.op("Reshape", [emit.op("Range", [zero, count, one]), shape]);
  const taken = emit.op(node.op, [positions, ...rest], node.attributes);
  const flat = emit.ints([-1]);
  const zeros = emit.op("Reshape", [emit.zerosLike(x()), flat]);
  const sums = emit.op("ScatterElements", [zeros, emit.op("Reshape", [taken, flat]), emit.op("Reshape", [dy, flat])], {
    axis: int(0),
    reduction: text("add"),
  });
  return [emit.reshapeLike(sums, x()), ...rest.map(() => null)];
}

/** What was read at an index is added back there. */
export const GatherElements: Rule = (dy, { x, emit, axis }) => [
  emit.op("ScatterElements", [emit.zerosLike(x()), x(1), dy], { axis: int(axis("axis", 0)), reduction: text("add") }),
  null,
];
export const GatherND: Rule = (dy, context) => {
  const { x, emit, int: attribute } = context;
  if (attribute("batch_dims", 0) > 0) return byAddress(dy, context);
  return [emit.op("ScatterND", [emit.zerosLike(x()), x(1), dy], { reduction: text("add") }), null];
};

/** Known indices along an axis of known size are undone along that axis. */
export const Gather: Rule = (dy, context) => {
  const { x, emit, axis, rank } = context;
  const [at, indices] = [axis("axis", 0), emit.known(x(1))];
  const size = emit.shape(x())[at];
  if (!indices || typeof size !== "number") return byAddress(dy, context);
  const places = indices.map((i) => (i < 0 ? i + size : i));
  const dims = emit.dims(x());
  const row =
    emit.shape(x(1)).length === 1
      ? dy
      : emit.reshape(
          dy,
          dims.map((n, i) => (i === at ? places.length : n)),
        );
  const dx = putBack(emit, row, places, { size, axis: at, rank: rank() });
  return dx === undefined ? byAddress(dy, context) : [dx, null];
};

/** A slice with step 1 is undone by padding with 0, others along their axes. */
export const Slice: Rule = (dy, context) => {
  const { x, y, emit, rank } = context;
  const [starts, given] = [emit.known(x(1)), x(4) === "" ? [] : emit.known(x(4))];
  const axesGiven = x(3) === "" ? starts?.map((_, i) => i) : emit.known(x(3));
  const [from, to] = [emit.shape(x()), emit.shape(y())];
  const axes = axesGiven?.map((axis) => (axis < 0 ? axis + rank() : axis));
  if (!starts || !given || !axes || axes.some((axis) => typeof from[axis] !== "number")) return byAddress(dy, context);
  const before = from.map(() => 0);
  const after = from.map(() => 0);
  let dx = dy;
  for (const [i, axis] of axes.entries()) {
    const [size, count, step] = [from[axis]!, to[axis]!, given[i] ?? 1];
    const start = starts[i]! < 0 ? starts[i]! + size : starts[i]!;
    if (step === 1) {
      before[axis] = Math.min(size, Math.max(0, start));
      after[axis] = size - count - before[axis];
      continue;
    }
    const first = Math.min(step < 0 ? size - 1 : size, Math.max(step < 0 ? -1 : 0, start));
    const places = Array.from({ length: count }, (_, k) => first + k * step);
    dx = putBack(emit, dx, places, { size, axis, rank: rank() })!;
  }
  const pads = [...before, ...after];
  return [pads.some((n) => n > 0) ? emit.op("Pad", [dx, emit.ints(pads)]) : dx, null, null, null, null];
};

/** Zero padding is undone by cutting; reflected, repeated and wrapped edges add up where they came from. */
export const Pad: Rule = (dy, context) => {
  const { x, emit, text: attribute, rank, fail } = context;
  const mode = attribute("mode", "constant");
  const pads = emit.known(x(1)) ?? fail("its widths are not known before it runs");
  const axesGiven =
    x(3) === "" ? [...Array(rank()).keys()] : (emit.known(x(3)) ?? fail("its axes are not known before it runs"));
  const axes = axesGiven.map((axis) => (axis < 0 ? axis + rank() : axis));
  const ends = axes.map((axis, i) => ({ axis, begin: pads[i]!, end: pads[axes.length + i]! }));
  if (mode === "constant") {
    const all = new Array<number>(2 * rank()).fill(0);
    for (const { axis, begin, end } of ends) [all[axis], all[rank() + axis]] = [-begin, -end];
    return [emit.op("Pad", [dy, emit.ints(all)]), null, undefined, null];
  }
  let dx = dy;
  for (const { axis, begin, end } of ends) {
    if (begin === 0 && end === 0) continue;
    const size = emit.shape(x())[axis];
    if (typeof size !== "number" || begin < 0 || end < 0) return byAddress(dy, context);
    const places = Array.from({ length: begin + size + end }, (_, i) => mirrored(mode, i - begin, size));
    const back = putBack(emit, dx, places, { size, axis, rank: rank() });
    if (back === undefined) return byAddress(dy, context);
    dx = back;
  }
  return [dx, null, null, null];
};

/** The place inside 0 … size - 1 that a padded place repeats. */
function mirrored(mode: string, place: number, size: number): number {
  if (mode === "edge") return Math.min(size - 1, Math.max(0, place));
  if (mode === "wrap") return ((place % size) + size) % size;
  const period = Math.max(1, 2 * (size - 1));
  const at = ((place % period) + period) % period;
  return Math.min(at, period - at);
}

/** Updates written over the data cut its gradient there; added ones do not. */
const scattered =
  (gather: "GatherElements" | "GatherND"): Rule =>
  (dy, { x, emit, node, wants, text: attribute, fail, axis }) => {
    const reduction = attribute("reduction", "none");
    if (reduction !== "none" && reduction !== "add") fail(`its updates are joined by "${reduction}"`);
    const attributes: Record<string, Attribute> = gather === "GatherElements" ? { axis: int(axis("axis", 0)) } : {};
    const kept = (): string =>
      reduction === "add" ? dy : emit.op(node.op, [dy, x(1), emit.zerosLike(x(2))], node.attributes);
    return [wants(0) ? kept() : null, null, wants(2) ? emit.op(gather, [dy, x(1)], attributes) : null];
  };
export const ScatterElements: Rule = scattered("GatherElements");
export const ScatterND: Rule = scattered("GatherND");

/** The k best keep their gradients. */
export const TopK: Rule = (_, context) => {
  const { x, y, emit, dys, axis } = context;
  const dy = dys[0];
  if (!dy) return [null, null];
  const zeros = emit.zerosLike(x());
  return [
    emit.op("ScatterElements", [zeros, y(1) === "" ? context.fail("its indices are not kept") : y(1), dy], {
      axis: int(axis("axis", -1)),
    }),
    null,
  ];
};
