/** Finer-CAM: what sets a class apart from the classes nearest to it. */
import { ConvlensError } from "../../../core/errors.ts";
import type { ClassScore, ExplainedTarget, HeatMap } from "../../../core/result.ts";
import type { Target } from "../../../model/model.ts";
import type { ExplanationMethod } from "../explanation.ts";
import { type CamOptions, camMethod, camOptions } from "./cam-method.ts";
import { meanGradient } from "./gradcam.ts";
import { type CamJob, type Passed, plainPass } from "./pass.ts";

export interface FinercamOptions extends CamOptions {
  readonly alpha: number;
  readonly references: number;
}

export const finercam: ExplanationMethod<FinercamOptions, HeatMap> = camMethod<FinercamOptions>({
  id: "finercam",
  title: "Finer-CAM",
  summary: "Grad-CAM of a class's score less that of the classes with the nearest scores: the telling details.",
  paper: "Zhang et al. 2025, arXiv:2501.11309",
  follows: "torchcam FinerCAM's contrast, with Grad-CAM's weights",
  formula: "Grad-CAM of S - α mean(Sᵣ) over the n classes r whose scores are nearest to S",
  cost: "2 forward passes, and backward from the scores to the layer",
  misleads:
    "It explains a difference: what both classes share stays dark, though it may be most of why the network answered so.",
  options: {
    ...camOptions,
    alpha: {
      type: "number",
      default: 0.6,
      min: 0,
      max: 10,
      help: "how much of the similar classes' score is taken off",
    },
    references: { type: "integer", default: 3, min: 1, max: 1000, help: "how many similar classes" },
  },
  contribution: meanGradient,
  pass: contrasts,
});

async function contrasts(job: CamJob<FinercamOptions>): Promise<readonly Passed[]> {
  const { model, subject, targets, options, run } = job;
  const all = { ...run, top: Number.POSITIVE_INFINITY };
  const { predictions, output } = (await model.predict(subject.feeds(subject.x, 1), all))[0]!;
  const contrasted = targets.map((target) => contrast(target, predictions, output.length, options));
  const passed = await plainPass({ ...job, targets: contrasted.map(({ weights, of }) => ({ weights, of })) });
  return passed.map((one, t) => ({
    ...one,
    explained: contrasted[t]!.explained(one.explained.score),
    notes: [...one.notes, contrasted[t]!.note],
  }));
}

interface Contrast {
  readonly weights: readonly number[];
  readonly of: "logit" | "probability";
  readonly explained: (score: number) => ExplainedTarget;
  readonly note: string;
}

/** The weights of a class less those of its nearest. One output unit stands for two classes, the second one's score. */
function contrast(
  target: Target,
  predictions: readonly ClassScore[],
  outputs: number,
  { alpha, references, of }: FinercamOptions,
): Contrast {
  if (!("class" in target)) throw new ConvlensError("internal", "finercam contrasts classes");
  const main = target.class === "top" ? predictions[0]! : predictions.find(({ index }) => index === target.class)!;
  const value = (one: ClassScore): number => (of === "probability" ? (one.probability ?? one.score) : one.score);
  const others = predictions
    .filter((one) => one !== main)
    .map((one) => ({ ...one, distance: Math.abs(value(one) - value(main)) }))
    .sort((a, b) => a.distance - b.distance || a.index - b.index)
    .slice(0, references);
  const weights = new Array<number>(outputs).fill(0);
  const add = (index: number, weight: number): void => {
    if (outputs === 1) weights[0]! += index === 1 ? weight : -weight;
    else weights[index]! += weight;
  };
  add(main.index, 1);
  for (const { index } of others) add(index, -alpha / others.length);
  const names = others.map(({ label }) => label).join(", ");
  const { index, label, probability } = main;
  return {
    weights,
    of,
    explained: (score) => ({ index, label, of, score, probability }),
    note: `the score explained is that of ${label} less ${alpha} times the mean of the nearest: ${names}`,
  };
}
