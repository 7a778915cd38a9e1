/**
 * Whether a guessed preprocessing seems to fit. Numbers in a wrong range (0 to 1 where 0 to 255 was meant) hardly reach
 * a network: it answers every photograph much as it answers an empty picture.
 */
import type { RunOptions } from "../../core/platform.ts";
import type { Model } from "../../model/model.ts";
import { preprocessingModes } from "../../model/modes.ts";

/**
 * From this correlation of the class scores on, a photograph's answer counts as that to an empty picture. Measured with
 * nine photographs: networks of ImageNet opened rightly stay below 0.4, SqueezeNet opened as "torch" in place of "raw"
 * gives 0.83 to 0.98.
 */
const alike = 0.8;
/** The scores of a few classes correlate by chance. */
const fewestClasses = 50;

const empty = new WeakMap<Model, readonly number[]>();

/** What to tell about the answer `output` to a photograph; `undefined` where the preprocessing is known, or nothing speaks against it. */
export async function preprocessingDoubt(
  model: Model,
  output: readonly number[],
  options: RunOptions = {},
): Promise<string | undefined> {
  const { guessedMode } = model;
  if (guessedMode === undefined || output.length < fewestClasses) return undefined;
  const blank = empty.get(model) ?? (await answerToEmpty(model, options));
  empty.set(model, blank);
  if (!(correlation(scoresOf(output), scoresOf(blank)) >= alike)) return undefined;
  const others = preprocessingModes.map(({ id }) => id).filter((id) => id !== guessedMode);
  return `preprocessing "${guessedMode}" was guessed and seems not to fit: the network answers much as it does to an empty grey picture; try --preprocess ${others.slice(0, -1).join(", ")} or ${others.at(-1)}`;
}

async function answerToEmpty(model: Model, options: RunOptions): Promise<readonly number[]> {
  const [height, width] = model.preprocessing.size;
  const data = new Uint8ClampedArray(4 * height * width).fill(128);
  for (let i = 3; i < data.length; i += 4) data[i] = 255;
  const { tensor } = model.prepare({ height, width, data });
  const [answer] = await model.predict(tensor, { ...options, top: 1 });
  return answer!.output;
}

/** Probabilities as their logarithms, which differ from the logits by a constant. */
function scoresOf(output: readonly number[]): readonly number[] {
  const sum = output.reduce((total, value) => total + value, 0);
  const areShares = Math.abs(sum - 1) < 1e-3 && output.every((value) => value >= 0);
  return areShares ? output.map((value) => Math.log(value + 1e-12)) : output;
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (const [i, value] of a.entries()) {
    const [x, y] = [value - meanA, b[i]! - meanB];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return ab / Math.sqrt(aa * bb);
}
