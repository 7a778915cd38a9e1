/** The one-pixel attack: differential evolution over the place and colour of k pixels, with the paper's settings. */
import { ConvlensError } from "../../core/errors.ts";
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
import { evolve, latinHypercube, type Member } from "./evolution.ts";
import { type Candidate, openSearch, type Search } from "./search.ts";
import type { Subject } from "./subject.ts";

export interface OnePixelOptions extends SharedOptions {
  readonly pixels: number;
  readonly population: number;
  readonly generations: number;
  readonly strategy: "paper" | "scipy";
  readonly stop: Stop;
  readonly seed: number;
}

/** `success`: the first picture that reaches the goal. The next three are the paper's, looked at after each generation. */
type Stop = "success" | "target-above-90" | "true-below-5" | "target-above-true" | "never";
const stops: readonly Stop[] = ["success", "target-above-90", "true-below-5", "target-above-true", "never"];

export const onePixel: AttackMethod<OnePixelOptions> = {
  id: "one-pixel",
  title: "One-pixel attack",
  summary: "Searches for one pixel (or a few) that changes the answer, by differential evolution.",
  paper: "Su, Vargas, Sakurai: One Pixel Attack for Fooling Deep Neural Networks, arXiv 1710.08864",
  family: "few",
  kind: "attack",
  needs: ["image"],
  options: {
    pixels: pixelsOption,
    ...sharedOptions,
    population: { type: "integer", default: 400, min: 4, max: 100_000, help: "candidates of a generation" },
    generations: { type: "integer", default: 100, min: 0, max: 1_000_000, help: "generations at most" },
    strategy: {
      type: "choice",
      default: "paper",
      choices: ["paper", "scipy"],
      help: "paper: rand/1, F 0.5, no crossover, colours from N(128, 127); scipy: best1bin, F from U(0.5, 1), no crossover, Latin hypercube, as the programs that call SciPy have it",
    },
    stop: {
      type: "choice",
      default: "success",
      choices: stops,
      help: "when to end: at the first success, by one of the paper's rules (probability of the wanted class above 90 %, of the present one below 5 %, wanted class above the present one), or never before the last generation",
    },
    seed: seedOption,
  },
  applies: takesPicture,
  async run(model, input, given = {}) {
    const options = resolveOptions<OnePixelOptions>(onePixel.options, given);
    const { pixels, population, generations, strategy, stop } = options;
    const search = await openSearch(onePixel, model, input, options, given, {
      untilSuccess: stop === "success",
      by: "odds",
      // As a population gathers, candidates come again: of one pixel half of all, of three one in 20,000.
      remembers: pixels === 1,
    });
    const { width, height } = search.subject.picture;
    mustFit(pixels, width, height);
    mustStop(stop, search);
    await search.announce(population * (generations + 1));

    const bounds = geneBounds(search.subject, pixels);
    const source = random(options.seed);
    const start =
      strategy === "scipy"
        ? latinHypercube(population, bounds, source)
        : Array.from({ length: population }, () => paperMember(bounds, search.subject, source));
    await evolve({
      strategy: strategy === "scipy" ? "best1bin" : "rand1",
      // SciPy's own default is 0.7; the programs that call it for this attack ask for 1.
      recombination: 1,
      bounds,
      start,
      generations,
      random: source,
      async judge(members) {
        const answers = await search.judge(members.map((member) => candidateOf(member, search.subject)));
        return answers.length < members.length || search.isOver ? [] : answers.map(({ odds }) => odds);
      },
      isDone: () => stopsAt(stop, search),
    });
    return search.finish();
  },
};

function mustStop(stop: Stop, { goal, start }: Search): void {
  const targeted = goal.to !== undefined;
  if ((stop === "target-above-90" || stop === "target-above-true") && !targeted)
    throw new ConvlensError(
      "option-invalid",
      `option "stop" is "${stop}"; it needs a wanted class: name one with "to"`,
    );
  if (stop === "true-below-5" && targeted)
    throw new ConvlensError(
      "option-invalid",
      `option "stop" is "true-below-5", the rule of attacks without a wanted class; leave out "to" or choose another rule`,
    );
  const isOfProbability = stop === "target-above-90" || stop === "true-below-5";
  if (isOfProbability && start.prediction.predictions[0]!.probability === null)
    throw new ConvlensError(
      "option-invalid",
      `option "stop" is "${stop}", a rule for probabilities, and no rule says how this network's scores become such; open it with an activation, or choose another rule`,
    );
}

/** Whether a rule of the paper ends the search with the best candidate so far. */
function stopsAt(stop: Stop, { closest: { prediction }, goal }: Search): boolean {
  const share = (index: number | undefined) =>
    prediction.predictions.find((score) => score.index === index)?.probability ?? Number.NaN;
  const score = (index: number | undefined) =>
    prediction.predictions.find((entry) => entry.index === index)?.score ?? Number.NaN;
  if (stop === "target-above-90") return share(goal.to) > 0.9;
  if (stop === "true-below-5") return share(goal.from) < 0.05;
  return stop === "target-above-true" && score(goal.to) > score(goal.from);
}

/** Genes of one pixel: x, y and its levels (one of a grey network, else red, green, blue). */
const genesOf = ({ isGray }: Subject): number => (isGray ? 3 : 5);

function geneBounds(subject: Subject, pixels: number): (readonly [number, number])[] {
  const { width, height } = subject.picture;
  const levels = Array.from({ length: genesOf(subject) - 2 }, () => [0, 255] as const);
  return Array.from({ length: pixels }, () => [[0, width] as const, [0, height] as const, ...levels]).flat();
}

/** Places from a uniform distribution, levels from N(128, 127), clipped. */
const paperMember = (bounds: readonly (readonly [number, number])[], subject: Subject, source: Random): Member =>
  Float64Array.from(bounds, ([low, high], gene) =>
    gene % genesOf(subject) < 2
      ? low + (high - low) * source.uniform()
      : Math.min(255, Math.max(0, 128 + 127 * source.normal())),
  );

function candidateOf(member: Member, subject: Subject): Candidate {
  const { width, height } = subject.picture;
  const size = genesOf(subject);
  const level = (value: number) => Math.min(255, Math.max(0, Math.round(value)));
  return Array.from({ length: member.length / size }, (_, i) => {
    const [x, y, red, green, blue] = member.subarray(i * size, (i + 1) * size);
    const at = Math.min(height - 1, Math.floor(y!)) * width + Math.min(width - 1, Math.floor(x!));
    return { at, color: [level(red!), level(green ?? red!), level(blue ?? red!)] };
  });
}
