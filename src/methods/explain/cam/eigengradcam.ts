/** EigenGrad-CAM: the first principal component of gradient times activation. */
import type { HeatMap } from "../../../core/result.ts";
import type { ExplanationMethod } from "../explanation.ts";
import { type CamOptions, camMethod, camOptions } from "./cam-method.ts";
import { product } from "./hirescam.ts";

export const eigengradcam: ExplanationMethod<CamOptions, HeatMap> = camMethod({
  id: "eigengradcam",
  title: "EigenGrad-CAM",
  summary: "The direction in which gradient times activation varies most: cleaner than their sum.",
  paper: "No paper: pytorch-grad-cam's own, after arXiv:2008.00299",
  follows: "pytorch-grad-cam EigenGradCAM",
  formula: "ReLU(± (gA - mean) v₁), v₁ the first right singular vector; the sign that goes with the mean activation",
  cost: "1 forward pass, and backward from the scores to the layer",
  misleads:
    "Its sign is a convention: places that speak for and against the class look alike, and two classes with opposite gradients have one map.",
  options: camOptions,
  component: "principal",
  contribution: product,
});
