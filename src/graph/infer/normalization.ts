/** Normalizations: outputs have the shape of the input; some also give statistics. */
import { axisOf, type Call, fact, like, type Rule, wantRank } from "./rule.ts";

/** Inputs `from`.. hold one number per channel. */
function perChannel(call: Call, from: number, to: number): void {
  const channels = wantRank(call, 0, 2)[1]!;
  for (let i = from; i <= to; i++) {
    const { shape } = call.input(i);
    if (shape.join() !== String(channels))
      call.fail(`input ${i} has shape [${shape.join(", ")}], expected [${channels}], one number per channel`);
  }
}

export const BatchNormalization: Rule = (call) => {
  perChannel(call, 1, 4);
  const { type, shape } = call.input(0);
  const statistics = call.input(3);
  return [fact(type, shape), fact(statistics.type, statistics.shape), fact(statistics.type, statistics.shape)];
};
export const InstanceNormalization: Rule = (call) => {
  perChannel(call, 1, 2);
  return like(call);
};
export const GroupNormalization: Rule = (call) => {
  perChannel(call, 1, 2);
  return like(call);
};
export const LayerNormalization: Rule = (call) => {
  const { type, shape } = call.input(0);
  const axis = axisOf(call, call.int("axis", -1), shape.length);
  const statistics = fact("float32", [...shape.slice(0, axis), ...shape.slice(axis).map(() => 1)]);
  return [fact(type, shape), statistics, statistics];
};
export const LRN: Rule = like;
export const LpNormalization: Rule = like;
export const MeanVarianceNormalization: Rule = like;

const alongAxis: Rule = (call) => {
  const { shape } = call.input(0);
  if (shape.length > 0) axisOf(call, call.int("axis", -1), shape.length);
  return like(call);
};
export const Softmax: Rule = alongAxis;
export const LogSoftmax: Rule = alongAxis;
export const Hardmax: Rule = alongAxis;
