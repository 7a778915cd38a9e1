/** Shape rules for the quantised and fused operators of domain com.microsoft that ONNX Runtime's own tools write. */
import { AveragePool, Conv } from "./convolution.ts";
import { axisOf, broadcast, fact, like, type Rule, wantRank } from "./rule.ts";

/** Inputs: a, scale, zero point, b, scale, zero point, scale and zero point of the output. */
const quantizedPair: Rule = (call) => {
  const [a, b] = [call.input(0), call.input(3)];
  return [fact(a.type, broadcast(call, [a.shape, b.shape]))];
};

/** A convolution with the activation behind it. */
export const FusedConv: Rule = Conv;
export const QLinearAveragePool: Rule = (call) => (call.int("channels_last", 0) === 0 ? AveragePool(call) : []);
export const QLinearAdd: Rule = quantizedPair;
export const QLinearMul: Rule = quantizedPair;
export const QLinearSigmoid: Rule = like;
export const QLinearLeakyRelu: Rule = like;
export const QLinearSoftmax: Rule = like;
export const Gelu: Rule = like;
export const QuickGelu: Rule = like;
export const QLinearGlobalAveragePool: Rule = (call) => {
  const shape = wantRank(call, 0, 3);
  const last = call.int("channels_last", 0) === 1;
  return [
    fact(
      call.input(0).type,
      shape.map((n, i) => (i === 0 || i === (last ? shape.length - 1 : 1) ? n : 1)),
    ),
  ];
};
/** Inputs: scale and zero point of the output, then triples of value, scale, zero point. */
export const QLinearConcat: Rule = (call) => {
  const parts = call.node.inputs.flatMap((_, i) => (i >= 2 && i % 3 === 2 ? [call.input(i)] : []));
  const first = call.input(2);
  const axis = axisOf(call, call.int("axis", 0), first.shape.length);
  const total = parts.reduce((sum, { shape }) => sum + (shape[axis] ?? 0), 0);
  return [
    fact(
      call.input(1).type,
      first.shape.map((n, i) => (i === axis ? total : n)),
    ),
  ];
};
