import { expect, test } from "vitest";
import {
  evaluationOf,
  evaluationOrder,
  type PictureRecord,
  pictureSeed,
  type RunRecord,
  rateOf,
} from "./evaluation.ts";

const run = (to: number | null, success: boolean, after: number, queries = 10, confidence = 0.5): RunRecord => ({
  to,
  success,
  after,
  confidence,
  queries,
  gradients: 0,
  ended: "success",
  pixels: 1,
  l2: 1,
  max: 1,
});
const origin = { model: { name: "m", sha256: "" }, method: "one-pixel", options: {}, engine: "" };
const rest = { title: "t", classes: ["a", "b", "c"], notes: [], origin };

test("strict and paper-style rates are two numbers", () => {
  const records: PictureRecord[] = [
    { picture: "1", label: 0, predicted: 0, runs: [run(1, true, 1), run(2, true, 2, 30, 0.7)] },
    { picture: "2", label: 0, predicted: 0, runs: [run(1, false, 2), run(2, false, 0)] },
    { picture: "3", label: 1, predicted: 1, runs: [run(0, true, 0), run(2, false, 0)] },
    { picture: "4", label: 1, predicted: 2, runs: [] },
    { picture: "5", skipped: "broken" },
    // Twice: counted once.
    { picture: "1", label: 0, predicted: 0, runs: [run(1, false, 0)] },
  ];
  const result = evaluationOf(records, rest);
  expect(result.pictures).toEqual({
    seen: 4,
    right: 3,
    attacked: 3,
    excluded: 1,
    skipped: [{ picture: "5", reason: "broken" }],
  });
  expect(result.untargeted).toBeNull();
  // Another class than the wanted one is no success: 3 of 6, not 4.
  expect(result.targeted).toMatchObject({ tried: 6, succeeded: 3, rate: 0.5, queries: 80 / 6, successQueries: 50 / 3 });
  expect(result.targeted!.confidence).toBeCloseTo((0.5 + 0.7 + 0.5) / 3);
  expect(result.anyTarget).toMatchObject({ tried: 3, succeeded: 2 });
  expect(result.reached).toEqual([1, 1, 1]);
  expect(result.matrix).toEqual([
    [0, 1, 1],
    [1, 0, 0],
    [0, 0, 0],
  ]);
});

test("a class counts once in the matrix, reached with or without being wanted", () => {
  const runs = [run(null, true, 1), run(1, true, 1), run(2, false, 1)];
  const { matrix, untargeted, targeted } = evaluationOf([{ picture: "1", label: 0, predicted: 0, runs }], rest);
  expect([untargeted?.succeeded, targeted?.succeeded]).toEqual([1, 1]);
  expect(matrix[0]).toEqual([0, 1, 0]);
  const open = evaluationOf([{ picture: "1", label: 0, predicted: 0, runs: runs.slice(0, 1) }], rest);
  expect(open.matrix[0]).toEqual([0, 1, 0]);
});

test("where folders name no classes nobody knows what is right", () => {
  const records = [{ picture: "1", predicted: 0, runs: [run(null, true, 1)] }];
  expect(evaluationOf(records, rest).pictures).toMatchObject({ seen: 1, right: null, attacked: 1 });
  const wrong = [...records, { picture: "2", label: 1, predicted: 0, runs: [] }];
  expect(evaluationOf(wrong, rest).pictures.right).toBe(0);
});

test("one wanted class has a strict rate only", () => {
  const records = [0, 1].map((label) => ({ picture: `${label}`, label, predicted: label, runs: [run(2, true, 2)] }));
  const result = evaluationOf(records, rest);
  expect(result).toMatchObject({ targeted: { tried: 2, succeeded: 2 }, anyTarget: null, reached: [] });
});

test("nothing tried gives no rate", () => {
  expect(evaluationOf([], rest)).toMatchObject({ untargeted: null, targeted: null, anyTarget: null, reached: [] });
  expect(rateOf(0, 0)).toEqual({ tried: 0, succeeded: 0, rate: null, interval: null });
});

test("Wilson's interval", () => {
  // 15 of 50, worked out apart: 0.191036 to 0.437504.
  const { interval } = rateOf(15, 50);
  expect(interval![0]).toBeCloseTo(0.191036, 5);
  expect(interval![1]).toBeCloseTo(0.437504, 5);
  expect(rateOf(0, 20).interval![0]).toBe(0);
});

test("a picture's seed is its own, and the order the same", () => {
  expect(pictureSeed("cat/1.png", 0)).toBe(pictureSeed("cat/1.png", 0));
  expect(
    new Set(["cat/1.png", "cat/2.png", "dog/1.png"].flatMap((name) => [pictureSeed(name, 0), pictureSeed(name, 1)]))
      .size,
  ).toBe(6);
  expect(pictureSeed("x", 5)).toBeLessThan(2 ** 31);
  expect(evaluationOrder(50, 1)).toEqual(evaluationOrder(50, 1));
  expect([...evaluationOrder(50, 1)].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
});
