/** Eigen-CAM: the first principal component of the activations; no class, no gradients. */
import type { HeatMap } from "../../../core/result.ts";
import type { ExplanationMethod } from "../explanation.ts";
import { type CamOptions, camMethod, camOptions } from "./cam-method.ts";

export const eigencam: ExplanationMethod<CamOptions, HeatMap> = camMethod({
  id: "eigencam",
  title: "Eigen-CAM",
  summary: "The direction in which the feature maps of a layer vary most: what stands out, whatever the class.",
  paper: "Muhammad and Yeasin 2020, arXiv:2008.00299",
  follows: "pytorch-grad-cam EigenCAM",
  formula: "ReLU(± (A - mean) v₁), v₁ the first right singular vector; the sign that goes with the mean activation",
  cost: "1 forward pass",
  misleads: "It knows no class: every target has the same map, and what stands out need not have decided.",
  options: camOptions,
  gradients: false,
  component: "principal",
  contribution: (part, a) => part.set(a!),
});
