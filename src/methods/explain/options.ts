/** The options that explanations share, each declared once: one name, one default, one meaning in all methods. */
import type { OptionSpec } from "../method.ts";

export const targetOption: OptionSpec = {
  type: "target",
  default: "top",
  help: "the class explained, by index or name; top: the network's own answer",
};
export const ofOption: OptionSpec = {
  type: "choice",
  default: "logit",
  choices: ["logit", "probability"],
  help: "which of its scores: the logit before the final softmax or sigmoid, or the probability behind it",
};
export const layerOption: OptionSpec = {
  type: "list",
  default: [],
  help: "where the map is taken: layers by name, pattern (conv*) or first:N; default: the last convolutional stage's output",
};
export const signedOption: OptionSpec = {
  type: "boolean",
  default: false,
  help: "keep what speaks against the class: no ReLU at the end",
};
export const seedOption: OptionSpec = {
  type: "integer",
  default: 0,
  min: 0,
  max: 2 ** 31 - 1,
  help: "seed of the noise",
};
/** How many inputs go through the network at once, where many are independent. */
export const batchOption: OptionSpec = {
  type: "integer",
  default: 8,
  min: 1,
  max: 1024,
  help: "pictures in one pass; memory grows with it",
};

/** What every explanation can be asked. */
export interface TargetOptions {
  /** A class by index or name; `top`: the network's own answer. */
  readonly target: string | number;
  readonly of: "logit" | "probability";
}
export const targetOptions: Readonly<Record<keyof TargetOptions, OptionSpec>> = {
  target: targetOption,
  of: ofOption,
};
