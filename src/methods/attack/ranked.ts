/**
 * The changes that `corners` tries, the most promising first: ordered by what the gradient of the margin says that each
 * gains, then judged exactly. Where no change is enough it has tried them all, so it decides as `corners` does.
 */
import { resolveOptions } from "../method.ts";
import { type AttackMethod, opaqueOrNoPicture, type SharedOptions, sharedOptions } from "./attack.ts";
import { cornerChanges, proof } from "./corners.ts";
import { openSearch, type Search } from "./search.ts";
import type { Change } from "./subject.ts";

export const ranked: AttackMethod<SharedOptions> = {
  id: "ranked",
  title: "One pixel, ranked by gradient",
  summary: "Tries corner colours in the order of what the gradient says each gains, until one changes the answer.",
  family: "few",
  kind: "attack",
  needs: ["image", "graph", "gradient"],
  options: sharedOptions,
  applies: opaqueOrNoPicture,
  async run(model, input, given = {}) {
    const options = resolveOptions<SharedOptions>(ranked.options, given);
    const search = await openSearch(ranked, model, input, options, given, { untilSuccess: true, by: "margin" });
    const changes = cornerChanges(search.subject);
    await search.announce(changes.length + 1, 1);
    if (search.left < 2) return search.finish({ notes: ["the budget leaves no picture to try after the gradient"] });
    const order = await byGain(search, changes);
    let size = Math.min(8, options.batch);
    let tried = 0;
    while (tried < order.length && !search.isOver) {
      const part = Array.from(order.subarray(tried, tried + size), (i) => [changes[i]!]);
      tried += (await search.judge(part)).length;
      // The first few succeed most often; later ones are cheaper in large batches.
      size = Math.min(2 * size, options.batch);
    }
    const isWhole = tried === order.length;
    const result = await search.finish({ isWhole });
    return isWhole && !result.success ? { ...result, notes: [...result.notes, proof(tried)] } : result;
  },
};

/** The most classes whose margins are followed. */
const mostRivals = 9;

/** Indices of the changes, the lowest margin first that the gradients promise. */
async function byGain({ subject, goal, start, gradients }: Search, changes: readonly Change[]): Promise<Uint32Array> {
  const { predictions, output } = start.prediction;
  const own = goal.to ?? goal.from;
  const score = predictions.find(({ index }) => index === own)!.score;
  const rivals = predictions.filter(({ index }) => index !== own).slice(0, mostRivals);
  const sign = goal.to === undefined ? 1 : -1;
  const isUnit = output.length === 1;
  const targets = isUnit
    ? [{ class: own }]
    : rivals.map(({ index }) => ({
        weights: Array.from({ length: predictions.length }, (_, i) => (i === own ? 1 : i === index ? -1 : 0)),
      }));
  // One unit's two scores are z and -z: their difference moves twice as much.
  const factor = isUnit ? 2 : 1;
  const slopes = await gradients(subject.levels, targets);
  const wide = subject.isGray ? 1 : 3;
  const promised = new Float64Array(changes.length);
  for (const [i, { at, color }] of changes.entries()) {
    let lead = Number.POSITIVE_INFINITY;
    for (const [r, slope] of slopes.entries()) {
      let gain = 0;
      for (let c = at * wide; c < (at + 1) * wide; c++)
        gain += slope[c]! * (color[c - at * wide]! - subject.levels[c]!);
      lead = Math.min(lead, score - rivals[r]!.score + factor * gain);
    }
    promised[i] = sign * lead;
  }
  return Uint32Array.from(promised.keys()).sort((a, b) => promised[a]! - promised[b]! || a - b);
}
