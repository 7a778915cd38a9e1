/** XGrad-CAM: gradients averaged with the activations as weights. */
import type { HeatMap } from "../../../core/result.ts";
import type { ExplanationMethod } from "../explanation.ts";
import { type CamOptions, camMethod, camOptions } from "./cam-method.ts";
import { dot, sum, weighted } from "./feature-maps.ts";

export const xgradcam: ExplanationMethod<CamOptions, HeatMap> = camMethod({
  id: "xgradcam",
  title: "XGrad-CAM",
  summary: "Grad-CAM whose mean gradient counts places by their activation, so that the map sums up to the score.",
  paper: "Fu et al. 2020, arXiv:2008.02312",
  follows: "pytorch-grad-cam XGradCAM",
  formula: "ReLU(Σₖ wₖ Aₖ), wₖ = Σ g Aₖ / (ΣAₖ + 1e-7)",
  cost: "1 forward pass, and backward from the scores to the layer",
  misleads:
    "It divides by a sum of activations: at a layer before its ReLU that sum may be nearly 0, and one channel then drowns all others.",
  options: camOptions,
  contribution: weighted((a, g) => dot(g, a) / (sum(a) + 1e-7)),
});
