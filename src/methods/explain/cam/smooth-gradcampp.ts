/** Smooth Grad-CAM++: Grad-CAM++ from gradients averaged over noisy copies of the picture. */
import type { HeatMap } from "../../../core/result.ts";
import type { ExplanationMethod } from "../explanation.ts";
import { batchOption, seedOption } from "../options.ts";
import { extremes, streamOf } from "../pixels/noise.ts";
import { type CamOptions, camMethod, camOptions } from "./cam-method.ts";
import { type Contribution, type FeatureMaps, featureMaps, sum } from "./feature-maps.ts";
import { guard } from "./gradcampp.ts";
import { type CamJob, type Passed, plainPass, storedValue } from "./pass.ts";

export interface SmoothGradcamppOptions extends CamOptions {
  readonly samples: number;
  readonly noise: number;
  readonly seed: number;
  readonly batch: number;
}

/** As Grad-CAM++, from the means over samples of g, g² and g³. */
const contribution: Contribution = (part, a, g, squares, cubes) => {
  const total = sum(a!);
  let weight = 0;
  for (let i = 0; i < part.length; i++)
    if (g![i]! > 0) weight += (g![i]! * squares![i]!) / (2 * squares![i]! + cubes![i]! * total + guard);
  for (let i = 0; i < part.length; i++) part[i] = weight * a![i]!;
};

export const smoothGradcampp: ExplanationMethod<SmoothGradcamppOptions, HeatMap> = camMethod<SmoothGradcamppOptions>({
  id: "smooth-gradcampp",
  title: "Smooth Grad-CAM++",
  summary: "Grad-CAM++ whose gradients are means over noisy copies of the picture.",
  paper: "Omeiza et al. 2019, arXiv:1908.01224",
  formula: "Grad-CAM++ with mean(g), mean(g²), mean(g³) over n noisy copies, and A of the picture itself",
  cost: "1 forward pass, then one for each sample, each with backward from the scores to the layer",
  misleads:
    "The noise is a choice: much of it asks about pictures the network never saw, and the map turns coarse; for the rest as Grad-CAM++.",
  options: {
    ...camOptions,
    smooth: {
      ...camOptions.smooth,
      choices: ["none", "eigen"],
      help: "eigen: the first principal component of what the channels add, in place of their sum",
    },
    samples: { type: "integer", default: 8, min: 1, max: 10_000, help: "how many noisy copies of the input" },
    noise: {
      type: "number",
      default: 0.1,
      min: 0,
      max: 10,
      help: "standard deviation of the noise, in parts of the input's maximum - minimum",
    },
    seed: seedOption,
    batch: batchOption,
  },
  contribution,
  pass: overNoise,
});

async function overNoise(job: CamJob<SmoothGradcamppOptions>): Promise<readonly Passed[]> {
  const { model, subject, layers, options, run } = job;
  const { samples, noise, seed, batch } = options;
  const { x, feeds } = subject;
  const clean = await plainPass(job, false);
  // Noisy copies are asked for the class that the picture itself gave.
  const targets = job.targets.map((target, t) =>
    "class" in target ? { ...target, class: clean[t]!.explained.index! } : target,
  );
  const wrt = layers.map(storedValue);
  // By target and layer: the means of g, g² and g³.
  const means = targets.map((_, t) => layers.map((layer) => powersLike(clean[t]!.maps.get(layer)![0]![0]!)));
  const [low, high] = extremes(x);
  for (let start = 0; start < samples; start += batch) {
    const count = Math.min(batch, samples - start);
    run.onProgress?.(start, samples, "sample");
    const noisy = new Float32Array(count * x.length);
    for (let row = 0; row < count; row++) {
      const stream = streamOf(seed, start + row);
      for (let i = 0; i < x.length; i++) noisy[row * x.length + i] = x[i]! + noise * (high - low) * stream.normal();
    }
    const { signal } = run;
    const found = await model.gradient(feeds(noisy, count), { targets, wrt, ...(signal ? { signal } : {}) });
    for (const [t, { gradients }] of found.targets.entries())
      for (const [l, { layout }] of layers.entries())
        for (let row = 0; row < count; row++)
          addPowers(means[t]![l]!, featureMaps(gradients[wrt[l]!]!, layout, row), 1 / samples);
  }
  return clean.map((one, t) => ({
    ...one,
    maps: new Map(layers.map((layer, l) => [layer, [[one.maps.get(layer)![0]![0]!, ...means[t]![l]!]]])),
  }));
}

const powersLike = (maps: FeatureMaps): readonly FeatureMaps[] =>
  [1, 2, 3].map(() => ({ ...maps, numbers: new Float64Array(maps.numbers.length) }));

function addPowers(powers: readonly FeatureMaps[], { numbers }: FeatureMaps, share: number): void {
  const [first, second, third] = powers as readonly [FeatureMaps, FeatureMaps, FeatureMaps];
  for (let i = 0; i < numbers.length; i++) {
    const g = numbers[i]!;
    first.numbers[i]! += g * share;
    second.numbers[i]! += g * g * share;
    third.numbers[i]! += g * g * g * share;
  }
}
