/** The fast gradient sign method: one step of every level in the direction of the loss. */
import { resolveOptions } from "../method.ts";
import { type AttackMethod, opaqueOrNoPicture, type SharedOptions, sharedOptions } from "./attack.ts";
import { epsilonOption, lossGradient } from "./dense.ts";
import { openSearch } from "./search.ts";

export interface FgsmOptions extends SharedOptions {
  /** Levels, a whole number. */
  readonly epsilon: number;
}

export const fgsm: AttackMethod<FgsmOptions> = {
  id: "fgsm",
  title: "Fast gradient sign",
  summary: "Moves every level by the same small step, up or down as the gradient says.",
  paper: "Goodfellow, Shlens, Szegedy: Explaining and Harnessing Adversarial Examples, arXiv 1412.6572",
  follows: "torchattacks FGSM",
  family: "dense",
  kind: "attack",
  needs: ["image", "graph", "gradient"],
  options: { ...sharedOptions, epsilon: { ...epsilonOption, type: "integer", min: 1 } },
  applies: opaqueOrNoPicture,
  async run(model, input, given = {}) {
    const options = resolveOptions<FgsmOptions>(fgsm.options, given);
    const search = await openSearch(fgsm, model, input, options, given, { untilSuccess: true, by: "margin" });
    await search.announce(2, 1);
    if (search.left < 2) return search.finish({ notes: ["the budget leaves no picture to try after the gradient"] });
    const { levels } = search.subject;
    const slope = await lossGradient(search, levels, search.start);
    const moved = levels.map((level, i) => Math.min(255, Math.max(0, level + options.epsilon * Math.sign(slope[i]!))));
    await search.judgePicture(search.subject.pictureOf(moved));
    return search.finish();
  },
};
