/** The options that pixel methods share beside those of all explanations. */
import type { OptionSpec } from "../../method.ts";
import type { TargetOptions } from "../options.ts";

export type ChannelReduce = "sum" | "max" | "mean" | "norm";

export interface PixelOptions extends TargetOptions {
  readonly channelReduce: ChannelReduce;
}

export const channelReduceOption = (by: ChannelReduce): OptionSpec => ({
  type: "choice",
  default: by,
  choices: ["sum", "max", "mean", "norm"],
  help: "what the picture shows of the colour channels; the numbers are kept for each",
});

export const baselineOption: OptionSpec = {
  type: "string",
  default: "zero",
  help: "what the picture is compared with: zero (0 in every number the network gets: after preprocessing torch, tf or caffe a middle colour, after raw or unit black), black, white, gray, mean (the picture's mean colour), blur, or a number that the network gets everywhere",
};
