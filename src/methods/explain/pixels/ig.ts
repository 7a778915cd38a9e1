/** Integrated gradients: the gradient averaged along the straight way from a baseline to the picture. */
import type { Attribution } from "../../../core/result.ts";
import type { OptionSpec } from "../../method.ts";
import type { ExplanationMethod } from "../explanation.ts";
import { targetOptions } from "../options.ts";
import { baselineOf } from "./baseline.ts";
import { baselineOption, channelReduceOption, type PixelOptions, variantsOption } from "./options.ts";
import { pixelMethod } from "./pixel-method.ts";
import { gaussLegendre } from "./quadrature.ts";

export interface IntegratedGradientsOptions extends PixelOptions {
  readonly baseline: string;
  readonly steps: number;
  readonly batch: number;
}

const stepsOption: OptionSpec = {
  type: "integer",
  default: 50,
  min: 1,
  max: 10_000,
  help: "points on the way from the baseline, placed and weighted as Gauss and Legendre",
};

export const ig: ExplanationMethod<IntegratedGradientsOptions, Attribution> = pixelMethod<IntegratedGradientsOptions>({
  id: "ig",
  title: "Integrated gradients",
  summary:
    "What each number of the input adds to the score on the way from a baseline; the shares sum to the score's rise.",
  paper: "Sundararajan, Taly and Yan 2017, arXiv:1703.01365",
  follows: "captum IntegratedGradients(method='gausslegendre')",
  formula: "(x - x0) ∫ dS/dx (x0 + a (x - x0)) da, a from 0 to 1; sums to S(x) - S(x0)",
  cost: "2 + steps (50) forward and backward passes",
  misleads: "What has the baseline's colour can have no share: compare several baselines.",
  options: {
    ...targetOptions,
    baseline: baselineOption,
    steps: stepsOption,
    channelReduce: channelReduceOption("sum"),
    batch: variantsOption,
  },
  signed: "always",
  mend: "take more --steps",
  async attribute({ model, options, subject, first, targets, each }) {
    const { x } = subject;
    const start = baselineOf(options.baseline, model, subject);
    const { points, weights } = gaussLegendre(options.steps);
    const sums = targets.map(() => new Float64Array(x.length));
    const scores = targets.map(() => 0);
    // The variant before the first point is the baseline itself, for the score that the sum is held against.
    const make = (variant: number, into: Float32Array): void => {
      const a = variant === 0 ? 0 : points[variant - 1]!;
      for (let i = 0; i < x.length; i++) into[i] = start[i]! + a * (x[i]! - start[i]!);
    };
    await each(options.steps + 1, make, (t, variant, gradient, score) => {
      if (variant === 0) {
        scores[t] = score;
        return;
      }
      const [sum, weight] = [sums[t]!, weights[variant - 1]!];
      for (let i = 0; i < sum.length; i++) sum[i]! += weight * gradient[i]!;
    });
    return sums.map((sum, t) => {
      for (let i = 0; i < sum.length; i++) sum[i]! *= x[i]! - start[i]!;
      return { values: sum, expected: first.targets[t]!.scores[0]! - scores[t]! };
    });
  },
});
