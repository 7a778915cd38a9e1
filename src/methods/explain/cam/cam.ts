/** CAM: the feature maps before a global pooling, weighted by the class's own row of the dense layer behind it. */
import { ConvlensError } from "../../../core/errors.ts";
import type { HeatMap } from "../../../core/result.ts";
import { float32 } from "../../../core/tensor.ts";
import type { Model } from "../../../model/model.ts";
import { feedsOf, mustApply, originOf, resolveOptions } from "../../method.ts";
import type { ExplanationMethod } from "../explanation.ts";
import { layerBefore } from "../layer-choice.ts";
import { targetOption } from "../options.ts";
import { subjectOf } from "../pixels/passes.ts";
import { inputNotes, runOptions } from "./cam-method.ts";
import { featureMaps, plane } from "./feature-maps.ts";
import { gapNotes, mustBeFinite, reasons } from "./notes.ts";
import { storedValue } from "./pass.ts";
import { findWholePool, type WholePool } from "./whole-pool.ts";

export interface ClassCamOptions {
  readonly target: string | number;
}

/** Means keep the scale of Grad-CAM; behind other poolings only the weights do. */
const isMean = (op: string): boolean => /Average|Mean/.test(op);

export const cam: ExplanationMethod<ClassCamOptions, HeatMap> = {
  id: "cam",
  title: "Class activation map",
  summary: "Feature maps before a global pooling, each times its weight in the class's row of the dense layer behind.",
  paper: "Zhou et al. 2016, arXiv:1512.04150",
  follows: "torchcam CAM",
  formula: "Σₖ W[c, k] Aₖ",
  kind: "map",
  family: "cam",
  needs: ["image", "graph", "gradient"],
  options: { target: targetOption },
  cost: "1 forward pass",
  misleads:
    "It has no ReLU: what speaks against the class is below 0. It leaves out the dense layer's bias, and says nothing of what earlier layers compared.",
  applies: (model) => model.opaque ?? whyNot(model),
  async run(model, input, given = {}) {
    mustApply(cam, model);
    const { target } = resolveOptions<ClassCamOptions>(cam.options, given);
    return (await cam.runMany(model, input, { targets: [target] }, given))[0]!;
  },
  async runMany(model, input, { targets, layers = [] }, given = {}) {
    mustApply(cam, model);
    if (layers.length > 0)
      throw new ConvlensError(
        "option-invalid",
        `cam takes its map before the global pooling, and no layer may be named (${layers.join(", ")}); gradcam takes any`,
      );
    const { features, pooled, op } = findWholePool(model) as WholePool;
    const source = await layerBefore(model, features);
    const layer = source.name;
    const stored = storedValue(source);
    const subject = subjectOf(model, feedsOf(cam, input));
    const run = runOptions(given);
    // The scores are linear in the pooled vector: their slope is the class's row of weights, however the file writes it.
    const found = await model.gradient(subject.feeds(subject.x, 1), {
      ...run,
      targets: await Promise.all(targets.map((target) => model.findTarget(target))),
      wrt: [`value:${pooled}`],
      outputs: [stored],
    });
    const activations = featureMaps(found.values[stored]!, source.layout);
    const { height, width } = activations;
    const results: HeatMap[] = [];
    for (const [t, { explained, gradients }] of found.targets.entries()) {
      const weights = gradients[`value:${pooled}`]!.data;
      const total = new Float64Array(height * width);
      for (const [channel, weight] of weights.entries()) {
        const a = plane(activations, channel);
        for (let i = 0; i < total.length; i++) total[i]! += weight * a[i]!;
      }
      const map = Float32Array.from(total);
      const target = explained[0]!;
      await mustBeFinite(model, subject, target, run);
      const facts = { layer, target, maps: [activations], rectified: undefined };
      results.push({
        kind: "map",
        title: cam.title,
        target,
        signed: true,
        layers: [layer],
        map: float32([height, width], map),
        origin: await originOf(model, cam.id, { target: targets[t]! }, input),
        notes: [
          ...model.notes,
          ...inputNotes(model, subject.given),
          `taken at layer "${layer}", before the network's own pooling over the whole map (${op})`,
          ...(isMean(op) ? [] : [`${op} is no mean: the map is no longer ${height * width} times Grad-CAM`]),
          ...found.notes,
          ...reasons(facts),
          ...(await gapNotes(model, subject, map, run)),
        ],
      });
    }
    return results;
  },
};

function whyNot(model: Model): string | undefined {
  try {
    const found = findWholePool(model);
    return typeof found === "string" ? found : undefined;
  } catch (error) {
    // Several heads and none named, shapes that contradict each other.
    if (error instanceof ConvlensError) return error.message;
    throw error;
  }
}
