import { describe, expect, it } from "vitest";
import { float32 } from "../core/tensor.ts";
import type { Head } from "./heads.ts";
import { type ScoreOptions, scoreClasses, vectors } from "./scores.ts";

const head = (activation: Head["activation"]): Head => ({ output: "y", logits: "z", activation, names: ["y"] });
const options = (more: Partial<ScoreOptions> = {}): ScoreOptions => ({
  head: head(undefined),
  wanted: undefined,
  card: undefined,
  labels: undefined,
  top: 10,
  ...more,
});
const f = (...values: number[]): Float32Array => Float32Array.from(values);
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

describe("scoreClasses", () => {
  it("takes probabilities from the file where it ends in Softmax, and scores from behind it", () => {
    const { predictions, notes } = scoreClasses(f(0.1, 0.7, 0.2), f(0, 1.95, 0.69), options({ head: head("softmax") }));
    expect(predictions.map(({ index }) => index)).toEqual([1, 2, 0]);
    expect(predictions[0]).toMatchObject({ label: "class 1", probability: f(0.7)[0], score: f(1.95)[0] });
    expect(notes).toEqual([]);
  });

  it("applies softmax to bare logits, stably, and says so", () => {
    const { predictions, notes } = scoreClasses(f(1000, 999), f(1000, 999), options());
    expect(predictions[0]!.probability).toBeCloseTo(sigmoid(1), 6);
    expect(notes[0]).toMatch(/softmax is taken.*--activation/);
  });

  it("needs no note where the card says it", () => {
    expect(scoreClasses(f(1, 2), f(1, 2), options({ card: "softmax" })).notes).toEqual([]);
  });

  it("one unit is two classes: 1 has +logit, 0 has -logit", () => {
    const { predictions, output } = scoreClasses(f(0.25), f(-1.0986123), options({ head: head("sigmoid") }));
    expect(predictions).toEqual([
      { index: 0, label: "class 0", probability: 0.75, score: f(1.0986123)[0] },
      { index: 1, label: "class 1", probability: 0.25, score: f(-1.0986123)[0] },
    ]);
    expect(output).toEqual([0.25]);
  });

  it("says so unless two labels do", () => {
    const notes = (...labels: string[]): number =>
      scoreClasses(f(0.25), f(-1), options({ head: head("sigmoid"), labels: labels.map((name) => ({ name })) })).notes
        .length;
    expect([notes("cat", "dog"), notes("dog")]).toEqual([0, 1]);
  });

  it("several sigmoids stand each for itself", () => {
    const { predictions } = scoreClasses(f(0.9, 0.8), f(2.2, 1.4), options({ head: head("sigmoid") }));
    expect(predictions.map(({ probability }) => probability)).toEqual([f(0.9)[0], f(0.8)[0]]);
  });

  it("the caller's activation outranks the graph's", () => {
    const given = options({ head: head("softmax"), wanted: "none" });
    expect(scoreClasses(f(0.9, 0.1), f(3, 1), given).predictions[0]).toMatchObject({ probability: null, score: 3 });
    const sigmoids = scoreClasses(f(0.9, 0.1), f(3, 1), { ...given, wanted: "sigmoid" });
    expect(sigmoids.predictions[0]!.probability).toBeCloseTo(sigmoid(3), 6);
  });

  it("log-softmax gives its exponential", () => {
    const { predictions } = scoreClasses(
      f(Math.log(0.25), Math.log(0.75)),
      f(0, 1.1),
      options({ head: head("log-softmax") }),
    );
    expect(predictions[0]!.probability).toBeCloseTo(0.75, 6);
  });

  it("takes a distribution as it is, with a note", () => {
    const { predictions, notes } = scoreClasses(f(0.25, 0.75), f(0.25, 0.75), options());
    expect(predictions[0]!.probability).toBe(0.75);
    expect(notes[0]).toMatch(/taken as probabilities/);
  });

  it("equal scores keep the order of classes, and top cuts", () => {
    const { predictions } = scoreClasses(f(1, 2, 2), f(1, 2, 2), options({ top: 2 }));
    expect(predictions.map(({ index }) => index)).toEqual([1, 2]);
  });
});

it("scores that are NaN come last, and a note says so", () => {
  const logits = Float32Array.of(Number.NaN, 1, Number.NaN, 3);
  for (const top of [2, 4, 40]) {
    const { predictions, notes } = scoreClasses(logits, logits, options({ top, wanted: "none" }));
    expect(predictions.map(({ index }) => index)).toEqual([3, 1, 0, 2].slice(0, top));
    expect(notes.join()).toMatch(/NaN/);
  }
});

it("few of many classes are the same as the first of all", () => {
  const logits = Float32Array.from({ length: 500 }, (_, i) => Math.round(Math.sin(i * 12.9898) * 40));
  const all = scoreClasses(logits, logits, options({ top: 500 })).predictions;
  for (const top of [1, 5, 32])
    expect(scoreClasses(logits, logits, options({ top })).predictions).toEqual(all.slice(0, top));
});

describe("vectors", () => {
  it("drops axes of 1, one row a picture", () => {
    expect(vectors(float32([2, 3, 1, 1], [1, 2, 3, 4, 5, 6]), "net").map((row) => [...row])).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(vectors(float32([1, 1], [5]), "net").map((row) => [...row])).toEqual([[5]]);
  });
  it("refuses maps", () => {
    expect(() => vectors(float32([1, 2, 4, 4], new Float32Array(32)), "net")).toThrow(/\[1, 2, 4, 4\]: no vector/);
  });
});
