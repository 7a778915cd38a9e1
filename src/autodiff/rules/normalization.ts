/** Normalizations and softmax: each is written through the centred value and the usual three-term formula. */
import { float32 } from "../../core/tensor.ts";
import { int, ints } from "../../graph/builder.ts";
import type { Emitter } from "../emitter.ts";
import { foldTo } from "../gradient.ts";
import type { Rule } from "../rule.ts";

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
/** A value per channel, shaped to multiply maps of a rank. */
const perChannel = (emit: Emitter, value: string, rank: number): string =>
  rank === 2 ? value : emit.reshape(value, [-1, ...range(2, rank).map(() => 1)]);

/** At inference y = scale (x - mean) / sqrt(var + eps) + bias. */
export const BatchNormalization: Rule = (dy, { x, emit, wants, rank, float: attribute, int: flag, fail }) => {
  if (flag("training_mode", 0) === 1) fail("it is in training mode");
  const varied = emit.add(x(4), attribute("epsilon", 1e-5));
  const gain = emit.div(x(1), emit.op("Sqrt", [varied]));
  const total = channelSum(emit, dy, rank());
  const product = channelSum(emit, emit.mul(dy, x()), rank());
  /** sum dy (x - mean) */
  const centred = (): string => emit.sub(product(), emit.mul(total(), x(3)));
  return [
    wants(0) ? emit.mul(dy, perChannel(emit, gain, rank())) : null,
    wants(1) ? emit.div(centred(), emit.op("Sqrt", [varied])) : null,
    wants(2) ? total() : null,
    wants(3) ? emit.neg(emit.mul(gain, total())) : null,
    wants(4) ? emit.mul(emit.div(emit.mul(gain, centred()), varied), -0.5) : null,
  ];
};

/** The values whitened over `axes`: h = r (x - mean x), r = 1/sqrt(var + eps). */
function whiten(emit: Emitter, x: string, axes: readonly number[], epsilon: number): { h: string; r: string } {
  const centred = emit.sub(x, emit.mean(x, axes));
  const variance = emit.mean(emit.mul(centred, centred), axes);
  const r = emit.op("Reciprocal", [emit.op("Sqrt", [emit.add(variance, epsilon)])]);
  return { h: emit.mul(centred, r), r };
}
/** dx = r (g - mean(g) - h mean(g h)) */
const unwhiten = (emit: Emitter, g: string, { h, r }: { h: string; r: string }, axes: readonly number[]): string =>
  emit.mul(r, emit.sub(emit.sub(g, emit.mean(g, axes)), emit.mul(h, emit.mean(emit.mul(g, h), axes))));

/** The sum of each channel over the batch and the map, made when it is asked for. */
const channelSum =
  (emit: Emitter, value: string, rank: number): (() => string) =>
  () =>
    emit.sum(value, [0, ...range(2, rank)], false);

export const LayerNormalization: Rule = (dy, { x, emit, wants, rank, axis, float: attribute }) => {
  const axes = range(axis("axis", -1), rank());
  const white = whiten(emit, x(), axes, attribute("epsilon", 1e-5));
  return [
    wants(0) ? unwhiten(emit, emit.mul(dy, x(1)), white, axes) : null,
    wants(1) ? foldTo(emit, emit.mul(dy, white.h), emit.shape(x()), x(1)) : null,
    wants(2) ? foldTo(emit, dy, emit.shape(x()), x(2)) : null,
  ];
};
export const InstanceNormalization: Rule = (dy, { x, emit, wants, rank, float: attribute }) => {
  const axes = range(2, rank());
  const white = whiten(emit, x(), axes, attribute("epsilon", 1e-5));
  return [
    wants(0) ? unwhiten(emit, emit.mul(dy, perChannel(emit, x(1), rank())), white, axes) : null,
    wants(1) ? channelSum(emit, emit.mul(dy, white.h), rank())() : null,
    wants(2) ? channelSum(emit, dy, rank())() : null,
  ];
};
/** Over [batch, groups, the rest]. */
export const GroupNormalization: Rule = (dy, { x, emit, wants, rank, int: attribute, float: number }) => {
  const grouped = (value: string): string => emit.reshape(value, [0, attribute("num_groups", 1), -1]);
  const white = whiten(emit, grouped(x()), [2], number("epsilon", 1e-5));
  const g = (): string => grouped(emit.mul(dy, perChannel(emit, x(1), rank())));
  return [
    wants(0) ? emit.reshapeLike(unwhiten(emit, g(), white, [2]), x()) : null,
    wants(1) ? channelSum(emit, emit.mul(dy, emit.reshapeLike(white.h, x())), rank())() : null,
    wants(2) ? channelSum(emit, dy, rank())() : null,
  ];
};
/** y = (x - mean) / deviation */
export const MeanVarianceNormalization: Rule = (dy, { x, emit, ints: list, rank }) => {
  const axes = list("axes", [0, 2, 3]).map((axis) => (axis < 0 ? axis + rank() : axis));
  return [unwhiten(emit, dy, whiten(emit, x(), axes, 1e-18), axes)];
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
