/** Pooling. Max pools send the gradient to the first maximum of each window, as PyTorch and TensorFlow do. */
import { float32 } from "../../core/tensor.ts";
import { int, ints, text } from "../../graph/builder.ts";
import { counting } from "../emitter.ts";
import type { Rule, RuleContext } from "../rule.ts";
import { spread } from "../spread.ts";
import { poolWindow, spatial, type Window } from "../window.ts";

export const GlobalAveragePool: Rule = (dy, context) => {
  const area = spatial(context, context.x()).reduce((a, b) => a * b, 1);
  return [context.emit.expandLike(context.emit.div(dy, area), context.x())];
};

/** A one-hot of the first maximum of each map. */
export const GlobalMaxPool: Rule = (dy, context) => {
  const { emit, x } = context;
  const area = spatial(context, x()).reduce((a, b) => a * b, 1);
  const first = emit.op("ArgMax", [emit.reshape(x(), [0, 0, -1])], { axis: int(2), keepdims: int(1) });
  const chosen = emit.op("Equal", [first, emit.constant(counting([1, 1, area], area))]);
  return [emit.reshapeLike(emit.where(chosen, emit.reshape(dy, [0, 0, 1]), 0), x())];
};

/**
 * The engine's own indices of the maxima, flat over the whole tensor, batch and channels included. Where no two windows
 * overlap they are unpooled, at half the cost of the scatter that adds up otherwise.
 */
export const MaxPool: Rule = (dy, { emit, x, node, fail, int: attribute, ints: list }) => {
  if (attribute("storage_order", 0) !== 0) fail("its indices count columns first (storage_order 1)");
  const [, indices] = emit.ops("MaxPool", [x()], 2, node.attributes);
  const kernel = list("kernel_shape", []);
  const one = kernel.map(() => 1);
  const [strides, dilations] = [list("strides", one), list("dilations", one)];
  if (kernel.every((k, i) => strides[i]! > dilations[i]! * (k - 1))) {
    // The sizes come from x; a kernel of 1 keeps the operator from working out others.
    const attributes = { kernel_shape: ints(one), strides: ints(one) };
    return [emit.op("MaxUnpool", [dy, indices!, emit.op("Shape", [x()])], attributes)];
  }
  const flat = emit.ints([-1]);
  const zeros = emit.op("Reshape", [emit.zerosLike(x()), flat]);
  const places = emit.op("Reshape", [indices!, flat]);
  const sums = emit.op("ScatterElements", [zeros, places, emit.op("Reshape", [dy, flat])], {
    axis: int(0),
    reduction: text("add"),
  });
  return [emit.reshapeLike(sums, x())];
};

export const AveragePool: Rule = (dy, context) => {
  const { emit, int: attribute } = context;
  const window = poolWindow(context);
  const area = window.kernel.reduce((a, b) => a * b, 1);
  const counts = windowCounts(window, attribute("count_include_pad", 0) === 1);
  const even = counts.every((n) => n === area);
  const shares = emit.constant(
    float32(
      [1, 1, ...window.out],
      counts.map((n) => 1 / n),
    ),
  );
  return [spread(context, even ? emit.div(dy, area) : emit.mul(dy, shares), window)];
};

/** How many places each window averages over: those inside the map, or inside the map and its padding. */
function windowCounts({ kernel, strides, dilations, pads, size, out }: Window, withPads: boolean): number[] {
  const d = kernel.length;
  const perAxis = out.map((n, i) =>
    Array.from({ length: n }, (_, o) => {
      const start = o * strides[i]! - pads[i]!;
      const [low, high] = withPads ? [-pads[i]!, size[i]! + pads[d + i]!] : [0, size[i]!];
      const taps = Array.from({ length: kernel[i]! }, (_, t) => start + t * dilations[i]!);
      return taps.filter((at) => at >= low && at < high).length;
    }),
  );
  return perAxis.reduce<number[]>((product, axis) => product.flatMap((a) => axis.map((b) => a * b)), [1]);
}

/** y = (sum |x|^p)^(1/p): dx = sign(x) |x|^(p-1) times the adjoint of the window's sum of dy y^(1-p). */
export const LpPool: Rule = (dy, context) => lp(dy, context, (share) => spread(context, share, poolWindow(context)));
export const GlobalLpPool: Rule = (dy, context) =>
  lp(dy, context, (share) => context.emit.expandLike(share, context.x()));

function lp(
  dy: string,
  { emit, x, y, int: attribute }: RuleContext,
  back: (share: string) => string,
): (string | null)[] {
  const p = attribute("p", 2);
  const safe = emit.op("Max", [y(), 1e-30]);
  const share = p === 1 ? dy : p === 2 ? emit.div(dy, safe) : emit.mul(dy, emit.op("Pow", [safe, 1 - p]));
  const signed = p === 2 ? x() : emit.mul(emit.sign(x()), emit.op("Pow", [emit.op("Abs", [x()]), p - 1]));
  return [emit.mul(back(emit.mul(share, emit.step(y()))), signed)];
}
