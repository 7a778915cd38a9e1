/** Adjoints of sliding windows: transposed convolutions, and the spreading of a number over its window. */
import { int, ints } from "../graph/builder.ts";
import type { Attribute } from "../graph/graph.ts";
import type { Emitter } from "./emitter.ts";
import type { RuleContext } from "./rule.ts";
import type { Window } from "./window.ts";

/** The attributes of a convolution over a window, all written out: some engines want them. */
export const windowAttributes = (
  { kernel, strides, dilations, pads }: Window,
  group: number,
): Readonly<Record<string, Attribute>> => ({
  kernel_shape: ints(kernel),
  strides: ints(strides),
  dilations: ints(dilations),
  pads: ints(pads),
  group: int(group),
});

/**
 * ConvTranspose with `rest` more pixels at the end of each axis, which may be more than the operator's own
 * `output_padding` allows (below the stride): those are padded with 0.
 */
export function transposed(
  emit: Emitter,
  dy: string,
  weight: string,
  window: Window,
  group: number,
  rest: readonly number[],
): string {
  const inside = rest.map((n, i) => Math.min(n, window.strides[i]! - 1));
  const attributes = { ...windowAttributes(window, group), output_padding: ints(inside) };
  const dx = emit.op("ConvTranspose", [dy, weight], attributes);
  const beyond = rest.map((n, i) => n - inside[i]!);
  if (beyond.every((n) => n === 0)) return dx;
  return emit.op("Pad", [dx, emit.ints([0, 0, ...beyond.map(() => 0), 0, 0, ...beyond])]);
}

/** The adjoint of summing over each window of a map: every number is added to all places of its window. */
export function spread(context: RuleContext, dy: string, window: Window): string {
  const { emit, x, fail } = context;
  const channels = emit.shape(x())[1];
  if (typeof channels !== "number") return fail("its number of channels is not known");
  const { kernel, strides, dilations, extent, pads, size, out } = window;
  const isTiling = kernel.every((k, i) => strides[i] === k && dilations[i] === 1 && size[i] === out[i]! * k);
  if (isTiling && pads.every((p) => p === 0)) return repeated(emit, dy, kernel, x());
  const ones = emit.op("Expand", [1, emit.ints([channels, 1, ...kernel])]);
  const d = kernel.length;
  if (strides.every((s) => s === 1) && restOf(window).every((n) => n === 0)) {
    const turned = { ...window, pads: [0, 1].flatMap((end) => extent.map((e, i) => e - 1 - pads[end * d + i]!)) };
    if (turned.pads.every((p) => p >= 0)) return emit.op("Conv", [dy, ones], windowAttributes(turned, channels));
  }
  return spreadBy(emit, dy, ones, window, channels);
}

/** Pixels behind the last window; negative where ceil_mode lets it reach beyond the padding. */
const restOf = ({ kernel, strides, extent, pads, size, out }: Window): number[] =>
  size.map((n, i) => n - ((out[i]! - 1) * strides[i]! + extent[i]! - pads[i]! - pads[kernel.length + i]!));

/** The same with a kernel that says what goes where in the window: a transposed convolution, cut where windows reach outside. */
export function spreadBy(emit: Emitter, dy: string, weight: string, window: Window, group: number): string {
  const { kernel, strides, extent, pads, size, out } = window;
  const rest = restOf(window);
  if (rest.every((n) => n >= 0)) return transposed(emit, dy, weight, window, group, rest);
  const bare = { ...window, pads: pads.map(() => 0) };
  const whole = transposed(
    emit,
    dy,
    weight,
    bare,
    group,
    kernel.map(() => 0),
  );
  const starts = pads.slice(0, kernel.length);
  const missing = size.map((n, i) => Math.max(0, starts[i]! + n - ((out[i]! - 1) * strides[i]! + extent[i]!)));
  const full = missing.some((n) => n > 0)
    ? emit.op("Pad", [whole, emit.ints([0, 0, ...missing.map(() => 0), 0, 0, ...missing])])
    : whole;
  const ends = starts.map((start, i) => start + size[i]!);
  return emit.op("Slice", [full, emit.ints(starts), emit.ints(ends), emit.ints(kernel.map((_, i) => i + 2))]);
}

/** Every number repeated over a tile of `kernel` pixels. */
function repeated(emit: Emitter, dy: string, kernel: readonly number[], like: string): string {
  const unit = emit.op("Unsqueeze", [dy, emit.ints(kernel.map((_, i) => 3 + 2 * i))]);
  const shape = emit.ints([1, 1, ...kernel.flatMap((k) => [1, k])]);
  return emit.reshapeLike(emit.op("Expand", [unit, shape]), like);
}
