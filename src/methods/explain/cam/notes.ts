/** Why a map is blank, saturated or not to be trusted: every such map carries its reason. */
import { ConvlensError } from "../../../core/errors.ts";
import type { RunOptions } from "../../../core/platform.ts";
import type { ExplainedTarget } from "../../../core/result.ts";
import type { Model } from "../../../model/model.ts";
import type { Subject } from "../pixels/passes.ts";
import type { FeatureMaps } from "./feature-maps.ts";

type Numbers = Float32Array | Float64Array;

export interface MapFacts {
  readonly layer: string;
  readonly target: ExplainedTarget;
  /** Activations, then gradients where the method has any. */
  readonly maps: readonly FeatureMaps[];
  /** The map before its ReLU; absent where it has none. */
  readonly rectified: Numbers | undefined;
}

/** A probability whose slope p (1 - p) is below this has nearly none: what the map shows may be rounding. */
const flat = 1e-3;

/** Reasons that the numbers themselves show. */
export function reasons({ layer, target, maps, rectified }: MapFacts): readonly string[] {
  const { label } = target;
  const [activations, gradients] = maps;
  const notes = saturation(target);
  if (isZero(activations!.numbers))
    notes.push(`layer "${layer}" is dead for this picture: all its activations are 0, and so is the map`);
  else if (gradients && isZero(gradients.numbers))
    notes.push(`the score of ${label} has no slope at layer "${layer}": all its gradients are 0, and so is the map`);
  else if (rectified && isNegative(rectified))
    notes.push(
      `all weighted sums are negative: nothing at layer "${layer}" speaks for ${label}, and the map is 0; --signed shows what speaks against it`,
    );
  return notes;
}

/** Of a probability that hardly changes any more. */
export function saturation({ label, of, probability: p }: ExplainedTarget): string[] {
  if (of !== "probability" || p === null || p * (1 - p) > flat) return [];
  const near = p > 0.5 ? `1 - ${(1 - p).toExponential(1)}` : p.toExponential(1);
  return [
    `the probability of ${label} is ${near}, saturated: it has nearly no slope, and the map may be mostly rounding; --of logit does not saturate`,
  ];
}

/** Loops, not every(): a hundred thousand numbers are looked at. */
function isZero(values: Numbers): boolean {
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) return false;
  return true;
}

/** Nothing above 0, something below. */
function isNegative(values: Numbers): boolean {
  let least = 0;
  for (let i = 0; i < values.length; i++) {
    if (!(values[i]! <= 0)) return false;
    least = Math.min(least, values[i]!);
  }
  return least < 0;
}

function countGaps(values: Numbers): number {
  let gaps = 0;
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) gaps++;
  return gaps;
}

/** A score that is NaN or infinite has no explanation: throws `model-unsupported`, naming the layer where that began. */
export async function mustBeFinite(
  model: Model,
  subject: Subject,
  { label, score }: ExplainedTarget,
  run: RunOptions,
): Promise<void> {
  if (Number.isFinite(score)) return;
  const first = await firstGap(model, subject, run);
  const where = first === undefined ? "" : `, first in layer "${first}"`;
  throw new ConvlensError(
    "model-unsupported",
    `the score of ${label} is ${score}, and nothing explains that: the network's arithmetic overflows on this input${where}; check the input's range (--preprocess)`,
  );
}

/** The first layer, in graph order, whose activations are not all finite: one pass that gives every layer's output. */
async function firstGap(model: Model, { x, feeds }: Subject, run: RunOptions): Promise<string | undefined> {
  const layers = await model.layers();
  const values = await model.run(feeds(x, 1), { ...run, outputs: layers.map(({ name }) => name) });
  return layers.find(({ name }) => countGaps(values[name]!.data) > 0)?.name;
}

/** Says how much of a map is NaN or infinite and where that began: in which layer's activations, or in the gradients. */
export async function gapNotes(
  model: Model,
  subject: Subject,
  map: Float32Array,
  run: RunOptions,
): Promise<readonly string[]> {
  const gaps = countGaps(map);
  if (gaps === 0) return [];
  const first = await firstGap(model, subject, run);
  const began =
    first === undefined
      ? "all activations are finite, so they begin in the gradients or in the sums of the method"
      : `they begin in the activations of layer "${first}", where the network's own arithmetic overflows`;
  return [`${gaps} of the map's ${map.length} values are NaN or infinite, and striped in its picture: ${began}`];
}
