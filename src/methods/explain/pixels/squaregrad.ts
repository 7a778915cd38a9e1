/** SquareGrad, or SmoothGrad²: the mean squared gradient over noisy copies of the input. */
import type { Attribution } from "../../../core/result.ts";
import type { ExplanationMethod } from "../explanation.ts";
import { type NoiseOptions, noiseOptions, overNoise } from "./noise.ts";
import { pixelMethod } from "./pixel-method.ts";

export const squaregrad: ExplanationMethod<NoiseOptions, Attribution> = pixelMethod<NoiseOptions>({
  id: "squaregrad",
  title: "SmoothGrad squared",
  summary:
    "The squared gradient averaged over noisy copies of the input: where the score is sensitive, whatever the sign.",
  paper: "Hooker, Erhan, Kindermans and Kim 2019, arXiv:1806.10758",
  follows: "captum NoiseTunnel(Saliency(abs=False), nt_type='smoothgrad_sq'), with SmoothGrad's noise",
  formula: "mean over n of (dS/dx (x + e))², e normal with sigma = noise (max x - min x)",
  cost: "1 + samples (50) forward and backward passes",
  misleads: "Squares have no sign: what speaks against the class is as bright as what speaks for it.",
  options: noiseOptions("sum"),
  signed: "never",
  async attribute(job) {
    const sums = job.targets.map(() => new Float64Array(job.subject.x.length));
    await overNoise(job, (t, gradient) => {
      const sum = sums[t]!;
      for (let i = 0; i < sum.length; i++) sum[i]! += gradient[i]! ** 2;
    });
    return sums.map((sum) => ({ values: sum.map((value) => value / job.options.samples) }));
  },
});
