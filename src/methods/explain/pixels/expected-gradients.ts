/** Expected gradients: integrated gradients averaged over many baselines, at random points of the ways. */

import { ConvlensError } from "../../../core/errors.ts";
import type { Random } from "../../../core/random.ts";
import type { Attribution } from "../../../core/result.ts";
import { sizeOf, type Tensor, toFloat32 } from "../../../core/tensor.ts";
import type { Model } from "../../../model/model.ts";
import type { ExplanationMethod } from "../explanation.ts";
import { seedOption, targetOptions } from "../options.ts";
import { blurred, channelsOf, flat, levelsAfter } from "./baseline.ts";
import { extremes, streamOf } from "./noise.ts";
import { channelReduceOption, type PixelOptions, samplesOption, variantsOption } from "./options.ts";
import type { Subject } from "./passes.ts";
import { pixelMethod } from "./pixel-method.ts";

export interface ExpectedGradientsOptions extends PixelOptions {
  readonly baselines: "colors" | "noise" | "blur";
  readonly samples: number;
  readonly seed: number;
  readonly batch: number;
}

export const expectedGradients: ExplanationMethod<ExpectedGradientsOptions, Attribution> =
  pixelMethod<ExpectedGradientsOptions>({
    id: "expected-gradients",
    title: "Expected gradients",
    summary: "Integrated gradients averaged over many baselines, so that no one colour counts as nothing.",
    paper: "Erion, Janizek, Sturmfels, Lundberg and Lee 2021, arXiv:1906.10670",
    follows: "captum GradientShap without noise, its points on the ways spread evenly",
    formula:
      "mean over n of (x - x0) dS/dx (x0 + a (x - x0)), x0 a random baseline, a in [(k - 1)/n, k/n] for sample k",
    cost: "1 + samples (50) forward and backward passes",
    misleads:
      "The baselines decide: without pictures of the network's own kind they are made up, and the network never saw such.",
    options: {
      ...targetOptions,
      baselines: {
        type: "choice",
        default: "colors",
        choices: ["colors", "noise", "blur"],
        help: "baselines made up where no pictures are given: each of one random colour, of random pixels, or the picture blurred by a random width",
      },
      samples: samplesOption,
      channelReduce: channelReduceOption("sum"),
      seed: seedOption,
      batch: variantsOption,
    },
    signed: "always",
    async attribute({ model, options, subject, input, targets, each }) {
      const { x } = subject;
      const { samples, seed } = options;
      const baseline = input.background
        ? givenBaselines(input.background, subject)
        : madeBaselines(options.baselines, model, subject);
      const sums = targets.map(() => new Float64Array(x.length));
      // The differences of one batch, each read when its gradient is there.
      const differences = new Map<number, Float32Array>();
      const make = (sample: number, into: Float32Array): void => {
        const stream = streamOf(seed, sample);
        const a = (sample + stream.uniform()) / samples;
        const start = baseline(stream);
        const difference = x.map((value, i) => value - start[i]!);
        differences.set(sample, difference);
        for (let i = 0; i < x.length; i++) into[i] = start[i]! + a * difference[i]!;
      };
      await each(samples, make, (t, sample, gradient) => {
        const [sum, difference] = [sums[t]!, differences.get(sample)!];
        for (let i = 0; i < sum.length; i++) sum[i]! += difference[i]! * gradient[i]!;
        if (t === targets.length - 1) differences.delete(sample);
      });
      const given = input.background?.dims[0];
      const notes = given === undefined ? [] : [`the baselines are ${given} pictures that were given`];
      return sums.map((sum) => ({ values: sum.map((value) => value / samples), notes }));
    },
  });

/** Pictures that were given: one of them, each as likely. */
function givenBaselines(background: Tensor, { x, dims }: Subject): (stream: Random) => ArrayLike<number> {
  const [count = 0, ...rest] = background.dims;
  if (count === 0 || rest.join() !== dims.join() || sizeOf(background.dims) !== background.data.length)
    throw new ConvlensError(
      "tensor-invalid",
      `the background has the shape [${background.dims.join(", ")}]; expected pictures like the input, [N, ${dims.join(", ")}]`,
    );
  const all = toFloat32(background);
  return (stream) => {
    const start = stream.integer(count) * x.length;
    return all.subarray(start, start + x.length);
  };
}

/** Pictures made up, between black and white; for inputs that are no pictures between the least and the greatest number. */
function madeBaselines(
  what: ExpectedGradientsOptions["baselines"],
  model: Model,
  subject: Subject,
): (stream: Random) => ArrayLike<number> {
  const { x } = subject;
  const channels = channelsOf(model, subject.dims);
  const between = (stream: Random, low: number, high: number): number => low + (high - low) * stream.uniform();
  if (!channels) {
    const [low, high] = extremes(x);
    if (what === "noise") return (stream) => x.map(() => between(stream, low, high));
    return (stream) => new Float32Array(x.length).fill(between(stream, low, high));
  }
  const [black, white] = [levelsAfter(model.preprocessing, 0), levelsAfter(model.preprocessing, 255)];
  if (what === "blur") return (stream) => blurred(x, channels, between(stream, 0.02, 0.2));
  if (what === "colors")
    return (stream) =>
      flat(
        x.length,
        channels,
        black.map((low, c) => between(stream, low, white[c]!)),
      );
  const [lows, highs] = [flat(x.length, channels, black), flat(x.length, channels, white)];
  return (stream) => lows.map((low, i) => between(stream, low, highs[i]!));
}
