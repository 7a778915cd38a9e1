/** The map of a method that says what a channel adds: the sum over channels, or its first principal component. */
import type { CamOptions, LayerPass } from "./cam-method.ts";
import { type Contribution, sumContributions } from "./feature-maps.ts";
import { principalOf } from "./principal.ts";

export const contributions =
  (contribution: Contribution) =>
  ({ activations, gradients }: LayerPass, { smooth }: Pick<CamOptions, "smooth">): Float64Array =>
    smooth === "eigen"
      ? principalOf(contribution, activations, gradients)
      : sumContributions(contribution, activations, gradients);
