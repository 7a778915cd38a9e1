/** Grad-CAM: channels weighted by how much the score rises with them. */
import type { HeatMap } from "../../../core/result.ts";
import type { ExplanationMethod } from "../explanation.ts";
import { type CamOptions, camMethod } from "./cam-method.ts";
import { contributions } from "./contributions.ts";
import { sum, weighted } from "./feature-maps.ts";

export interface GradcamOptions extends CamOptions {
  readonly preset: "none" | "chollet" | "lecture";
}

const isListing = ({ preset }: GradcamOptions): boolean => preset !== "none";

/** w = mean over space of g. */
export const meanGradient = weighted((_, g) => sum(g) / g.length);

export const gradcam: ExplanationMethod<GradcamOptions, HeatMap> = camMethod<GradcamOptions>({
  id: "gradcam",
  title: "Grad-CAM",
  summary: "Feature maps of a late layer, each weighted by the mean gradient of the class score, summed.",
  paper: "Selvaraju et al. 2017, arXiv:1610.02391",
  follows: "captum LayerGradCam, pytorch-grad-cam GradCAM",
  formula: "ReLU(Σₖ mean(∂S/∂Aₖ) Aₖ)",
  cost: "1 forward pass, and the gradient from the scores to the layer",
  misleads:
    "A channel gets one weight everywhere, so the map can light places that did not raise the score, and objects that stand twice may be lit once.",
  options: {
    preset: {
      type: "choice",
      default: "none",
      choices: ["none", "chollet", "lecture"],
      help: "chollet (also called lecture): the listing of Deep Learning with Python 5.4.3: the probability's gradient, the mean over channels, divided by the maximum",
    },
  },
  settle: (options) => (isListing(options) ? { ...options, preset: "chollet", of: "probability" } : options),
  map: contributions(meanGradient),
  finish(map, options) {
    if (!isListing(options)) return;
    // The listing takes the mean over channels, then divides by the maximum: only the second is seen.
    const most = map.reduce((a, b) => Math.max(a, b), 0);
    if (most > 0) for (let i = 0; i < map.length; i++) map[i]! /= most;
  },
});
