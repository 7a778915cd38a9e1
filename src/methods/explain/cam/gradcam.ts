/** Grad-CAM: channels weighted by how much the score rises with them. */
import type { HeatMap } from "../../../core/result.ts";
import type { ExplanationMethod } from "../explanation.ts";
import { type CamOptions, camMethod, camOptions } from "./cam-method.ts";
import { type Contribution, sum, weighted } from "./feature-maps.ts";

export interface GradcamOptions extends CamOptions {
  readonly preset: "none" | "chollet" | "lecture";
}

/** w = mean over space of g. */
export const meanGradient: Contribution = weighted((_, g) => sum(g) / g.length);

export const gradcam: ExplanationMethod<GradcamOptions, HeatMap> = camMethod<GradcamOptions>({
  id: "gradcam",
  title: "Grad-CAM",
  summary: "Feature maps of a late layer, each weighted by the mean gradient of the class score, summed.",
  paper: "Selvaraju et al. 2017, arXiv:1610.02391",
  follows: "captum LayerGradCam, pytorch-grad-cam GradCAM",
  formula: "ReLU(Σₖ wₖ Aₖ), wₖ = mean of ∂S/∂Aₖ",
  cost: "1 forward pass, and backward from the scores to the layer",
  misleads:
    "A channel has one weight everywhere, so places light up that did not raise the score, and of two objects of the class one may stay dark.",
  options: {
    ...camOptions,
    preset: {
      type: "choice",
      default: "none",
      choices: ["none", "chollet", "lecture"],
      help: "chollet (lecture is the same): as the listing of Deep Learning with Python 5.4.3, from the gradient of the probability, divided by the maximum",
    },
  },
  contribution: meanGradient,
  settle: (options) =>
    options.preset === "none" ? options : { ...options, preset: "chollet", of: "probability", signed: false },
  // The listing's mean over channels, where ours is the sum, is gone behind the division.
  finish: (map, { preset }) => (preset === "none" ? map : dividedByMaximum(map)),
});

function dividedByMaximum(map: Float64Array): Float64Array {
  const most = map.reduce((a, b) => Math.max(a, b), 0);
  return most > 0 ? map.map((x) => x / most) : map;
}
