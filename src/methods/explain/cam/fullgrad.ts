/** FullGrad: the input's and every bias's part in the score, summed into one map of the input. */
import { ConvlensError } from "../../../core/errors.ts";
import type { HeatMap } from "../../../core/result.ts";
import { float32, toFloat32 } from "../../../core/tensor.ts";
import { constantOf } from "../../../graph/constants.ts";
import type { Graph, Node } from "../../../graph/graph.ts";
import { producers } from "../../../graph/walk.ts";
import { resizeMap } from "../../../image/map.ts";
import { feedsOf, mustApply, originOf, resolveOptions } from "../../method.ts";
import type { ExplanationMethod } from "../explanation.ts";
import { upstream } from "../layer-choice.ts";
import { type TargetOptions, targetOptions } from "../options.ts";
import { subjectOf } from "../pixels/passes.ts";
import { inputNotes, runOptions, scoreNotes } from "./cam-method.ts";
import { type FeatureMaps, featureMaps, plane } from "./feature-maps.ts";
import { gapNotes, mustBeFinite, saturation } from "./notes.ts";

export const fullgrad: ExplanationMethod<TargetOptions, HeatMap> = {
  id: "fullgrad",
  title: "FullGrad",
  summary: "What the input and the biases of all convolutions and normalisations add to the score, by place.",
  paper: "Srinivas and Fleuret 2019, arXiv:1905.00780",
  follows: "pytorch-grad-cam FullGrad",
  formula: "Σ ψ(|x ∂S/∂x|) + Σ ψ(|b ∂S/∂z|) over channels; ψ: from minimum to maximum as 0 to 1, then resized",
  kind: "map",
  family: "cam",
  needs: ["image", "graph", "gradient"],
  options: targetOptions,
  cost: "1 forward pass, 1 backward pass",
  misleads:
    "Absolute values: what speaks for and against the class looks alike. Each channel counts as much as any other, however little it adds.",
  applies: (model) => model.opaque,
  async run(model, input, given = {}) {
    mustApply(fullgrad, model);
    const { target } = resolveOptions<TargetOptions>(fullgrad.options, given);
    return (await fullgrad.runMany(model, input, { targets: [target] }, given))[0]!;
  },
  async runMany(model, input, { targets, layers = [] }, given = {}) {
    mustApply(fullgrad, model);
    if (layers.length > 0)
      throw new ConvlensError(
        "option-invalid",
        `fullgrad takes all layers at once, and none may be named (${layers.join(", ")}); gradcam takes any`,
      );
    const options = resolveOptions<TargetOptions>(fullgrad.options, given);
    const subject = subjectOf(model, feedsOf(fullgrad, input));
    if (subject.dims.length !== 3)
      throw new ConvlensError("model-unsupported", `fullgrad needs a picture: "${model.input.name}" takes none`);
    const run = runOptions(given);
    const biases = await biasesOf(model.graph, model.head().logits);
    const { name, layout } = model.input;
    const found = await model.gradient(subject.feeds(subject.x, 1), {
      ...run,
      targets: await Promise.all(targets.map((target) => model.findTarget(target, options.of))),
      wrt: [name, ...biases.map(({ value }) => `value:${value}`)],
    });
    const picture = featureMaps(float32([1, ...subject.dims], subject.x), layout);
    const { height, width } = picture;
    const results: HeatMap[] = [];
    for (const [t, { explained, gradients }] of found.targets.entries()) {
      const total = new Float64Array(height * width);
      const add = (map: Float64Array, h: number, w: number): void => {
        const large = h === height && w === width ? map : resizeMap(Float32Array.from(map), h, w, height, width);
        for (let i = 0; i < total.length; i++) total[i]! += large[i]!;
      };
      add(evenSum(featureMaps(gradients[name]!, layout), picture), height, width);
      for (const { value, bias } of biases) {
        const g = featureMaps(gradients[`value:${value}`]!, "NCHW");
        add(evenSum(g, bias), g.height, g.width);
      }
      const map = Float32Array.from(total);
      const target = explained[0]!;
      await mustBeFinite(model, subject, target, run);
      results.push({
        kind: "map",
        title: fullgrad.title,
        target,
        signed: false,
        layers: [],
        map: float32([height, width], map),
        origin: await originOf(model, fullgrad.id, { ...options, target: targets[t]! }, input),
        notes: [
          ...model.notes,
          ...inputNotes(model, subject.given),
          ...(biases.length > 0 ? [] : ["no layer before the scores has a bias: the map is that of the input alone"]),
          ...scoreNotes(model, target, fullgrad.id),
          ...found.notes,
          ...saturation(target),
          ...(await gapNotes(model, subject, map, run)),
        ],
      });
    }
    return results;
  },
};

/**
 * Sum over channels of |by g|, each channel brought from its minimum and maximum to 0 and 1, as pytorch-grad-cam; `by`
 * has a number for every place, or one for each channel.
 */
function evenSum(gradients: FeatureMaps, by: FeatureMaps | Float32Array): Float64Array {
  const { channels, height, width } = gradients;
  const [total, part] = [new Float64Array(height * width), new Float64Array(height * width)];
  for (let channel = 0; channel < channels; channel++) {
    const g = plane(gradients, channel);
    const factors = by instanceof Float32Array ? undefined : plane(by, channel);
    const factor = by instanceof Float32Array ? by[channel]! : 1;
    let [least, most] = [Number.POSITIVE_INFINITY, 0];
    for (let i = 0; i < part.length; i++) {
      const value = Math.abs(g[i]! * (factors ? factors[i]! : factor));
      if (value < least) least = value;
      if (value > most) most = value;
      part[i] = value;
    }
    const scale = 1 / (most - least + 1e-7);
    for (let i = 0; i < part.length; i++) total[i]! += (part[i]! - least) * scale;
  }
  return total;
}

interface Bias {
  /** The value to which it is added, all else done; stored as N, C, H, W. */
  readonly value: string;
  /** One number a channel. */
  readonly bias: Float32Array;
}

/** The biases of convolutions, and those that batch normalisations amount to, of all layers before the scores. */
export async function biasesOf(graph: Graph, logits: string): Promise<readonly Bias[]> {
  const before = upstream(producers(graph), logits);
  const found: Bias[] = [];
  for (const node of graph.nodes) {
    if (!before.has(node.outputs[0]!)) continue;
    const isNormalization = node.op === "BatchNormalization";
    if (!isNormalization && node.op !== "Conv" && node.op !== "ConvTranspose") continue;
    const bias = await (isNormalization ? normalizationBias(graph, node) : constant(graph, node.inputs[2]));
    if (bias) found.push({ value: node.outputs[0]!, bias });
  }
  return found;
}

/** β - γ μ / √(σ² + ε): what a normalisation of zeros gives. */
async function normalizationBias(graph: Graph, { inputs, attributes }: Node): Promise<Float32Array | undefined> {
  const [scale, shift, mean, variance] = await Promise.all([1, 2, 3, 4].map((i) => constant(graph, inputs[i])));
  if (!scale || !shift || !mean || !variance) return undefined;
  const epsilon = attributes.epsilon?.kind === "float" ? attributes.epsilon.value : 1e-5;
  return shift.map((b, k) => b - (mean[k]! * scale[k]!) / Math.sqrt(variance[k]! + epsilon));
}

async function constant(graph: Graph, value: string | undefined): Promise<Float32Array | undefined> {
  const found = value ? await constantOf(graph, value) : undefined;
  return found && toFloat32(found);
}
