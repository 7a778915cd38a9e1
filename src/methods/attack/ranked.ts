/**
 * The changes that `corners` tries, the most promising first: ordered by what the gradient of the margin says that each
 * gains, then judged exactly. Where no change is enough it has tried them all, so it decides as `corners` does.
 */
import { ascending } from "../../core/order.ts";
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
    let tried = 0;
    while (tried < order.length && !search.isOver) {
      // The first few succeed most often: batches grow, so that little is judged in vain beside the one that succeeds.
      const size = Math.min(options.batch, Math.max(4, tried >> 2));
      const part = Array.from(order.subarray(tried, tried + size), (i) => [changes[i]!]);
      tried += (await search.judge(part)).length;
    }
    const isWhole = tried === order.length;
    const result = await search.finish({ isWhole });
    return isWhole && !result.success ? { ...result, notes: [...result.notes, proof(tried)] } : result;
  },
};

/**
 * Indices of the changes, first the one that the gradient promises the most of: between the class that is to lose (or, in
 * a targeted attack, to win) and the strongest other one. To follow more of them, up to nine, gave no better order on 80
 * photographs of CIFAR-10, and each is one more pass backwards.
 */
async function byGain({ subject, goal, start, gradients }: Search, changes: readonly Change[]): Promise<Uint32Array> {
  const { predictions, output } = start.prediction;
  const own = goal.to ?? goal.from;
  const rival = predictions.find(({ index }) => index !== own)!.index;
  const weights = predictions.map((_, i) => (i === own ? 1 : i === rival ? -1 : 0));
  // One unit's two scores are z and -z.
  const [slope] = await gradients(subject.levels, [output.length === 1 ? { class: own } : { weights }]);
  const sign = goal.to === undefined ? 1 : -1;
  const wide = subject.isGray ? 1 : 3;
  const moves = new Float64Array(changes.length);
  for (let i = 0; i < changes.length; i++) {
    const { at, color } = changes[i]!;
    for (let c = 0; c < wide; c++)
      moves[i]! += sign * slope![at * wide + c]! * (color[c]! - subject.levels[at * wide + c]!);
  }
  return ascending(moves);
}
