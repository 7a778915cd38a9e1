/** What an attack wants: another class than the present one, or one certain class; and how far a picture is from it. */
import { ConvlensError } from "../../core/errors.ts";
import type { Answer, ClassScore } from "../../core/result.ts";
import { findClass, labelName } from "../../model/labels.ts";
import type { Model, ModelPrediction } from "../../model/model.ts";

export interface Goal {
  /** The present class. */
  readonly from: number;
  /** The wanted class; `undefined`: any other. */
  readonly to: number | undefined;
}

/** Throws `label-unknown`, and `option-invalid` where the wanted class is the present one. */
export function goalOf(model: Model, to: string | number, before: ModelPrediction): Goal {
  const from = before.predictions[0]!.index;
  if (to === "any") return { from, to: undefined };
  const wanted = findClass(model.labels, before.predictions.length, to);
  if (wanted === from)
    throw new ConvlensError(
      "option-invalid",
      `the network answers "${labelName(model.labels, from)}" already: choose another class to attack for`,
    );
  return { from, to: wanted };
}

/** How a picture stands to a goal. */
export interface Standing {
  /**
   * Logits: the present class's over the best other's (targeted: the best other's over the wanted one's). Below 0 the
   * goal is reached.
   */
  readonly margin: number;
  /**
   * The log-odds of the present class (targeted: of the wanted class, negated): what the paper minimises, the
   * probability, in an order that does not saturate at 1.
   */
  readonly odds: number;
}

/** `predictions`: all classes, best first. Where no logits are known, logarithms of probabilities stand for them. */
export function standing(predictions: readonly ClassScore[], { from, to }: Goal): Standing {
  const given = predictions.every(({ score, probability }) => score === probability);
  const subject = to ?? from;
  let own = Number.NaN;
  let best = Number.NEGATIVE_INFINITY;
  for (const { index, score } of predictions) {
    const logit = given ? Math.log(score) : score;
    if (index === subject) own = logit;
    else if (logit > best) best = logit;
  }
  let sum = 0;
  for (const { index, score } of predictions)
    if (index !== subject) sum += Math.exp((given ? Math.log(score) : score) - best);
  const lead = own - best;
  const odds = lead - Math.log(sum);
  const sign = to === undefined ? 1 : -1;
  // An overflowing network reaches no goal.
  return Number.isNaN(lead)
    ? { margin: Number.POSITIVE_INFINITY, odds: Number.POSITIVE_INFINITY }
    : { margin: sign * lead, odds: sign * odds };
}

/** Whether an answer reaches the goal: exactly the wanted class, or any but the present one. */
export const reaches = (predictions: readonly ClassScore[], { from, to }: Goal): boolean =>
  to === undefined ? predictions[0]!.index !== from : predictions[0]!.index === to;

/** The best five classes; the present and the wanted one stand behind them where they are none of these. */
export const answerOf = (predictions: readonly ClassScore[], { from, to }: Goal): Answer => ({
  ...predictions[0]!,
  predictions: predictions.filter(({ index }, place) => place < 5 || index === from || index === to),
});
