import { expect, test } from "vitest";
import type { Layer } from "../../core/layers.ts";
import { pickLayers } from "./activations.ts";

const chain = (classes: readonly string[]): Layer[] =>
  classes.map((kind, i) => ({
    name: `l${i}`,
    class: kind,
    output: `v${i}`,
    layout: "NCHW",
    shape: [null, 8, 8, 8],
    inputs: [i === 0 ? "input" : `l${i - 1}`],
    weights: [],
    parameters: 0,
    multiplyAdds: 0,
  }));
const names = (layers: readonly Layer[]): string[] => layers.map(({ name }) => name);

test("few layers are all shown", () => {
  const layers = chain(["Conv", "Relu", "MaxPool"]);
  expect(pickLayers(layers, 3)).toBe(layers);
});

test("many layers are thinned evenly, from the first to the last", () => {
  expect(names(pickLayers(chain(Array(9).fill("Concat")), 3))).toEqual(["l0", "l4", "l8"]);
});

test("convolutions step aside for the activation behind them", () => {
  const layers = chain(["Conv", "BatchNormalization", "Relu", "Conv", "Relu", "Conv", "Relu"]);
  expect(names(pickLayers(layers, 3))).toEqual(["l2", "l4", "l6"]);
});
