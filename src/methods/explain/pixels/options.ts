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

/** How many variants of the picture go through the network at once. */
export const variantsOption: OptionSpec = {
  type: "integer",
  default: 0,
  min: 0,
  max: 1024,
  help: "pictures in one pass; memory grows with it; 0: by their size, 3 of 224x224, 16 of 32x32",
};

/** Small pictures leave an engine idle one by one, large ones leave its caches together: half a million numbers are best. */
export const variantsAtOnce = (batch: number, size: number): number =>
  batch > 0 ? batch : Math.min(16, Math.max(1, Math.floor(2 ** 19 / size)));

export const samplesOption: OptionSpec = {
  type: "integer",
  default: 50,
  min: 1,
  max: 100_000,
  help: "how many noisy copies of the input, or baselines",
};
