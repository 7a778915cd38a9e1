/** From a head's numbers to classes with scores and probabilities, best first. */
import { ConvlensError } from "../core/errors.ts";
import type { ClassScore } from "../core/result.ts";
import type { Tensor } from "../core/tensor.ts";
import { toFloat32 } from "../core/tensor.ts";
import type { Activation, Head } from "./heads.ts";
import { labelName } from "./labels.ts";
import type { Label, ModelPrediction } from "./model.ts";

/** How scores become probabilities: the caller's or the card's word. */
export type NamedActivation = "softmax" | "sigmoid" | "none";

export interface ScoreOptions {
  readonly head: Head;
  /** The caller's wish; it outranks the graph. */
  readonly wanted: NamedActivation | undefined;
  /** The card's word, where the graph says nothing. */
  readonly card: NamedActivation | undefined;
  readonly labels: readonly Label[] | undefined;
  readonly top: number;
}

/** The rows of a head's tensor, one vector a picture. Throws `model-unsupported` for maps, such as segmentation's. */
export function vectors({ dims, ...tensor }: Tensor, model: string): readonly Float32Array[] {
  const data = toFloat32({ dims, ...tensor });
  const rows = dims.length > 1 ? dims[0]! : 1;
  const wide = dims.slice(dims.length > 1 ? 1 : 0).filter((n) => n !== 1);
  if (wide.length > 1)
    throw new ConvlensError(
      "model-unsupported",
      `the output of "${model}" has the shape [${dims.join(", ")}]: no vector of classes, so there is nothing to rank`,
    );
  const size = data.length / rows;
  return Array.from({ length: rows }, (_, i) => data.subarray(i * size, (i + 1) * size));
}

function softmax(logits: Float32Array): Float64Array {
  const largest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const powers = new Float64Array(logits.length);
  let sum = 0;
  for (let i = 0; i < powers.length; i++) sum += powers[i] = Math.exp(logits[i]! - largest);
  for (let i = 0; i < powers.length; i++) powers[i]! /= sum;
  return powers;
}
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Whether numbers are probabilities of classes already: none outside 0..1, and their sum is 1. */
const isDistribution = (values: Float32Array): boolean =>
  values.length > 1 && values.every((v) => v >= 0 && v <= 1) && Math.abs(values.reduce((a, b) => a + b, 0) - 1) < 1e-3;

type Rule = Activation | "none" | "given";

/** `Array.from` goes through an iterator, which takes longer than ranking the classes. */
function listed(values: Float32Array): number[] {
  const list = new Array<number>(values.length);
  for (let i = 0; i < list.length; i++) list[i] = values[i]!;
  return list;
}

/** The classes of one picture, best first. One output unit stands for two classes: 1 has its logit, 0 the negative. */
export function scoreClasses(output: Float32Array, logits: Float32Array, options: ScoreOptions): ModelPrediction {
  const { scores, probabilities, notes } = scoresOf(output, logits, options);
  return { predictions: rank(scores, probabilities, options), output: listed(output), notes };
}

/** The probability of one class; `null` where the scores have none. */
export const probabilityOf = (
  index: number,
  output: Float32Array,
  logits: Float32Array,
  options: Omit<ScoreOptions, "top">,
): number | null => scoresOf(output, logits, options).probabilities?.[index] ?? null;

interface Scores {
  readonly scores: ArrayLike<number>;
  readonly probabilities: ArrayLike<number> | undefined;
  readonly notes: readonly string[];
}

function scoresOf(output: Float32Array, logits: Float32Array, options: Omit<ScoreOptions, "top">): Scores {
  const notes: string[] = [];
  if (logits.some((score) => !Number.isFinite(score)))
    notes.push("the network's scores hold NaN or infinity: its arithmetic overflows on this input");
  const rule = chooseRule(logits, options, notes);
  const follows = rule === options.head.activation;
  let scores: ArrayLike<number> = logits;
  let probabilities: ArrayLike<number> | undefined;
  if (rule === "given") probabilities = logits;
  else if (rule === "log-softmax") probabilities = output.map((v) => Math.exp(v));
  else if (rule === "softmax") probabilities = follows ? output : softmax(logits);
  else if (rule === "sigmoid") probabilities = follows ? output : Float64Array.from(logits, sigmoid);

  if (logits.length === 1 && rule !== "softmax") {
    const [z, p] = [logits[0]!, probabilities?.[0]];
    scores = [-z, z];
    probabilities = p === undefined ? undefined : [1 - p, p];
    if (options.labels?.length !== 2)
      notes.push("one output unit is taken as two classes: 1 has its value, 0 the rest");
  }
  return { scores, probabilities, notes };
}

function chooseRule(logits: Float32Array, { head, wanted, card }: Omit<ScoreOptions, "top">, notes: string[]): Rule {
  if (wanted) return wanted;
  if (head.activation) return head.activation;
  if (card) return card;
  if (isDistribution(logits)) {
    notes.push("the outputs are between 0 and 1 and sum to 1: taken as probabilities");
    return "given";
  }
  const rule = logits.length === 1 ? "sigmoid" : "softmax";
  notes.push(
    `the file does not say how its scores become probabilities: ${rule} is taken; name another with --activation`,
  );
  return rule;
}

function rank(
  scores: ArrayLike<number>,
  probabilities: ArrayLike<number> | undefined,
  { labels, top }: ScoreOptions,
): readonly ClassScore[] {
  return best(scores, top).map((index) => {
    const wnid = labels?.[index]?.wnid;
    return {
      index,
      label: labelName(labels, index),
      ...(wnid === undefined ? {} : { wnid }),
      probability: probabilities?.[index] ?? null,
      score: scores[index]!,
    };
  });
}

/** The indices of the `top` largest scores, largest first, equal ones in their order, NaN last. */
function best(scores: ArrayLike<number>, top: number): number[] {
  // Loops, not from(): its iterator takes longer than all the rest of this file.
  const keys = new Float64Array(scores.length);
  for (let i = 0; i < keys.length; i++) keys[i] = Number.isNaN(scores[i]) ? Number.NEGATIVE_INFINITY : scores[i]!;
  if (top > 32) {
    const order = Array.from(keys, (_, index) => index);
    return order.sort((a, b) => (keys[a] === keys[b] ? a - b : keys[b]! - keys[a]!)).slice(0, top);
  }
  const found: number[] = [];
  for (let i = 0; i < keys.length; i++) {
    if (found.length === top && keys[i]! <= keys[found[top - 1]!]!) continue;
    const place = found.findIndex((index) => keys[index]! < keys[i]!);
    found.splice(place < 0 ? found.length : place, 0, i);
    if (found.length > top) found.pop();
  }
  return found;
}
