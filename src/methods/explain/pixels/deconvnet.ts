/** The deconvolutional network: the gradient with rectifiers turned round. */

import { deconvnet as overlay } from "../../../autodiff/overlays/rectifiers.ts";
import type { Attribution } from "../../../core/result.ts";
import type { ExplanationMethod } from "../explanation.ts";
import { targetOptions } from "../options.ts";
import { channelReduceOption, type PixelOptions } from "./options.ts";
import { pixelMethod } from "./pixel-method.ts";

export const deconvnet: ExplanationMethod<PixelOptions, Attribution> = pixelMethod<PixelOptions>({
  id: "deconvnet",
  title: "Deconvolutional network",
  summary: "The gradient, but at each ReLU only what is positive, whether or not the unit fired.",
  paper: "Zeiler and Fergus 2013, arXiv:1311.2901",
  follows: "captum Deconvolution",
  formula: "dS/dx with each ReLU passing g [g > 0]",
  cost: "1 forward pass, 1 backward pass",
  misleads: "It depends on the picture only through max pooling; without pools it shows the weights, not the picture.",
  options: { ...targetOptions, channelReduce: channelReduceOption("max") },
  signed: "summed",
  overlay: () => overlay,
  attribute: ({ gradients }) => gradients.map((values) => ({ values })),
});
