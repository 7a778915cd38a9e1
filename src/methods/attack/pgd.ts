/** Projected gradient descent: many small steps, each put back into the ball around the picture; several random starts. */
import { type Random, random } from "../../core/random.ts";
import { resolveOptions } from "../method.ts";
import { type AttackMethod, opaqueOrNoPicture, type SharedOptions, seedOption, sharedOptions } from "./attack.ts";
import { epsilonOption, lossGradient } from "./dense.ts";
import { openSearch } from "./search.ts";

export interface PgdOptions extends SharedOptions {
  readonly norm: Norm;
  readonly epsilon: number;
  readonly alpha: number;
  readonly steps: number;
  readonly restarts: number;
  readonly randomStart: boolean;
  readonly seed: number;
}

type Norm = "linf" | "l2";

export const pgd: AttackMethod<PgdOptions> = {
  id: "pgd",
  title: "Projected gradient descent",
  summary: "Follows the gradient in many small steps and stays close to the picture.",
  paper: "Madry et al.: Towards Deep Learning Models Resistant to Adversarial Attacks, arXiv 1706.06083",
  follows: "torchattacks PGD and PGDL2",
  family: "dense",
  kind: "attack",
  needs: ["image", "graph", "gradient"],
  options: {
    ...sharedOptions,
    norm: {
      type: "choice",
      default: "linf",
      choices: ["linf", "l2"],
      help: "what stays small: the largest move of a level (linf), or the root of the sum of squares of all (l2)",
    },
    epsilon: {
      ...epsilonOption,
      default: 0,
      min: 0,
      max: 1e6,
      help: "how far, in levels (0 to 255); 0: as usual, 8 for linf and 128 for l2",
    },
    alpha: {
      type: "number",
      default: 0,
      min: 0,
      max: 1e6,
      help: "length of a step in levels; 0: a quarter of epsilon",
    },
    steps: { type: "integer", default: 10, min: 1, max: 100_000, help: "steps of each start" },
    restarts: { type: "integer", default: 1, min: 1, max: 100_000, help: "starts, until one succeeds" },
    randomStart: {
      type: "boolean",
      default: true,
      help: "start anywhere within epsilon; false: at the picture itself",
    },
    seed: seedOption,
  },
  applies: opaqueOrNoPicture,
  async run(model, input, given = {}) {
    const chosen = resolveOptions<PgdOptions>(pgd.options, given);
    const epsilon = chosen.epsilon || (chosen.norm === "linf" ? 8 : 128);
    const options: PgdOptions = { ...chosen, epsilon, alpha: chosen.alpha || epsilon / 4 };
    const { norm, alpha, steps, restarts, randomStart } = options;
    const search = await openSearch(pgd, model, input, options, given, { untilSuccess: true, by: "margin" });
    // Levels that are not whole are rounded for the file, and judged once more where they seem to be at the goal.
    const isWhole = norm === "linf" && Number.isInteger(epsilon) && Number.isInteger(alpha);
    await search.announce(restarts * (2 * steps + 1 + (isWhole ? 0 : steps + 1)), restarts * steps);
    const { subject } = search;
    const origin = subject.levels;
    const source = random(options.seed);
    for (let restart = 0; restart < restarts && !search.isOver; restart++) {
      let point = randomStart ? startIn(origin, norm, epsilon, source) : origin.slice();
      for (let step = 0; !search.isOver; step++) {
        const judged = restart === 0 && step === 0 && !randomStart ? search.start : await search.judgeLevels(point);
        const isLast = step === steps;
        if (isLast || judged.margin < 0) {
          const known = { tensor: subject.tensorOf(point).data, judged };
          await search.judgePicture(subject.pictureOf(point), known);
        }
        if (isLast || search.left < 2 || search.isOver) break;
        const slope = await lossGradient(search, point, judged);
        point = project(stepped(point, slope, norm, alpha), origin, norm, epsilon);
      }
    }
    return search.finish();
  },
};

/** A step of length `alpha` along a gradient: in every level for linf, of the whole vector for l2. */
function stepped(point: Float64Array, slope: Float64Array, norm: Norm, alpha: number): Float64Array {
  if (norm === "linf") return point.map((level, i) => level + alpha * Math.sign(slope[i]!));
  const length = lengthOf(slope) + 1e-10;
  return point.map((level, i) => level + (alpha * slope[i]!) / length);
}

/** The nearest point within `epsilon` of the origin; then levels are clipped to 0..255, as torchattacks does. */
function project(point: Float64Array, origin: Float64Array, norm: Norm, epsilon: number): Float64Array {
  if (norm === "linf")
    return point.map((level, i) => clip(Math.min(origin[i]! + epsilon, Math.max(origin[i]! - epsilon, level))));
  const moved = point.map((level, i) => level - origin[i]!);
  const factor = Math.min(1, epsilon / Math.max(lengthOf(moved), 1e-30));
  return moved.map((move, i) => clip(origin[i]! + factor * move));
}

const clip = (level: number): number => Math.min(255, Math.max(0, level));
const lengthOf = (vector: Float64Array): number => Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));

/**
 * Uniform in the cube (whole levels where epsilon is whole, so that no rounding is left for later), or in the ball: a
 * random direction and a length of U(0, 1) times epsilon, as torchattacks has it.
 */
function startIn(origin: Float64Array, norm: Norm, epsilon: number, source: Random): Float64Array {
  if (norm === "linf") {
    const move = () =>
      Number.isInteger(epsilon) ? source.integer(2 * epsilon + 1) - epsilon : epsilon * (2 * source.uniform() - 1);
    return origin.map((level) => clip(level + move()));
  }
  const direction = origin.map(() => source.normal());
  const length = (source.uniform() * epsilon) / lengthOf(direction);
  return origin.map((level, i) => clip(level + length * direction[i]!));
}
