/** Layer-wise relevance propagation: the score handed back, layer by layer, to the pixels. */

import { type LrpOptions as LrpRules, lrp as overlay } from "../../../autodiff/overlays/lrp.ts";
import type { Attribution } from "../../../core/result.ts";
import type { Model } from "../../../model/model.ts";
import type { ExplanationMethod } from "../explanation.ts";
import { targetOption } from "../options.ts";
import { levelsAfter } from "./baseline.ts";
import { channelReduceOption, type PixelOptions } from "./options.ts";
import { pixelMethod } from "./pixel-method.ts";

/** There is no `of`: relevance starts from the logit. */
export interface LrpOptions extends Omit<PixelOptions, "of"> {
  readonly rule: LrpRules["rule"];
  readonly epsilon: number;
  readonly gamma: number;
  /** The alpha of alpha-beta; beta is one less. */
  readonly alphaBeta: number;
}

export const lrp: ExplanationMethod<LrpOptions, Attribution> = pixelMethod<LrpOptions>({
  id: "lrp",
  title: "Relevance propagation (LRP)",
  summary: "The logit handed back from layer to layer to the pixels, in parts that are kept in sum.",
  paper: "Bach et al. 2015, doi:10.1371/journal.pone.0130140; Montavon et al. 2019, doi:10.1007/978-3-030-28954-6_10",
  follows: "captum LRP with EpsilonRule, GammaRule; alpha-beta and composite after the papers",
  formula:
    "R_i = sum over j of z_ij / z_j R_j, z_ij = x_i w_ij; gamma: w + gamma w+; alpha-beta: alpha z+/sum z+ - (alpha - 1) z-/sum z-; composite: zB at the pixels, gamma in convolutions, epsilon in dense layers; sums to S(x)",
  cost: "1 forward pass, 1 to 3 backward passes by rule",
  misleads:
    "The rules choose what is seen: epsilon alone is gradient x input in networks of ReLUs; biases keep a share.",
  options: {
    target: targetOption,
    rule: {
      type: "choice",
      default: "composite",
      choices: ["composite", "epsilon", "gamma", "alpha-beta"],
      help: "how layers with weights share relevance; composite: zB at the pixels, gamma in convolutions, epsilon in dense layers",
    },
    epsilon: { type: "number", default: 1e-6, min: 0, max: 1e6, help: "what denominators are kept away from 0 by" },
    gamma: { type: "number", default: 0.25, min: 0, max: 1e6, help: "how much positive weights are favoured by gamma" },
    alphaBeta: {
      type: "number",
      default: 2,
      min: 1,
      max: 100,
      help: "alpha of the rule alpha-beta: the part that goes to what speaks for an output; beta is one less",
    },
    channelReduce: channelReduceOption("sum"),
  },
  signed: "always",
  mend: "biases and stabilised denominators keep or add the rest",
  overlay: (model, { rule, epsilon, gamma, alphaBeta: alpha }) =>
    overlay({ rule, epsilon, gamma, alpha, ...(rule === "composite" ? boxOf(model) : {}) }),
  attribute: ({ gradients, first }) =>
    gradients.map((values, t) => ({ values, expected: first.targets[t]!.scores[0]! })),
});

/** The numbers that black and white become; none where the network takes no pictures. */
function boxOf({ input, preprocessing }: Model): Pick<LrpRules, "box"> {
  const channels = input.shape[input.layout === "NHWC" ? 3 : 1];
  if (input.shape.length !== 4 || channels !== preprocessing.mean.length) return {};
  const [black, white] = [levelsAfter(preprocessing, 0), levelsAfter(preprocessing, 255)];
  const bounds = (choose: (...values: number[]) => number): number[] => black.map((b, c) => choose(b, white[c]!));
  return { box: { low: bounds(Math.min), high: bounds(Math.max) } };
}
