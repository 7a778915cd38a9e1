/** Optimisers and normalisations against values worked out by hand from their papers' formulas. */
import { describe, expect, it } from "vitest";
import { normalize, optimizers } from "./optimizers.ts";

/** Parameters after each of three steps along the gradients 1, 2, -1. */
function path(name: keyof typeof optimizers, rate: number): number[] {
  const optimizer = optimizers[name](rate);
  const at = Float32Array.of(0);
  return [1, 2, -1].map((g) => {
    optimizer.step(at, Float32Array.of(g), at);
    return at[0]!;
  });
}

it("steps as PyTorch (Adam) and Keras (NAdam, RMSprop) do", () => {
  expect(path("step", 0.5)).toEqual([0.5, 1.5, 1]);
  // torch.optim.Adam(lr=0.1, maximize=True).
  for (const [i, wanted] of [0.1, 0.19651818, 0.23852712].entries())
    expect(path("adam", 0.1)[i]).toBeCloseTo(wanted, 6);
  // keras.optimizers.Nadam(0.1), RMSprop(0.1) along the gradients turned round.
  for (const [i, wanted] of [0.10627876, 0.20089239, 0.16740239].entries())
    expect(path("nadam", 0.1)[i]).toBeCloseTo(wanted, 6);
  for (const [i, wanted] of [0.3162276, 0.6019419, 0.46598494].entries())
    expect(path("rmsprop", 0.1)[i]).toBeCloseTo(wanted, 6);
});

it("an epsilon of one's own is added to the root", () => {
  const at = Float32Array.of(0, 0);
  // The first step of Adam is rate g / (|g| + epsilon).
  optimizers.adam(0.1, undefined, 1).step(at, Float32Array.of(1, 0.01), at);
  expect(at[0]).toBeCloseTo(0.05, 6);
  expect(at[1]).toBeCloseTo(0.001 / 1.01, 6);
});

it.each(["adam", "nadam", "rmsprop"] as const)("%s goes on from what it remembers", (name) => {
  const gradients = [1, 2, -1, 0.5];
  const walk = (from: number, to: number, earlier?: Parameters<(typeof optimizers)["adam"]>[1], start = 0) => {
    const optimizer = optimizers[name](0.1, earlier);
    const at = Float32Array.of(start);
    for (const g of gradients.slice(from, to)) optimizer.step(at, Float32Array.of(g), at);
    return { at: at[0]!, memory: optimizer.memory() };
  };
  const half = walk(0, 2);
  expect(walk(2, 4, { step: 2, memory: half.memory }, half.at).at).toBe(walk(0, 4).at);
});

describe("a gradient over", () => {
  const two = { count: 2, channels: 2 };
  const gradient = Float32Array.of(3, 0, 4, 0, 6, 0, 8, 0);
  it.each([
    ["rms", [1.2, 0, 1.6, 0, 1.2, 0, 1.6, 0], 4],
    ["l2", [0.6, 0, 0.8, 0, 0.6, 0, 0.8, 0], 6],
    ["mean", [3 / 1.75, 0, 4 / 1.75, 0, 6 / 3.5, 0, 8 / 3.5, 0], 5],
    ["pixel", [0.6, 0, 0.8, 0, 0.6, 0, 0.8, 0], 6],
    ["none", [3, 0, 4, 0, 6, 0, 8, 0], 6],
  ] as const)("its %s, picture by picture", (how, wanted, digits) => {
    const own = gradient.slice();
    normalize(own, two, how);
    for (const [i, value] of own.entries()) expect(value).toBeCloseTo(wanted[i]!, digits);
  });
});
