/** HiResCAM: gradient times activation, place by place. */
import type { HeatMap } from "../../../core/result.ts";
import type { ExplanationMethod } from "../explanation.ts";
import { type CamOptions, camMethod, camOptions } from "./cam-method.ts";
import type { Contribution } from "./feature-maps.ts";

/** Gradient times activation. */
export const product: Contribution = (part, a, g) => {
  for (let i = 0; i < part.length; i++) part[i] = g![i]! * a![i]!;
};

export const hirescam: ExplanationMethod<CamOptions, HeatMap> = camMethod({
  id: "hirescam",
  title: "HiResCAM",
  summary: "Gradient times activation at each place, summed over channels: shows only places the score really used.",
  paper: "Draelos and Carin 2020, arXiv:2011.08891",
  follows: "pytorch-grad-cam HiResCAM",
  formula: "ReLU(Σₖ g Aₖ)",
  cost: "1 forward pass, and backward from the scores to the layer",
  misleads:
    "It is faithful only where a linear head follows the layer; before that it is a first-order guess, and as noisy as gradients are.",
  options: camOptions,
  contribution: product,
});
