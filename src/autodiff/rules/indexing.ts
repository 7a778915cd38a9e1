/**
 * Operators that pick numbers by position. Where no operator undoes the choice, the operator itself is run on the
 * positions, and every gradient is added where its number came from.
 */
import { int64 } from "../../core/tensor.ts";
import { int } from "../../graph/builder.ts";
import type { Parts, Rule, RuleContext } from "../rule.ts";

function byAddress(dy: string, { x, emit, node }: RuleContext): Parts {
  const rest = node.inputs.slice(1);
  const shape = emit.op("Shape", [x()]);
  const count = emit.op("ReduceProd", [shape], { keepdims: int(0) });
  const [zero, one] = [emit.constant(int64([], [0])), emit.constant(int64([], [1]))];
  const positions = emit.op("Reshape", [emit.op("Range", [zero, count, one]), shape]);
  // A padding value has no place in int64; what it pads with carries no gradient anyway.
  const taken = emit.op(node.op, [positions, ...rest], node.attributes);
  const flat = emit.ints([-1]);
  const zeros = emit.op("Reshape", [emit.zerosLike(x()), flat]);
  const sums = emit.op("ScatterElements", [zeros, emit.op("Reshape", [taken, flat]), emit.op("Reshape", [dy, flat])], {
    axis: int(0),
    reduction: { kind: "string", value: "add" },
  });
  return [emit.reshapeLike(sums, x()), ...rest.map(() => null)];
}

export { byAddress as GatherElements, byAddress as GatherND };

/** Distinct known indices are undone by gathering back; a place that was not taken reads an added 0. */
export const Gather: Rule = (dy, context) => {
  const { x, emit, axis, rank } = context;
  const [at, indices] = [axis("axis", 0), emit.known(x(1))];
  const size = emit.shape(x())[at];
  if (!indices || typeof size !== "number" || emit.shape(x(1)).length > 1) return byAddress(dy, context);
  const places = indices.map((i) => (i < 0 ? i + size : i));
  if (new Set(places).size !== places.length) return byAddress(dy, context);
  const back = Array.from({ length: size }, (_, i) => {
    const from = places.indexOf(i);
    return from < 0 ? places.length : from;
  });
  const whole = emit.shape(x(1)).length === 0 ? emit.op("Unsqueeze", [dy, emit.ints([at])]) : dy;
  const end = Array.from({ length: 2 * rank() }, (_, i) => (i === rank() + at ? 1 : 0));
  const padded = places.length < size ? emit.op("Pad", [whole, emit.ints(end)]) : whole;
  return [emit.op("Gather", [padded, emit.ints(back)], { axis: int(at) }), null];
};

/** A slice with step 1 is undone by padding with 0; others go by address. */
export const Slice: Rule = (dy, context) => {
  const { x, y, emit, rank } = context;
  const [starts, steps] = [emit.known(x(1)), x(4) === "" ? [] : emit.known(x(4))];
  const axesGiven = x(3) === "" ? starts?.map((_, i) => i) : emit.known(x(3));
  const [from, to] = [emit.shape(x()), emit.shape(y())];
  const axes = axesGiven?.map((axis) => (axis < 0 ? axis + rank() : axis));
  const isOpen = !axes || axes.some((axis) => from[axis] === null);
  if (!starts || !steps || isOpen || steps.some((step) => step !== 1)) return byAddress(dy, context);
  const before = from.map(() => 0);
  axes.forEach((axis, i) => {
    const [start, size] = [starts[i]!, from[axis] ?? 0];
    before[axis] = Math.min(size, Math.max(0, start < 0 ? start + size : start));
  });
  const after = from.map((n, i) => (n ?? 0) - (to[i] ?? 0) - before[i]!);
  return [emit.op("Pad", [dy, emit.ints([...before, ...after])]), null, null, null, null];
};

/** Zero padding is undone by cutting; reflected and repeated edges add up where they came from. */
export const Pad: Rule = (dy, context) => {
  const { x, emit, text, rank, fail } = context;
  if (text("mode", "constant") !== "constant") return byAddress(dy, context);
  const pads = emit.known(x(1)) ?? fail("its widths are not known before it runs");
  const axesGiven =
    x(3) === "" ? [...Array(rank()).keys()] : (emit.known(x(3)) ?? fail("its axes are not known before it runs"));
  const all = new Array<number>(2 * rank()).fill(0);
  axesGiven.forEach((given, i) => {
    const axis = given < 0 ? given + rank() : given;
    all[axis] = -pads[i]!;
    all[rank() + axis] = -pads[axesGiven.length + i]!;
  });
  return [emit.op("Pad", [dy, emit.ints(all)]), null, null, null];
};

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
