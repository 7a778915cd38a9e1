/** DeepLIFT with the rescale rule: picture and baseline in one pass, quotients of differences in place of slopes. */

import { deeplift as overlay } from "../../../autodiff/overlays/deeplift.ts";
import { ConvlensError } from "../../../core/errors.ts";
import type { Attribution } from "../../../core/result.ts";
import type { Model, Target } from "../../../model/model.ts";
import type { ExplanationMethod } from "../explanation.ts";
import { targetOptions } from "../options.ts";
import { baselineOf } from "./baseline.ts";
import { baselineOption, channelReduceOption, type PixelOptions } from "./options.ts";
import type { Passes, Subject } from "./passes.ts";
import { pixelMethod } from "./pixel-method.ts";

export interface DeepliftOptions extends PixelOptions {
  readonly baseline: string;
}

export const deeplift: ExplanationMethod<DeepliftOptions, Attribution> = pixelMethod<DeepliftOptions>({
  id: "deeplift",
  title: "DeepLIFT",
  summary:
    "What the difference of each number from a baseline adds to the score: like integrated gradients, in one pass.",
  paper: "Shrikumar, Greenside and Kundaje 2017, arXiv:1704.02685",
  follows: "captum DeepLift",
  formula: "(x - x0) times the gradient with (y - y0) / (x - x0) as the slope of each unit; sums to S(x) - S(x0)",
  cost: "1 forward pass, then 1 forward and 1 backward pass of two pictures",
  misleads: "What has the baseline's colour can have no share; products of features are split by convention.",
  options: { ...targetOptions, baseline: baselineOption, channelReduce: channelReduceOption("sum") },
  signed: "always",
  mend: "layers without a rule of their own pass their gradient; compare ig",
  async start(model, subject, asked, { baseline }, { signal }) {
    const { x, feeds } = subject;
    const both = new Float32Array(2 * x.length);
    both.set(x);
    both.set(baselineOf(baseline, model, subject), x.length);
    const targets = await settled(model, subject, both, asked, signal);
    const first = await model.gradient(feeds(both, 2), { targets, overlay, ...(signal ? { signal } : {}) });
    const each: Passes["each"] = async () => {};
    return { subject, first, targets, each };
  },
  attribute({ model, options, subject, first, gradients }) {
    const { x } = subject;
    const start = baselineOf(options.baseline, model, subject);
    return gradients.map((gradient, t) => ({
      values: gradient.map((value, i) => value * (x[i]! - start[i]!)),
      expected: first.targets[t]!.scores[0]! - first.targets[t]!.scores[1]!,
    }));
  },
});

/**
 * The targets with the picture's own class in place of the top one: the baseline must be judged by the same. Throws
 * `model-unsupported` for a network that takes one picture at a time.
 */
async function settled(
  model: Model,
  { feeds }: Subject,
  both: Float32Array,
  asked: readonly Target[],
  signal: AbortSignal | undefined,
): Promise<readonly Target[]> {
  let isLooped = false;
  const [picture] = await model.predict(feeds(both, 2), {
    top: 1,
    ...(signal ? { signal } : {}),
    // Only a batch that is fed one by one reports its pictures.
    onProgress: () => {
      isLooped = true;
    },
  });
  if (isLooped)
    throw new ConvlensError(
      "model-unsupported",
      `deeplift runs the picture and its baseline as one batch, and "${model.name}" takes one picture at a time; ig needs no batch`,
    );
  return asked.map((target) =>
    "class" in target && target.class === "top" ? { ...target, class: picture!.predictions[0]!.index } : target,
  );
}
