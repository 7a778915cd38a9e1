/** Rates of an attack over a set of pictures, from one record a picture: counts and means, strict and as papers count. */
import { random } from "../../core/random.ts";
import type { Attack, AttackRate, Evaluation, Origin, Rate } from "../../core/result.ts";
import { shuffled } from "./evolution.ts";

/** What happened to one picture; plain data, a line of the journal. */
export interface PictureRecord {
  /** Its path below the folder. */
  readonly picture: string;
  /** Why it could not be read; the rest is then absent. */
  readonly skipped?: string;
  /** The class of its folder; absent where folders name no classes. */
  readonly label?: number;
  readonly predicted?: number;
  /** Its own seed: an attack with it gives the same again. */
  readonly seed?: number;
  /** Empty for pictures that are not attacked. */
  readonly runs?: readonly RunRecord[];
}

/** One attack on one picture. */
export interface RunRecord {
  /** The wanted class; `null`: any other. */
  readonly to: number | null;
  readonly success: boolean;
  /** The answer at the end. */
  readonly after: number;
  /** Its probability. */
  readonly confidence: number | null;
  readonly queries: number;
  readonly gradients: number;
  readonly ended: Attack["ended"];
  readonly pixels: number;
  readonly l2: number;
  readonly max: number;
}

export const runRecord = (attack: Attack): RunRecord => ({
  to: attack.to?.index ?? null,
  success: attack.success,
  after: attack.after.index,
  confidence: attack.after.probability,
  queries: attack.queries,
  gradients: attack.gradients,
  ended: attack.ended,
  pixels: attack.distance.pixels,
  l2: attack.distance.l2,
  max: attack.distance.max,
});

/** The order in which so many pictures are attacked: the first few are a fair sample, and always the same. */
export const evaluationOrder = (pictures: number, seed: number): readonly number[] => shuffled(pictures, random(seed));

/** A seed of a picture's own, the same wherever it stands in the order: FNV-1a of its name over the run's seed. */
export function pictureSeed(picture: string, seed: number): number {
  let hash = 0x811c9dc5 ^ seed;
  for (const byte of new TextEncoder().encode(picture)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 1;
}

/** The most classes whose matrix is given whole. */
const mostClasses = 100;

/** Counts records up. `classes`: the names of all. A picture that comes twice counts once, as it came first. */
export function evaluationOf(
  records: readonly PictureRecord[],
  { title, classes, origin, notes }: Pick<Evaluation, "title" | "classes" | "notes"> & { readonly origin: Origin },
): Evaluation {
  const all = [...new Map([...records].reverse().map((record) => [record.picture, record])).values()].reverse();
  const seen = all.filter(({ skipped }) => skipped === undefined);
  const labelled = seen.filter(({ label }) => label !== undefined);
  const attacked = seen.filter(({ runs = [] }) => runs.length > 0);
  const runs = attacked.flatMap(({ predicted, runs: own = [] }) => own.map((run) => ({ from: predicted!, ...run })));
  const open = runs.filter(({ to }) => to === null);
  const wanted = runs.filter(({ to }) => to !== null);
  const targetedPictures = attacked.filter(({ runs: own = [] }) => own.some(({ to }) => to !== null));
  const reachedBy = targetedPictures.map(
    ({ runs: own = [] }) => own.filter(({ to, success }) => to !== null && success).length,
  );
  const most = Math.max(0, ...targetedPictures.map(({ runs: own = [] }) => own.filter(({ to }) => to !== null).length));
  const matrix = classes.length > mostClasses ? [] : classes.map(() => new Array<number>(classes.length).fill(0));
  for (const { from, after, success } of wanted.length > 0 ? wanted : open)
    if (success && matrix[from]?.[after] !== undefined) matrix[from][after]!++;
  return {
    kind: "evaluation",
    title,
    pictures: {
      seen: seen.length,
      right: labelled.length > 0 ? labelled.filter(({ label, predicted }) => label === predicted).length : null,
      attacked: attacked.length,
      excluded: seen.length - attacked.length,
      skipped: all.flatMap(({ picture, skipped }) => (skipped === undefined ? [] : [{ picture, reason: skipped }])),
    },
    untargeted: open.length > 0 ? attackRate(open) : null,
    targeted: wanted.length > 0 ? attackRate(wanted) : null,
    anyTarget: most > 1 ? rateOf(reachedBy.filter((n) => n > 0).length, reachedBy.length) : null,
    classes,
    matrix,
    reached: most > 1 ? Array.from({ length: most + 1 }, (_, n) => reachedBy.filter((m) => m === n).length) : [],
    origin,
    notes,
  };
}

function attackRate(runs: readonly RunRecord[]): AttackRate {
  const successes = runs.filter(({ success }) => success);
  const sure = successes.flatMap(({ confidence }) => (confidence === null ? [] : [confidence]));
  return {
    ...rateOf(successes.length, runs.length),
    confidence: mean(sure),
    queries: mean(runs.map(({ queries }) => queries)),
    successQueries: mean(successes.map(({ queries }) => queries)),
  };
}

const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length;

/** A rate with Wilson's interval: (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n), z = 1.96. */
export function rateOf(succeeded: number, tried: number): Rate {
  if (tried === 0) return { tried, succeeded, rate: null, interval: null };
  const rate = succeeded / tried;
  const z = 1.959964;
  const middle = rate + (z * z) / (2 * tried);
  const reach = z * Math.sqrt((rate * (1 - rate)) / tried + (z * z) / (4 * tried * tried));
  const scale = 1 + (z * z) / tried;
  return {
    tried,
    succeeded,
    rate,
    interval: [Math.max(0, (middle - reach) / scale), Math.min(1, (middle + reach) / scale)],
  };
}
