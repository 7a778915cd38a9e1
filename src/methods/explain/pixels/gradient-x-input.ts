/** The gradient times the input. */
import type { Attribution } from "../../../core/result.ts";
import type { ExplanationMethod } from "../explanation.ts";
import { targetOptions } from "../options.ts";
import { channelReduceOption, type PixelOptions } from "./options.ts";
import { pixelMethod } from "./pixel-method.ts";

export const gradientXInput: ExplanationMethod<PixelOptions, Attribution> = pixelMethod<PixelOptions>({
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
