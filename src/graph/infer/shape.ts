/** Operators that rearrange axes and sizes. Small integer tensors keep their known elements. */
import { sizeOf } from "../../core/tensor.ts";
import { axisOf, broadcast, elementAt, elements, fact, type Rule, spread } from "./rule.ts";

export const Shape: Rule = (call) => {
  const { shape } = call.input(0);
  const clamp = (at: number): number => Math.min(Math.max(at < 0 ? at + shape.length : at, 0), shape.length);
  const dims = shape.slice(clamp(call.int("start", 0)), clamp(call.int("end", shape.length)));
  return [fact("int64", [dims.length], dims)];
};
export const Size: Rule = (call) => [fact("int64", [], [sizeOf(call.input(0).shape)])];

export const Reshape: Rule = (call) => {
  const { type, shape, data } = call.input(0);
  const target = call.data(1);
  const copies = call.int("allowzero", 0) === 0;
  const dims = target.map((n, i) =>
    n === 0 && copies
      ? (shape[i] ?? call.fail(`the target [${target.join(", ")}] copies an axis beyond the input`))
      : n,
  );
  const open = dims.indexOf(-1);
  const rest = sizeOf(dims.filter((n) => n !== -1));
  const size = sizeOf(shape);
  if (open !== dims.lastIndexOf(-1) || dims.some((n) => n < -1))
    call.fail(`the target [${target.join(", ")}] is no shape`);
  if (open >= 0 ? rest === 0 || size % rest !== 0 : size !== rest)
    call.fail(`${size} elements cannot take the shape [${target.join(", ")}]`);
  return [
    fact(
      type,
      dims.map((n) => (n === -1 ? size / rest : n)),
      data,
    ),
  ];
};

export const Flatten: Rule = (call) => {
  const { type, shape, data } = call.input(0);
  const given = call.int("axis", 1);
  const axis = given < 0 ? given + shape.length : given;
  if (axis < 0 || axis > shape.length) call.fail(`axis ${given} is outside rank ${shape.length}`);
  return [fact(type, [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis))], data)];
};

export const Squeeze: Rule = (call) => {
  const { type, shape, data } = call.input(0);
  const axes = call.optional(1) ? call.data(1).map((axis) => axisOf(call, axis, shape.length)) : undefined;
  for (const axis of axes ?? []) if (shape[axis] !== 1) call.fail(`cannot squeeze axis ${axis} of size ${shape[axis]}`);
  return [
    fact(
      type,
      shape.filter((n, i) => (axes ? !axes.includes(i) : n !== 1)),
      data,
    ),
  ];
};

export const Unsqueeze: Rule = (call) => {
  const { type, shape, data } = call.input(0);
  const rank = shape.length + call.data(1).length;
  const axes = new Set(call.data(1).map((axis) => axisOf(call, axis, rank)));
  if (axes.size + shape.length !== rank) call.fail("an axis is named twice");
  const rest = [...shape];
  return [
    fact(
      type,
      Array.from({ length: rank }, (_, i) => (axes.has(i) ? 1 : rest.shift()!)),
      data,
    ),
  ];
};

export const Transpose: Rule = (call) => {
  const { type, shape, data } = call.input(0);
  const perm = call.ints("perm") ?? shape.map((_, i) => shape.length - 1 - i);
  if ([...perm].sort((a, b) => a - b).join() !== shape.map((_, i) => i).join())
    call.fail(`perm = [${perm.join(", ")}] does not order ${shape.length} axes`);
  const out = perm.map((axis) => shape[axis]!);
  const turned =
    data &&
    elements(out, (index) => {
      const from: number[] = [];
      perm.forEach((axis, i) => {
        from[axis] = index[i]!;
      });
      return elementAt(data, shape, from);
    });
  return [fact(type, out, turned)];
};

export const Concat: Rule = (call) => {
  const parts = call.node.inputs.map((_, i) => call.input(i));
  const first = call.input(0);
  const axis = axisOf(call, call.int("axis", 0), first.shape.length);
  for (const { shape } of parts)
    if (shape.length !== first.shape.length || shape.some((n, i) => i !== axis && n !== first.shape[i]))
      call.fail(`inputs differ outside axis ${axis}`);
  const joint = parts.reduce((total, { shape }) => total + shape[axis]!, 0);
  const out = first.shape.map((n, i) => (i === axis ? joint : n));
  const known = parts.every((part) => part.data !== undefined);
  const joined = (index: readonly number[]): number => {
    let along = index[axis]!;
    let part = 0;
    while (along >= parts[part]!.shape[axis]!) along -= parts[part++]!.shape[axis]!;
    return elementAt(parts[part]!.data!, parts[part]!.shape, index.with(axis, along));
  };
  return [fact(first.type, out, known ? elements(out, joined) : undefined)];
};

export const Split: Rule = (call) => {
  const { type, shape, data } = call.input(0);
  const axis = axisOf(call, call.int("axis", 0), shape.length);
  const total = shape[axis]!;
  const count = call.node.outputs.length;
  const part = Math.ceil(total / call.int("num_outputs", count));
  const sizes = call.optional(1)
    ? call.data(1)
    : Array.from({ length: count }, (_, i) => Math.min(part, total - part * i));
  if (sizes.length !== count || sizes.some((n) => n < 0) || sizes.reduce((a, b) => a + b, 0) !== total)
    call.fail(`cannot split ${total} places of axis ${axis} into [${sizes.join(", ")}] for ${count} outputs`);
  let at = 0;
  return sizes.map((n) => {
    const from = at;
    at += n;
    const out = shape.with(axis, n);
    const piece = data && elements(out, (index) => elementAt(data, shape, index.with(axis, index[axis]! + from)));
    return fact(type, out, piece);
  });
};

export const Expand: Rule = (call) => {
  const x = call.input(0);
  const shape = broadcast(call, [x.shape, call.data(1)]);
  return [fact(x.type, shape, spread(x, shape))];
};

export const Tile: Rule = (call) => {
  const { type, shape, data } = call.input(0);
  const repeats = call.data(1);
  if (repeats.length !== shape.length) call.fail(`${repeats.length} repeats for ${shape.length} axes`);
  const out = shape.map((n, i) => n * repeats[i]!);
  const repeated = (index: readonly number[]): number =>
    elementAt(
      data!,
      shape,
      index.map((n, i) => n % shape[i]!),
    );
  return [fact(type, out, data && elements(out, repeated))];
};
