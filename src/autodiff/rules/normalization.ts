/** Normalizations and softmax: each is written through the centred value and the usual three-term formula. */
import { float32 } from "../../core/tensor.ts";
import { int, ints } from "../../graph/builder.ts";
import type { Emitter } from "../emitter.ts";
import type { Rule } from "../rule.ts";

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
/** A value per channel, shaped to multiply maps of a rank. */
const perChannel = (emit: Emitter, value: string, rank: number): string =>
  rank === 2 ? value : emit.reshape(value, [-1, ...range(2, rank).map(() => 1)]);

/** At inference y = scale (x - mean) / sqrt(var + eps) + bias. */
export const BatchNormalization: Rule = (dy, { x, emit, rank, float: attribute, int: flag, fail }) => {
  if (flag("training_mode", 0) === 1) fail("it is in training mode");
  const gain = emit.div(x(1), emit.op("Sqrt", [emit.add(x(4), attribute("epsilon", 1e-5))]));
  return [emit.mul(dy, perChannel(emit, gain, rank()))];
};

/** dx = r (g - mean(g) - h mean(g h)), with h = r (x - mean x), r = 1/sqrt(var + eps), means over `axes`. */
function whitened(emit: Emitter, g: string, x: string, axes: readonly number[], epsilon: number): string {
  const centred = emit.sub(x, emit.mean(x, axes));
  const variance = emit.mean(emit.mul(centred, centred), axes);
  const r = emit.op("Reciprocal", [emit.op("Sqrt", [emit.add(variance, epsilon)])]);
  const h = emit.mul(centred, r);
  return emit.mul(r, emit.sub(emit.sub(g, emit.mean(g, axes)), emit.mul(h, emit.mean(emit.mul(g, h), axes))));
}
export const LayerNormalization: Rule = (dy, { x, emit, rank, axis, float: attribute }) => {
  const axes = range(axis("axis", -1), rank());
  return [whitened(emit, emit.mul(dy, x(1)), x(), axes, attribute("epsilon", 1e-5))];
};
export const InstanceNormalization: Rule = (dy, { x, emit, rank, float: attribute }) => {
  const g = emit.mul(dy, perChannel(emit, x(1), rank()));
  return [whitened(emit, g, x(), range(2, rank()), attribute("epsilon", 1e-5))];
};
/** Over [batch, groups, the rest]. */
export const GroupNormalization: Rule = (dy, { x, emit, rank, int: attribute, float: number }) => {
  const grouped = (value: string): string => emit.reshape(value, [0, attribute("num_groups", 1), -1]);
  const g = emit.mul(dy, perChannel(emit, x(1), rank()));
  const dx = whitened(emit, grouped(g), grouped(x()), [2], number("epsilon", 1e-5));
  return [emit.reshapeLike(dx, x())];
};
/** y = x / |x|_p; 0 where the norm is 0. */
export const LpNormalization: Rule = (dy, { x, y, emit, axis, int: attribute }) => {
  const axes = [axis("axis", -1)];
  const first = attribute("p", 2) === 1;
  const norm = emit.op(first ? "ReduceL1" : "ReduceL2", [x(), emit.ints(axes)]);
  const along = emit.mul(first ? emit.sign(x()) : y(), emit.sum(emit.mul(dy, y()), axes));
  const dx = emit.div(emit.sub(dy, along), emit.op("Max", [norm, 1e-30]));
  return [emit.mul(dx, emit.step(norm))];
};

/** dx = y (dy - sum(dy y)) */
export const Softmax: Rule = (dy, { y, emit, axis }) => {
  const axes = [axis("axis", -1)];
  return [emit.mul(y(), emit.sub(dy, emit.sum(emit.mul(dy, y()), axes)))];
};
export const LogSoftmax: Rule = (dy, { y, emit, axis }) => {
  const axes = [axis("axis", -1)];
  return [emit.sub(dy, emit.mul(emit.op("Exp", [y()]), emit.sum(dy, axes)))];
};

/**
 * y = x s^-beta, s = bias + alpha/n times the sum over a window of n channels of x^2. The sum over channels is a
 * convolution by 1x1 with a band of ones; its adjoint is the convolution with the band transposed.
 */
export const LRN: Rule = (dy, { x, y, emit, int: attribute, float: number, fail, rank }) => {
  const [n, alpha, beta, bias] = [attribute("size", 5), number("alpha", 1e-4), number("beta", 0.75), number("bias", 1)];
  const channels = emit.shape(x())[1];
  if (typeof channels !== "number") return fail("its number of channels is not known");
  const [before, after] = [Math.floor((n - 1) / 2), Math.ceil((n - 1) / 2)];
  const band = new Float32Array(channels * channels);
  for (let o = 0; o < channels; o++)
    for (let i = Math.max(0, o - before); i <= Math.min(channels - 1, o + after); i++) band[o * channels + i] = 1;
  const turned = band.map((_, at) => band[(at % channels) * channels + Math.floor(at / channels)]!);
  const one = range(2, rank()).map(() => 1);
  const attributes = {
    kernel_shape: ints(one),
    strides: ints(one),
    dilations: ints(one),
    pads: ints([...one, ...one].map(() => 0)),
    group: int(1),
  };
  const overChannels = (value: string, weights: Float32Array): string =>
    emit.op("Conv", [value, emit.constant(float32([channels, channels, ...one], weights))], attributes);
  const s = emit.add(emit.mul(overChannels(emit.mul(x(), x()), band), alpha / n), bias);
  const inner = overChannels(emit.div(emit.mul(dy, y()), s), turned);
  const direct = emit.mul(dy, emit.op("Pow", [s, -beta]));
  return [emit.sub(direct, emit.mul(emit.mul(x(), inner), (2 * alpha * beta) / n))];
};
