/** Element-wise Grad-CAM: HiResCAM that leaves out what is negative before it sums over channels. */
import type { HeatMap } from "../../../core/result.ts";
import type { ExplanationMethod } from "../explanation.ts";
import { type CamOptions, camMethod, camOptions } from "./cam-method.ts";

export const elementwiseGradcam: ExplanationMethod<CamOptions, HeatMap> = camMethod({
  id: "elementwise-gradcam",
  title: "Element-wise Grad-CAM",
  summary: "Gradient times activation, only where that is positive, summed over channels.",
  paper: "No paper: pytorch-grad-cam's own, after arXiv:1610.02391",
  follows: "pytorch-grad-cam GradCAMElementWise",
  formula: "Σₖ ReLU(g Aₖ)",
  cost: "1 forward pass, and backward from the scores to the layer",
  misleads:
    "Channels that speak against the class are left out one by one, so the map is never negative and shows more than the score gained.",
  options: camOptions,
  contribution: (part, a, g) => {
    for (let i = 0; i < part.length; i++) part[i] = Math.max(g![i]! * a![i]!, 0);
  },
});
