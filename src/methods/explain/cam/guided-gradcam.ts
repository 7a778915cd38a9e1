/** Guided Grad-CAM: guided backpropagation, only where Grad-CAM is lit. */
import { guided } from "../../../autodiff/overlays/rectifiers.ts";
import type { Attribution, HeatMap } from "../../../core/result.ts";
import { float32, type Tensor } from "../../../core/tensor.ts";
import { resizeMap } from "../../../image/map.ts";
import type { Model } from "../../../model/model.ts";
import { feedsOf, mustApply, originOf, resolveOptions } from "../../method.ts";
import type { ExplanationMethod } from "../explanation.ts";
import { layerOption, type TargetOptions, targetOptions } from "../options.ts";
import { channelReduceOption, type PixelOptions } from "../pixels/options.ts";
import { subjectOf } from "../pixels/passes.ts";
import { camMethod, camOptions, runOptions, single } from "./cam-method.ts";
import { meanGradient } from "./gradcam.ts";

export interface GuidedGradcamOptions extends TargetOptions {
  readonly layer: readonly string[];
  readonly upsample: "nearest" | "bilinear";
  readonly channelReduce: PixelOptions["channelReduce"];
}

const texts = {
  id: "guided-gradcam",
  title: "Guided Grad-CAM",
  summary: "Guided backpropagation times the enlarged Grad-CAM: sharp outlines, where the class is.",
  paper: "Selvaraju et al. 2017, arXiv:1610.02391",
  follows: "captum GuidedGradCam",
  formula: "guided backpropagation × enlarged ReLU(Grad-CAM)",
  cost: "2 forward passes, 1 backward pass, and backward from the scores to the layer",
  misleads:
    "Its fine lines come from guided backpropagation, which draws edges whatever the class: only the coarse place is the class's.",
};

/** Grad-CAM under this method's name. */
const coarseMap = camMethod({ ...texts, options: camOptions, contribution: meanGradient });

export const guidedGradcam: ExplanationMethod<GuidedGradcamOptions, Attribution> = {
  ...texts,
  kind: "attribution",
  family: "cam",
  needs: ["image", "graph", "gradient"],
  options: {
    ...targetOptions,
    layer: layerOption,
    upsample: {
      type: "choice",
      default: "nearest",
      choices: ["nearest", "bilinear"],
      help: "how Grad-CAM is enlarged: nearest as captum, bilinear as the paper",
    },
    channelReduce: channelReduceOption("max"),
  },
  applies: (model) => model.opaque,
  async run(model, input, given = {}) {
    mustApply(guidedGradcam, model);
    const { target, layer } = resolveOptions<GuidedGradcamOptions>(guidedGradcam.options, given);
    const results = await guidedGradcam.runMany(model, input, { targets: [target], layers: layer }, given);
    return single(guidedGradcam.id, results);
  },
  async runMany(model, input, choice, given = {}) {
    mustApply(guidedGradcam, model);
    const options = resolveOptions<GuidedGradcamOptions>(guidedGradcam.options, given);
    const subject = subjectOf(model, feedsOf(guidedGradcam, input));
    const run = runOptions(given);
    const coarse = await coarseMap.runMany(model, input, choice, { ...run, of: options.of });
    const targets = await Promise.all(choice.targets.map((target) => model.findTarget(target, options.of)));
    const fine = await model.gradient(subject.feeds(subject.x, 1), { ...run, targets, overlay: guided });
    const perTarget = coarse.length / choice.targets.length;
    const results: Attribution[] = [];
    for (const [i, map] of coarse.entries()) {
      const t = Math.floor(i / perTarget);
      const slope = fine.targets[t]!.gradients[model.input.name]!;
      results.push({
        kind: "attribution",
        title: guidedGradcam.title,
        target: map.target,
        signed: options.channelReduce === "sum" || options.channelReduce === "mean",
        layout: model.input.layout,
        values: product(slope, map, model.input.layout, options.upsample),
        channelReduce: options.channelReduce,
        origin: await originOf(
          model,
          guidedGradcam.id,
          { ...options, target: choice.targets[t]!, layer: map.layers },
          input,
        ),
        notes: [...new Set([...map.notes, ...fine.notes])],
      });
    }
    return results;
  },
};

/** Every channel of the gradient times the enlarged map. */
function product(
  { dims, data }: Tensor<"float32">,
  { map }: HeatMap,
  layout: Model["input"]["layout"],
  upsample: GuidedGradcamOptions["upsample"],
): Tensor<"float32"> {
  const [, a, b, c] = dims as readonly [number, number, number, number];
  const [channels, height, width] = layout === "NCHW" ? [a, b, c] : [c, a, b];
  const [h, w] = map.dims as readonly [number, number];
  const large = (upsample === "nearest" ? nearest : resizeMap)(map.data, h, w, height, width);
  const area = height * width;
  const place = layout === "NCHW" ? (i: number) => i % area : (i: number) => Math.floor(i / channels);
  return float32(
    dims.slice(1),
    data.map((g, i) => g * large[place(i)]!),
  );
}

/** As PyTorch's `interpolate(mode="nearest")`: the source place is rounded down. */
function nearest(
  values: Float32Array,
  height: number,
  width: number,
  outHeight: number,
  outWidth: number,
): Float32Array {
  return Float32Array.from({ length: outHeight * outWidth }, (_, i) => {
    const y = Math.floor((Math.floor(i / outWidth) * height) / outHeight);
    const x = Math.floor(((i % outWidth) * width) / outWidth);
    return values[y * width + x]!;
  });
}
