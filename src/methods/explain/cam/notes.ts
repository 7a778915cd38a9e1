/** Why a map is blank, saturated or not to be trusted: every such map carries its reason. */
import type { RunOptions } from "../../../core/platform.ts";
import type { ExplainedTarget } from "../../../core/result.ts";
import type { Tensor } from "../../../core/tensor.ts";
import type { Feeds, Model } from "../../../model/model.ts";

export interface MapFacts {
  readonly layer: string;
  readonly target: ExplainedTarget;
  readonly activations: Tensor<"float32">;
  /** Absent for methods without gradients. */
  readonly gradients: Tensor<"float32"> | undefined;
  /** The map before its ReLU; absent where the method has none. */
  readonly signed: ArrayLike<number> | undefined;
}

/** A probability so near to 1 or 0 that its slope is mostly rounding: p (1 - p) below it. */
const flat = 1e-3;

/** Reasons that the numbers themselves show. */
export function reasons({ layer, target, activations, gradients, signed }: MapFacts): readonly string[] {
  const { label, of, probability } = target;
  const notes: string[] = [];
  if (of === "probability" && probability !== null && probability * (1 - probability) < flat)
    notes.push(
      `the probability of ${label} is ${nearlyText(probability)}: it hardly changes whatever the network sees (saturated), so the map may be mostly rounding; --of logit does not saturate`,
    );
  if (isZero(activations))
    notes.push(`layer "${layer}" is dead for this picture: all its activations are 0, and so is the map`);
  else if (gradients && isZero(gradients))
    notes.push(`the score of ${label} has no slope at layer "${layer}": all its gradients are 0, and so is the map`);
  else if (signed && isNegative(signed))
    notes.push(
      `all weighted sums are negative: nothing at layer "${layer}" speaks for ${label}, and the map is 0; --signed shows what speaks against it`,
    );
  return notes;
}

const nearlyText = (p: number): string => (p > 0.5 ? `1 - ${(1 - p).toExponential(1)}` : p.toExponential(1));

function isZero({ data }: Tensor<"float32">): boolean {
  for (let i = 0; i < data.length; i++) if (data[i] !== 0) return false;
  return true;
}

/** Nothing above 0, something below. */
function isNegative(values: ArrayLike<number>): boolean {
  let least = 0;
  for (let i = 0; i < values.length; i++) {
    if (!(values[i]! <= 0)) return false;
    least = Math.min(least, values[i]!);
  }
  return least < 0;
}

/** Whether a value that is not finite stands among them. */
export function hasGap(values: ArrayLike<number>): boolean {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return true;
  return false;
}

/**
 * Sets what is NaN or infinite to 0, in place, and says how much and where it began: in which layer's activations, or
 * in the gradients. `undefined` where all is finite.
 */
export async function mendGaps(
  model: Model,
  feeds: Feeds,
  layer: string,
  map: Float32Array,
  options: RunOptions,
): Promise<string | undefined> {
  let gaps = 0;
  for (let i = 0; i < map.length; i++)
    if (!Number.isFinite(map[i])) {
      map[i] = 0;
      gaps++;
    }
  if (gaps === 0) return undefined;
  const first = await firstGap(model, feeds, options);
  const where =
    first === undefined
      ? `the activations are finite, so they began in the gradients or the sums at layer "${layer}"`
      : `they began in the activations of layer "${first}"`;
  return `${gaps} of ${map.length} values of the map are NaN or infinite and are given as 0: ${where}`;
}

/** The first layer, in graph order, whose activations are not all finite. One pass with every layer's output. */
async function firstGap(model: Model, feeds: Feeds, options: RunOptions): Promise<string | undefined> {
  const layers = await model.layers();
  const values = await model.run(feeds, { ...options, outputs: layers.map(({ name }) => name) });
  return layers.find(({ name }) => hasGap(values[name]!.data))?.name;
}
