/** Differential evolution against SciPy: its operators on the same numbers, and how far it comes. */
import { readFileSync } from "node:fs";
import { describe, expect, it, test } from "vitest";
import { random } from "../../core/random.ts";
import { combine, crossover, evolve, latinHypercube, type Member, shuffled } from "./evolution.ts";

const { operators, convergence } = JSON.parse(
  readFileSync(new URL("../../../test/fixtures/attack/attack.json", import.meta.url), "utf8"),
);

describe("operators", () => {
  const population: Member[] = operators.population.map((member: number[]) => Float64Array.from(member));
  const [r0, r1, r2] = operators.samples as [number, number, number];
  const close = (member: Member, wanted: number[]) => {
    for (const [gene, value] of wanted.entries()) expect(member[gene]).toBeCloseTo(value, 14);
  };
  it("mutate as SciPy's best1 and rand1", () => {
    close(combine(population[0]!, population[r0]!, population[r1]!, operators.scale), operators.best1);
    close(combine(population[r0]!, population[r1]!, population[r2]!, operators.scale), operators.rand1);
  });
  it("cross as SciPy's binomial", () => {
    const mutant = combine(population[0]!, population[r0]!, population[r1]!, operators.scale);
    for (const { candidate, drawn, fill, trial } of operators.trials)
      close(crossover(population[candidate]!, mutant, drawn, fill, 0.7), trial);
  });
});

const rosenbrock = (x: Member): number => {
  let sum = 0;
  for (let i = 0; i + 1 < x.length; i++) sum += 100 * (x[i + 1]! - x[i]! ** 2) ** 2 + (1 - x[i]!) ** 2;
  return sum;
};
const bounds = Array.from({ length: convergence.genes }, () => convergence.bounds as [number, number]);
const minimise = async (seed: number, generations: number, strategy: "best1bin" | "rand1" = "best1bin") => {
  const source = random(seed);
  const start = latinHypercube(convergence.population, bounds, source);
  const judge = async (members: readonly Member[]) => members.map(rosenbrock);
  return evolve({ strategy, recombination: 0.7, bounds, start, generations, random: source, judge });
};

test.each(Object.entries<number[]>(convergence.best))(
  "after %s generations it is where SciPy is",
  async (generations, theirs) => {
    const ours: number[] = [];
    for (let seed = 0; seed < 30; seed++) ours.push((await minimise(seed, Number(generations))).loss);
    ours.sort((a, b) => a - b);
    // The middle run lies between SciPy's quarters, in orders of magnitude a little to either side.
    const middle = Math.log10(ours[15]!);
    expect(middle).toBeGreaterThan(Math.log10(theirs[5]!) - 0.5);
    expect(middle).toBeLessThan(Math.log10(theirs[24]!) + 0.5);
  },
);

test("rand1 keeps to the bounds, replaces only by fitter ones, and says what its best is", async () => {
  const source = random(3);
  const start = latinHypercube(20, bounds, source);
  let least = Number.POSITIVE_INFINITY;
  const { best, loss, generations } = await evolve({
    strategy: "rand1",
    recombination: 1,
    bounds,
    start,
    generations: 50,
    random: source,
    async judge(members) {
      for (const member of members) for (const value of member) expect(value >= 0 && value <= 2).toBe(true);
      const losses = members.map(rosenbrock);
      least = Math.min(least, ...losses);
      return losses;
    },
  });
  expect(generations).toBe(50);
  expect(loss).toBe(least);
  expect(rosenbrock(best)).toBe(loss);
});

test("it ends where fewer losses come back than members, and where it is told to", async () => {
  let calls = 0;
  const start = latinHypercube(10, bounds, random(1));
  const options = { strategy: "rand1", recombination: 1, bounds, start, generations: 9 } as const;
  const cut = await evolve({
    ...options,
    random: random(1),
    judge: async (members) => (++calls < 3 ? members.map(rosenbrock) : []),
  });
  expect([calls, cut.generations]).toEqual([3, 2]);
  const told = await evolve({
    ...options,
    random: random(1),
    judge: async (members) => members.map(rosenbrock),
    isDone: () => true,
  });
  expect(told.generations).toBe(0);
});

test("a Latin hypercube has one member in each part of each gene's range", () => {
  const members = latinHypercube(
    16,
    [
      [0, 16],
      [-1, 1],
    ],
    random(2),
  );
  expect(members.map(([x]) => Math.floor(x!)).sort((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, i) => i));
  expect(members.map((member) => Math.floor((member[1]! + 1) * 8)).sort((a, b) => a - b)).toEqual(
    Array.from({ length: 16 }, (_, i) => i),
  );
});

test("shuffled lists hold every number once, each place equally likely", () => {
  const source = random(8);
  const first = new Array<number>(5).fill(0);
  for (let i = 0; i < 5000; i++) {
    const list = shuffled(5, source);
    expect([...list].sort()).toEqual([0, 1, 2, 3, 4]);
    first[list[0]!]!++;
  }
  for (const count of first) expect(Math.abs(count - 1000)).toBeLessThan(120);
});
