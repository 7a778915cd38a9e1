/** Guided backpropagation: the gradient that only units pass which fired and which help. */

import { guided } from "../../../autodiff/overlays/rectifiers.ts";
import type { Attribution } from "../../../core/result.ts";
import type { ExplanationMethod } from "../explanation.ts";
import { targetOptions } from "../options.ts";
import { channelReduceOption, type PixelOptions } from "./options.ts";
import { pixelMethod } from "./pixel-method.ts";

export const guidedBackprop: ExplanationMethod<PixelOptions, Attribution> = pixelMethod<PixelOptions>({
  id: "guided-backprop",
  title: "Guided backpropagation",
  summary: "The gradient, but at each ReLU only what is positive and where the unit fired: sharp outlines.",
  paper: "Springenberg, Dosovitskiy, Brox and Riedmiller 2014, arXiv:1412.6806",
  follows: "captum GuidedBackprop",
  formula: "dS/dx with each ReLU passing g [g > 0] [x > 0]",
  cost: "1 forward pass, 1 backward pass",
  misleads: "It draws the picture's edges whatever the class, and hardly changes when weights are made random.",
  options: { ...targetOptions, channelReduce: channelReduceOption("max") },
  signed: "summed",
  overlay: () => guided,
  attribute: ({ gradients }) => gradients.map((values) => ({ values })),
});
