/** Operators that pick, place or pad elements. */
import { axisOf, elementAt, elements, type Fact, fact, like, type Rule } from "./rule.ts";

export const Slice: Rule = (call) => {
  const { type, shape, data } = call.input(0);
  const [starts, ends] = [call.data(1), call.data(2)];
  const axes = call.optional(3) ? call.data(3) : starts.map((_, i) => i);
  const steps = call.optional(4) ? call.data(4) : starts.map(() => 1);
  if (ends.length !== starts.length || axes.length !== starts.length || steps.length !== starts.length)
    call.fail(`${starts.length} starts, ${ends.length} ends, ${axes.length} axes and ${steps.length} steps`);
  const out = [...shape];
  const first = shape.map(() => 0);
  const stride = shape.map(() => 1);
  starts.forEach((start, i) => {
    const axis = axisOf(call, axes[i]!, shape.length);
    const [size, step] = [shape[axis]!, steps[i]!];
    if (step === 0) call.fail("a step is 0");
    const clamp = (at: number, low: number, high: number): number =>
      Math.min(Math.max(at < 0 ? at + size : at, low), high);
    const from = step > 0 ? clamp(start, 0, size) : clamp(start, 0, size - 1);
    const to = step > 0 ? clamp(ends[i]!, 0, size) : clamp(ends[i]!, -1, size - 1);
    out[axis] = Math.max(0, Math.ceil((to - from) / step));
    first[axis] = from;
    stride[axis] = step;
  });
  const picked = (index: readonly number[]): number =>
    elementAt(
      data!,
      shape,
      index.map((n, axis) => first[axis]! + n * stride[axis]!),
    );
  return [fact(type, out, data && elements(out, picked))];
};

export const Gather: Rule = (call) => {
  const [x, indices] = [call.input(0), call.input(1)];
  const axis = axisOf(call, call.int("axis", 0), x.shape.length);
  const size = x.shape[axis]!;
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  for (const at of indices.data ?? [])
    if (at < -size || at >= size) call.fail(`index ${at} is outside axis ${axis} of size ${size}`);
  const depth = indices.shape.length;
  const gathered = (index: readonly number[]): number => {
    const at = elementAt(indices.data!, indices.shape, index.slice(axis, axis + depth));
    return elementAt(x.data!, x.shape, [
      ...index.slice(0, axis),
      at < 0 ? at + size : at,
      ...index.slice(axis + depth),
    ]);
  };
  return [fact(x.type, shape, x.data && indices.data ? elements(shape, gathered) : undefined)];
};

export const GatherElements: Rule = (call) => [fact(call.input(0).type, call.input(1).shape)];

export const GatherND: Rule = (call) => {
  const [x, indices] = [call.input(0), call.input(1)];
  const batch = call.int("batch_dims", 0);
  const depth = indices.shape.at(-1) ?? call.fail("the indices are a scalar");
  if (depth + batch > x.shape.length) call.fail(`indices of ${depth} places do not fit rank ${x.shape.length}`);
  return [fact(x.type, [...indices.shape.slice(0, -1), ...x.shape.slice(batch + depth)])];
};

export const ScatterElements: Rule = like;
export const ScatterND: Rule = like;
export const ReverseSequence: Rule = like;

export const OneHot: Rule = (call) => {
  const { shape } = call.input(0);
  const depth = call.data(1)[0] ?? call.fail("the depth is empty");
  const axis = axisOf(call, call.int("axis", -1), shape.length + 1);
  return [fact(call.input(2).type, [...shape.slice(0, axis), depth, ...shape.slice(axis)])];
};

export const Pad: Rule = (call) => {
  const { type, shape } = call.input(0);
  const pads = call.data(1);
  const axes = call.optional(3) ? call.data(3).map((axis) => axisOf(call, axis, shape.length)) : shape.map((_, i) => i);
  if (pads.length !== 2 * axes.length) call.fail(`${pads.length} pads for ${axes.length} axes`);
  const out = [...shape];
  axes.forEach((axis, i) => {
    out[axis] = out[axis]! + pads[i]! + pads[i + axes.length]!;
  });
  return [fact(type, out)];
};

export const CenterCropPad: Rule = (call) => {
  const { type, shape } = call.input(0);
  const target = call.data(1);
  const axes = (call.ints("axes") ?? shape.map((_, i) => i)).map((axis) => axisOf(call, axis, shape.length));
  if (target.length !== axes.length) call.fail(`${target.length} sizes for ${axes.length} axes`);
  return [fact(type, replaced(shape, axes, target))];
};

function replaced(shape: Fact["shape"], axes: readonly number[], sizes: readonly number[]): number[] {
  const out = [...shape];
  axes.forEach((axis, i) => {
    out[axis] = sizes[i]!;
  });
  return out;
}
