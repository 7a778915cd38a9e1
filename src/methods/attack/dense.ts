/** What attacks on all pixels share: the direction in which the loss rises, as PyTorch's cross-entropy has it. */
import type { OptionSpec } from "../method.ts";
import type { Judged, Search } from "./search.ts";

export const epsilonOption: OptionSpec = {
  type: "number",
  default: 8,
  min: 0.01,
  max: 255,
  help: "how far each level (0 to 255) may move",
};

/**
 * The gradient by the levels of what is to rise: the cross-entropy of the present class, or minus that of the wanted one.
 * By the logits it is `p - one-hot`, so no probability that has sunk to 0 can stop it.
 */
export async function lossGradient(search: Search, levels: Float64Array, judged: Judged): Promise<Float64Array> {
  const { from, to } = search.goal;
  const { predictions, output } = judged.prediction;
  const own = to ?? from;
  const sign = to === undefined ? 1 : -1;
  if (output.length === 1) {
    // One unit: the cross-entropy falls as the class's own logit rises, at (1 - p) of its slope.
    const [slope] = await search.gradients(levels, [{ class: own }]);
    const z = predictions.find(({ index }) => index === own)!.score;
    const share = 1 / (1 + Math.exp(z));
    return slope!.map((value) => -sign * share * value);
  }
  const largest = Math.max(...predictions.map(({ score }) => score));
  const powers = new Float64Array(predictions.length);
  for (const { index, score } of predictions) powers[index] = Math.exp(score - largest);
  const sum = powers.reduce((a, b) => a + b, 0);
  const weights = Array.from(powers, (power, index) => sign * (power / sum - (index === own ? 1 : 0)));
  const [slope] = await search.gradients(levels, [{ weights }]);
  return slope!;
}
