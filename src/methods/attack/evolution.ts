/**
 * Differential evolution: the paper's plain form (rand/1, F = 0.5, no crossover, children clipped to the bounds) and
 * SciPy's best1bin (F drawn from U(0.5, 1) for each generation, binomial crossover, genes out of bounds drawn anew).
 * Generations are synchronous, so that a whole one can be judged in batches.
 */
import type { Random } from "../../core/random.ts";

export type Member = Float64Array;
export type Strategy = "rand1" | "best1bin";

export interface EvolutionOptions {
  readonly strategy: Strategy;
  /** `best1bin`: the share of its genes that a child takes from its mutant, at least one. */
  readonly recombination: number;
  /** `[low, high]` of each gene. */
  readonly bounds: readonly (readonly [number, number])[];
  readonly start: readonly Member[];
  readonly generations: number;
  readonly random: Random;
  /** Losses in order; fewer than members: evolution ends. */
  judge(members: readonly Member[]): Promise<readonly number[]>;
  /** Asked after each generation; `true` ends evolution. */
  isDone?(): boolean;
}

export interface Evolved {
  readonly best: Member;
  readonly loss: number;
  readonly generations: number;
}

/** Evolves towards the least loss. At least 4 members. */
export async function evolve(options: EvolutionOptions): Promise<Evolved> {
  const { strategy, bounds, random, judge, isDone } = options;
  const population: Member[] = options.start.map((member) => member.slice());
  const losses = new Array<number>(population.length).fill(Number.POSITIVE_INFINITY);
  let best = 0;
  const enter = (members: readonly Member[], judged: readonly number[]): void => {
    for (const [i, loss] of judged.entries()) {
      // SciPy lets an equal child replace its parent; the paper asks for a fitter one.
      const enters = strategy === "rand1" ? loss < losses[i]! : loss <= losses[i]!;
      if (!enters) continue;
      population[i] = members[i]!;
      losses[i] = loss;
      if (loss < losses[best]!) best = i;
    }
  };
  const first = await judge(population);
  enter(population, first);
  let [generation, over] = [0, first.length < population.length];
  while (!over && !isDone?.() && generation < options.generations) {
    const children =
      strategy === "rand1"
        ? population.map((_, i) => clipped(rand1(population, i, random), bounds))
        : bestChildren(population, best, options);
    const judged = await judge(children);
    enter(children, judged);
    over = judged.length < children.length;
    generation++;
  }
  return { best: population[best]!, loss: losses[best]!, generations: generation };
}

/** `a + factor * (b - c)`. */
export const combine = (a: Member, b: Member, c: Member, factor: number): Member =>
  a.map((value, gene) => value + factor * (b[gene]! - c[gene]!));

/** The mutant's genes where `drawn` is below the probability and at `fill`, else the parent's. */
export const crossover = (
  parent: Member,
  mutant: Member,
  drawn: ArrayLike<number>,
  fill: number,
  probability: number,
): Member => parent.map((value, gene) => (drawn[gene]! < probability || gene === fill ? mutant[gene]! : value));

/** `count` different members, none of them `i`. */
function others(count: number, i: number, size: number, random: Random): number[] {
  const chosen: number[] = [];
  while (chosen.length < count) {
    const candidate = random.integer(size);
    if (candidate !== i && !chosen.includes(candidate)) chosen.push(candidate);
  }
  return chosen;
}

function rand1(population: readonly Member[], i: number, random: Random): Member {
  const [a, b, c] = others(3, i, population.length, random) as [number, number, number];
  return combine(population[a]!, population[b]!, population[c]!, 0.5);
}

function bestChildren(
  population: readonly Member[],
  best: number,
  { bounds, recombination, random }: EvolutionOptions,
): Member[] {
  const factor = 0.5 + 0.5 * random.uniform();
  return population.map((parent, i) => {
    const [a, b] = others(2, i, population.length, random) as [number, number];
    const mutant = combine(population[best]!, population[a]!, population[b]!, factor);
    const fill = random.integer(parent.length);
    const drawn = parent.map(() => random.uniform());
    const child = crossover(parent, mutant, drawn, fill, recombination);
    return child.map((value, gene) => {
      const [low, high] = bounds[gene]!;
      return value >= low && value <= high ? value : low + (high - low) * random.uniform();
    });
  });
}

const clipped = (member: Member, bounds: EvolutionOptions["bounds"]): Member =>
  member.map((value, gene) => Math.min(bounds[gene]![1], Math.max(bounds[gene]![0], value)));

/** A Latin hypercube: each gene's range is cut into as many parts as there are members, and each part is used once. */
export function latinHypercube(count: number, bounds: EvolutionOptions["bounds"], random: Random): Member[] {
  const members = Array.from({ length: count }, () => new Float64Array(bounds.length));
  for (const [gene, [low, high]] of bounds.entries()) {
    const places = shuffled(count, random);
    for (const [i, member] of members.entries())
      member[gene] = low + ((high - low) * (places[i]! + random.uniform())) / count;
  }
  return members;
}

/** The whole numbers from 0 to `count - 1` in random order. */
export function shuffled(count: number, random: Random): number[] {
  const list = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [list[i], list[j]] = [list[j]!, list[i]!];
  }
  return list;
}
