/** XGrad-CAM: gradients averaged with the activations as weights. */
import type { HeatMap } from "../../../core/result.ts";
import type { ExplanationMethod } from "../explanation.ts";
import { type CamOptions, camMethod, camOptions } from "./cam-method.ts";
import { dot, type FeatureMaps, plane, sum, weighted } from "./feature-maps.ts";

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
  remark: cancellation,
  contribution: weighted((a, g) => dot(g, a) / (sum(a) + 1e-7)),
});

/** A sum of activations below this share of their absolute sum is mostly rounding and chance. */
const least = 0.01;

/** Says how many channels are divided by nearly nothing. */
function cancellation([activations]: readonly FeatureMaps[]): string | undefined {
  let count = 0;
  for (let channel = 0; channel < activations!.channels; channel++) {
    const a = plane(activations!, channel);
    let size = 0;
    for (let i = 0; i < a.length; i++) size += Math.abs(a[i]!);
    if (Math.abs(sum(a)) < least * size) count++;
  }
  if (count === 0) return undefined;
  return `${count} of ${activations!.channels} channels have activations of both signs that nearly cancel, and xgradcam divides by their sum: the map may be theirs alone; take the layer behind the ReLU`;
}
