/** Grad-CAM++: pixels whose gradient is positive weigh a channel, each by how much it takes part. */
import type { HeatMap } from "../../../core/result.ts";
import type { ExplanationMethod } from "../explanation.ts";
import { type CamOptions, camMethod, camOptions } from "./cam-method.ts";
import { sum, weighted } from "./feature-maps.ts";

/** pytorch-grad-cam's guard of the denominator. */
export const guard = 1e-6;

export const gradcampp: ExplanationMethod<CamOptions, HeatMap> = camMethod({
  id: "gradcampp",
  title: "Grad-CAM++",
  summary: "Grad-CAM whose channel weights count the places that raise the score, so that several objects show.",
  paper: "Chattopadhay et al. 2018, arXiv:1710.11063, equation 19",
  follows: "pytorch-grad-cam GradCAMPlusPlus",
  formula: "ReLU(Σₖ wₖ Aₖ), wₖ = Σ α ReLU(g), α = g² / (2g² + g³ ΣAₖ + 1e-6), 0 where g = 0",
  cost: "1 forward pass, and backward from the scores to the layer",
  misleads:
    "It leaves out every negative gradient, so what speaks against the class lights up too, and it changes little from class to class.",
  options: camOptions,
  contribution: weighted((a, g) => {
    const total = sum(a);
    let weight = 0;
    for (let i = 0; i < g.length; i++) {
      const x = g[i]!;
      if (x > 0) weight += (x * x * x) / (2 * x * x + x * x * x * total + guard);
    }
    return weight;
  }),
});
