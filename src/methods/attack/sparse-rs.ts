/** Sparse-RS: random search over k pixels with corner colours; each step moves some of them and keeps what helps. */
import { type Random, random } from "../../core/random.ts";
import { resolveOptions } from "../method.ts";
import {
  type AttackMethod,
  mustFit,
  pixelsOption,
  type SharedOptions,
  seedOption,
  sharedOptions,
  takesPicture,
} from "./attack.ts";
import { cornerColors } from "./corners.ts";
import { shuffled } from "./evolution.ts";
import { openSearch } from "./search.ts";
import type { Change, Rgb } from "./subject.ts";

export interface SparseRsOptions extends SharedOptions {
  readonly pixels: number;
  readonly steps: number;
  readonly share: number;
  readonly seed: number;
}

export const sparseRs: AttackMethod<SparseRsOptions> = {
  id: "sparse-rs",
  title: "Sparse-RS",
  summary: "Random search over a few pixels with extreme colours, moving fewer of them at a time as it goes on.",
  paper:
    "Croce et al.: Sparse-RS, a Versatile Framework for Query-Efficient Sparse Black-Box Attacks, arXiv 2006.12834",
  follows: "fra31/sparse-rs",
  family: "few",
  kind: "attack",
  needs: ["image"],
  options: {
    pixels: { ...pixelsOption, default: 5 },
    ...sharedOptions,
    steps: {
      type: "integer",
      default: 10_000,
      min: 1,
      max: 1e9,
      help: "pictures tried; the schedule is stretched to it",
    },
    share: {
      type: "number",
      default: 0,
      min: 0,
      max: 1,
      help: "share of the pixels moved at first; 0: as published, 0.3, for a wanted class 0.1",
    },
    seed: seedOption,
  },
  applies: takesPicture,
  async run(model, input, given = {}) {
    const options = resolveOptions<SparseRsOptions>(sparseRs.options, given);
    const search = await openSearch(sparseRs, model, input, options, given, { untilSuccess: true, by: "margin" });
    const { subject, goal } = search;
    const { width, height } = subject.picture;
    const { pixels, steps } = options;
    mustFit(pixels, width, height);
    await search.announce(steps);

    const source = random(options.seed);
    const colors = cornerColors(subject);
    const places = shuffled(width * height, source);
    const first = options.share > 0 ? options.share : goal.to === undefined ? 0.3 : 0.1;
    const drawn = (at: number): Change => ({ at, color: cornerBut(colors, subject.colorAt(at), source) });
    let inside = places.slice(0, pixels).map(drawn);
    let outside = places.slice(pixels);
    let [lowest] = (await search.judge([inside])).map(({ margin }) => margin);
    for (let step = 1; step < steps && !search.isOver; step++) {
      const count = Math.min(Math.max(1, Math.floor(shareAt(step, steps, first) * pixels)), outside.length);
      if (count === 0) {
        // Every pixel is inside: one of them takes another colour.
        const at = source.integer(pixels);
        const color = cornerBut(colors, inside[at]!.color, source);
        const child = inside.with(at, { at: inside[at]!.at, color });
        const [judged] = await search.judge([child]);
        if (judged && judged.margin < lowest!) [inside, lowest] = [child, judged.margin];
        continue;
      }
      const leaving = new Set(shuffled(pixels, source).slice(0, count));
      const entering = sample(outside.length, count, source);
      const child = [...inside.filter((_, i) => !leaving.has(i)), ...entering.map((place) => drawn(outside[place]!))];
      const [judged] = await search.judge([child]);
      if (judged === undefined || judged.margin >= lowest!) continue;
      const left = inside.filter((_, i) => leaving.has(i)).map(({ at }) => at);
      const entered = new Set(entering);
      outside = [...outside.filter((_, place) => !entered.has(place)), ...left];
      [inside, lowest] = [child, judged.margin];
    }
    return search.finish();
  },
};

/** The published schedule, for 10,000 pictures: the share of pixels moved falls from `first` to a twentieth of it. */
export function shareAt(step: number, steps: number, first: number): number {
  const place = Math.floor((step / steps) * 10_000);
  const divisor = schedule.findLast(([from]) => place >= from)![1];
  return first / divisor;
}
const schedule: readonly (readonly [from: number, divisor: number])[] = [
  [0, 1],
  [1, 2],
  [51, 4],
  [201, 5],
  [501, 6],
  [1001, 8],
  [2001, 10],
  [4001, 12],
  [6001, 15],
  [8001, 20],
];

/** A corner colour other than the one given. */
function cornerBut(colors: readonly Rgb[], present: Rgb, source: Random): Rgb {
  const usable = colors.filter((color) => color.join() !== present.join());
  return usable[source.integer(usable.length)]!;
}

/** `count` different whole numbers below `end`. */
function sample(end: number, count: number, source: Random): number[] {
  if (count * 2 > end) return shuffled(end, source).slice(0, count);
  const chosen = new Set<number>();
  while (chosen.size < count) chosen.add(source.integer(end));
  return [...chosen];
}
