import { expect, test } from "vitest";
import type { Prediction } from "../../core/result.ts";
import { predictionHtml } from "./prediction.ts";

const prediction = (predictions: Prediction["predictions"], output: readonly number[]): Prediction => ({
  kind: "prediction",
  predictions,
  output,
  notes: [],
  origin: { model: { name: "m", sha256: "" }, method: "predict", options: {}, engine: "" },
});
const widths = (markup: string): string[] => [...markup.matchAll(/rect width="(\d+)"/g)].map((m) => m[1]!);

test("two classes of one output: both bars, and no word of others", () => {
  const { markup } = predictionHtml(
    prediction(
      [
        { index: 1, label: "dog", probability: 0.75, score: 1.1 },
        { index: 0, label: "cat", probability: 0.25, score: -1.1 },
      ],
      [0.75],
    ),
    2,
  );
  expect(widths(markup)).toEqual(["750", "250"]);
  expect(markup).toContain("all classes together make 100 %");
  expect(markup).not.toContain("The best");
});

test("the best of a thousand: says so", () => {
  const { markup } = predictionHtml(
    prediction([{ index: 9, label: "owl", probability: 0.5, score: 3 }], Array(1000).fill(0)),
  );
  expect(markup).toContain("The best 1 of 1,000 classes.");
});

test("independent probabilities are not said to make 100 %", () => {
  const both = ["a", "b"].map((label, index) => ({ index, label, probability: 0.9, score: 2.2 }));
  expect(predictionHtml(prediction(both, [0.9, 0.9])).markup).toContain("each class judged by itself");
});

test("scores without a rule become bars against the largest, and negative ones none", () => {
  const { markup } = predictionHtml(
    prediction(
      [
        { index: 0, label: "a", probability: null, score: 8 },
        { index: 1, label: "b", probability: null, score: 2 },
        { index: 2, label: "c", probability: null, score: -4 },
      ],
      [8, 2, -4],
    ),
  );
  expect(widths(markup)).toEqual(["1000", "250", "0"]);
  expect(markup).not.toContain(" %");
});
