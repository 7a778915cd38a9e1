/** The plain gradient, and its product with the input. */

import { targetOptions } from "../options.ts";
import { channelReduceOption, type PixelOptions } from "./options.ts";
import { pixelMethod } from "./pixel-method.ts";

export const gradient = pixelMethod<PixelOptions>({
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

export const gradientXInput = pixelMethod<PixelOptions>({
  id: "gradient-x-input",
  title: "Gradient x input",
  summary: "The gradient times the input: what each number adds to the score, to first order from 0.",
  paper: "Shrikumar, Greenside, Shcherbina and Kundaje 2016, arXiv:1605.01713",
  follows: "captum InputXGradient",
  formula: "x dS/dx",
  cost: "1 forward pass, 1 backward pass",
  misleads: "What the network gets as 0 can have no share; after preprocessing that is a middle colour, not black.",
  options: { ...targetOptions, channelReduce: channelReduceOption("sum") },
  signed: "always",
  attribute: ({ gradients, subject: { x } }) =>
    gradients.map((gradient) => ({ values: gradient.map((value, i) => value * x[i]!) })),
});
