/** What a reader of an attribution must know: why it is blank, broken or incomplete, and what to do. */
import type { Attribution, ExplainedTarget } from "../../../core/result.ts";
import type { Model } from "../../../model/model.ts";
import type { Subject } from "./passes.ts";

interface Part {
  readonly values: Float32Array | Float64Array;
  readonly target: ExplainedTarget;
  readonly completeness: Attribution["completeness"];
  readonly subject: Subject;
  /** How an incomplete sum is mended. */
  readonly mend: string | undefined;
  readonly passNotes: readonly string[];
}

/** A larger part of the promised sum than this must not go unsaid. */
const MOST_GAP = 0.05;
/** From here on a probability hardly moves, whatever the logits do. */
const SATURATED = 0.999;

export async function notesOn(model: Model, part: Part): Promise<readonly string[]> {
  const { values, target, completeness, subject, mend, passNotes } = part;
  const notes = [...model.notes, ...passNotes];
  if (subject.given > 1) notes.push(`the batch holds ${subject.given} pictures; this explains the first`);
  if (model.inputs.length > 1)
    notes.push(`only "${model.input.name}" is explained; the other inputs are held as they are given`);
  const { probability } = target;
  const isSaturated = probability !== null && (probability > SATURATED || probability < 1 - SATURATED);
  if (target.of === "probability" && isSaturated)
    notes.push(
      `the probability is ${probability.toPrecision(4)}, saturated: its gradient is nearly nothing; explain the logit instead (--of logit)`,
    );
  const broken = values.findIndex((value) => !Number.isFinite(value));
  if (broken >= 0) notes.push(await whereNumbersBreak(model, subject));
  else if (values.every((value) => value === 0))
    notes.push(
      `every value is 0: nothing that changes "${target.label}" reaches the picture, as where all units on the way are off`,
    );
  if (completeness && broken < 0 && Math.abs(completeness.gap) > MOST_GAP * Math.abs(completeness.expected)) {
    const { sum, expected, gap } = completeness;
    const percent = (100 * Math.abs(gap)) / Math.abs(expected);
    const share = percent < 1000 ? ` (${percent.toFixed(0)} %)` : "";
    notes.push(
      `the values sum to ${sum.toPrecision(4)} where ${expected.toPrecision(4)} is expected, a gap of ${gap.toPrecision(3)}${share}${mend ? `: ${mend}` : ""}`,
    );
  }
  return notes;
}

/** The first layer that gives NaN or infinity, or that the backward pass must have made them. */
async function whereNumbersBreak(model: Model, subject: Subject): Promise<string> {
  const layers = await model.layers();
  const values = await model.run(subject.feeds(subject.x, 1), { outputs: layers.map(({ name }) => name) });
  const first = layers.find(({ name }) => values[name]?.data.some((value) => !Number.isFinite(value)));
  return first
    ? `the attribution holds NaN or infinity: they begin at the layer "${first.name}" (${first.class}), where the network's own arithmetic overflows`
    : "the attribution holds NaN or infinity: the network's own values are finite, the backward pass overflows";
}
