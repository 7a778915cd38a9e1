/** Every pixel with each of the eight extreme colours: the best such change, or the proof that none is enough. */
import type { HeatMap } from "../../core/result.ts";
import { float32 } from "../../core/tensor.ts";
import { labelName } from "../../model/labels.ts";
import { resolveOptions } from "../method.ts";
import { type AttackMethod, type SharedOptions, sharedOptions, takesPicture } from "./attack.ts";
import { openSearch, type Search } from "./search.ts";
import type { Change, Rgb, Subject } from "./subject.ts";

export interface CornersOptions extends SharedOptions {
  readonly stop: "never" | "success";
}

export const corners: AttackMethod<CornersOptions> = {
  id: "corners",
  title: "All corner colours",
  summary: "Tries every pixel with each of the 8 extreme colours: finds the best such change or proves there is none.",
  paper: "The first step of CornerSearch: Croce, Hein: Sparse and Imperceivable Adversarial Attacks, arXiv 1909.05040",
  family: "few",
  kind: "attack",
  needs: ["image"],
  options: {
    ...sharedOptions,
    stop: {
      type: "choice",
      default: "never",
      choices: ["never", "success"],
      help: "when to end: never before all are tried, which gives the best one and the map of vulnerability, or at the first success",
    },
  },
  applies: takesPicture,
  async run(model, input, given = {}) {
    const options = resolveOptions<CornersOptions>(corners.options, given);
    const untilSuccess = options.stop === "success";
    const search = await openSearch(corners, model, input, options, given, { untilSuccess, by: "margin" });
    const changes = cornerChanges(search.subject);
    await search.announce(changes.length);
    const { width, height } = search.subject.picture;
    const lowest = new Float32Array(width * height).fill(Number.NaN);
    let tried = 0;
    while (tried < changes.length && !search.isOver) {
      const part = changes.slice(tried, tried + options.batch);
      const judged = await search.judge(part.map((change) => [change]));
      for (const [i, { margin }] of judged.entries()) {
        const { at } = part[i]!;
        if (!(lowest[at]! <= margin)) lowest[at] = margin;
      }
      tried += judged.length;
      if (judged.length < part.length) break;
    }
    const isWhole = tried === changes.length;
    const result = await search.finish({ isWhole });
    if (!isWhole) {
      const all = changes.length.toLocaleString("en");
      const left = result.success ? "others may be better" : "nothing is proven";
      const cut = `${tried.toLocaleString("en")} of ${all} corner changes were tried: ${left}`;
      return result.ended === "success" ? result : { ...result, notes: [...result.notes, cut] };
    }
    const { origin, notes } = result;
    return {
      ...result,
      notes: result.success ? notes : [...notes, proof(tried)],
      vulnerability: mapOf(search, lowest, { origin, labels: model.labels, notes }),
    };
  },
};

/** What is known once all corner changes were tried in vain. */
export const proof = (tried: number): string =>
  `all ${tried.toLocaleString("en")} changes of one pixel to a corner colour were tried: none reaches the goal`;

/** The extreme colours: each level 0 or 255; black and white for networks of grey pictures. */
export const cornerColors = ({ isGray }: Subject): readonly Rgb[] => {
  const all = Array.from({ length: 8 }, (_, i): Rgb => [i & 4 ? 255 : 0, i & 2 ? 255 : 0, i & 1 ? 255 : 0]);
  return isGray ? [all[0]!, all[7]!] : all;
};

/** Every pixel with every corner colour, pixel by pixel; those that change nothing are left out. */
export function cornerChanges(subject: Subject): Change[] {
  const colors = cornerColors(subject);
  const { width, height } = subject.picture;
  const changes: Change[] = [];
  for (let at = 0; at < width * height; at++) {
    const [red, green, blue] = subject.colorAt(at);
    for (const color of colors)
      if (color[0] !== red || color[1] !== green || color[2] !== blue) changes.push({ at, color });
  }
  return changes;
}

function mapOf(
  { subject, goal, start }: Search,
  lowest: Float32Array,
  { origin, labels, notes }: Pick<HeatMap, "origin" | "notes"> & { labels: Parameters<typeof labelName>[0] },
): HeatMap {
  const { width, height } = subject.picture;
  const index = goal.to ?? goal.from;
  const entry = start.prediction.predictions.find((score) => score.index === index)!;
  return {
    kind: "map",
    title: "Lowest margin by one pixel",
    target: { index, label: labelName(labels, index), of: "logit", score: entry.score, probability: entry.probability },
    signed: true,
    layers: [],
    map: float32([height, width], lowest),
    origin,
    notes,
  };
}
