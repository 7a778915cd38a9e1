/** SmoothGrad: the mean gradient over noisy copies of the input. */
import type { Attribution } from "../../../core/result.ts";
import type { ExplanationMethod } from "../explanation.ts";
import { type NoiseOptions, noiseOptions, overNoise } from "./noise.ts";
import { pixelMethod } from "./pixel-method.ts";

export const smoothgrad: ExplanationMethod<NoiseOptions, Attribution> = pixelMethod<NoiseOptions>({
  id: "smoothgrad",
  title: "SmoothGrad",
  summary: "The gradient averaged over noisy copies of the input: less noise than one gradient.",
  paper: "Smilkov, Thorat, Kim, Viégas and Wattenberg 2017, arXiv:1706.03825",
  follows: "captum NoiseTunnel(Saliency(abs=False), nt_type='smoothgrad'), with the paper's noise",
  formula: "mean over n of dS/dx (x + e), e normal with sigma = noise (max x - min x)",
  cost: "1 + samples (50) forward and backward passes",
  misleads: "It smooths the gradient, not the network: what the score does over larger changes stays unseen.",
  options: noiseOptions("max"),
  signed: "summed",
  async attribute(job) {
    const sums = job.targets.map(() => new Float64Array(job.subject.x.length));
    await overNoise(job, (t, gradient) => {
      const sum = sums[t]!;
      for (let i = 0; i < sum.length; i++) sum[i]! += gradient[i]!;
    });
    return sums.map((sum) => ({ values: sum.map((value) => value / job.options.samples) }));
  },
});
