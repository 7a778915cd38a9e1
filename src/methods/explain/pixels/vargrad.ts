/** VarGrad: the variance of the gradient over noisy copies of the input. */
import type { Attribution } from "../../../core/result.ts";
import type { ExplanationMethod } from "../explanation.ts";
import { type NoiseOptions, noiseOptions, overNoise } from "./noise.ts";
import { pixelMethod } from "./pixel-method.ts";

export const vargrad: ExplanationMethod<NoiseOptions, Attribution> = pixelMethod<NoiseOptions>({
  id: "vargrad",
  title: "VarGrad",
  summary: "The variance of the gradient over noisy copies of the input: where the score bends.",
  paper: "Adebayo, Gilmer, Goodfellow and Kim 2018, arXiv:1810.03307",
  follows: "captum NoiseTunnel(Saliency(abs=False), nt_type='vargrad'), with SmoothGrad's noise",
  formula: "mean of g² - (mean of g)² over n of g = dS/dx (x + e), e normal with sigma = noise (max x - min x)",
  cost: "1 + samples (50) forward and backward passes",
  misleads: "A number that the score depends on strongly but evenly shows nothing; and there is no sign.",
  options: noiseOptions("sum"),
  signed: "never",
  async attribute(job) {
    const { samples } = job.options;
    const sums = job.targets.map(() => new Float64Array(job.subject.x.length));
    const squares = sums.map((sum) => new Float64Array(sum.length));
    await overNoise(job, (t, gradient) => {
      const [sum, square] = [sums[t]!, squares[t]!];
      for (let i = 0; i < sum.length; i++) {
        sum[i]! += gradient[i]!;
        square[i]! += gradient[i]! ** 2;
      }
    });
    // What is rounded in the difference of equal numbers must not fall below 0.
    return sums.map((sum, t) => ({
      values: sum.map((value, i) => Math.max(0, squares[t]![i]! / samples - (value / samples) ** 2)),
    }));
  },
});
