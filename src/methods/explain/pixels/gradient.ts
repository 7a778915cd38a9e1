/** The plain gradient, which all other pixel methods start from. */

import type { Attribution } from "../../../core/result.ts";
import type { ExplanationMethod } from "../explanation.ts";
import { targetOptions } from "../options.ts";
import { channelReduceOption, type PixelOptions } from "./options.ts";
import { pixelMethod } from "./pixel-method.ts";

export const gradient: ExplanationMethod<PixelOptions, Attribution> = pixelMethod<PixelOptions>({
  id: "gradient",
  title: "Gradient (saliency)",
  summary: "How the score changes with each number of the input; the picture shows the largest of its colours.",
  paper: "Simonyan, Vedaldi and Zisserman 2014, arXiv:1312.6034",
  follows: "captum Saliency(abs=False)",
  formula: "dS/dx; picture: max over channels of |dS/dx|",
  cost: "1 forward pass, 1 backward pass",
  misleads: "It is noisy, and near 0 where the score has saturated: what is plainly there may show nothing.",
  options: { ...targetOptions, channelReduce: channelReduceOption("max") },
  signed: "summed",
  attribute: ({ gradients }) => gradients.map((values) => ({ values })),
});
