/** Recurrent layers: sequences of hidden states, and the last state. */
import { type Call, fact, type Rule, wantRank } from "./rule.ts";

function states(call: Call): { sequence: number[]; last: number[] } {
  const [a, b] = wantRank(call, 0, 3) as [number, number];
  const directions = call.input(1).shape[0]!;
  const hidden = call.input(2).shape.at(-1)!;
  return call.int("layout", 0) === 1
    ? { sequence: [a, b, directions, hidden], last: [a, directions, hidden] }
    : { sequence: [a, directions, b, hidden], last: [directions, b, hidden] };
}
const recurrent: Rule = (call) => {
  const { type } = call.input(0);
  const { sequence, last } = states(call);
  return [fact(type, sequence), fact(type, last), fact(type, last)];
};
export const GRU: Rule = recurrent;
export const LSTM: Rule = recurrent;
export const RNN: Rule = recurrent;
