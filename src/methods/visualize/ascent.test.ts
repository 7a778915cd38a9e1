/** What an ascent shows the network, seen by a network that takes notes and gives no slope. */
import { expect, it } from "vitest";
import { float32, type Tensor } from "../../core/tensor.ts";
import type { Model } from "../../model/model.ts";
import { type AscentJob, ascend } from "./ascent.ts";
import { plainly } from "./transforms.ts";

/** All that the network was shown, each step's pictures in turn, from a canvas of zeros with noise of 0.1. */
async function shown(keys: readonly number[], seed: number): Promise<readonly Float32Array[]> {
  const seen: Float32Array[] = [];
  const area = 3 * 24 * 24;
  const model = {
    gradient: async (input: Tensor<"float32">) => {
      for (let n = 0; n < keys.length; n++) seen.push(input.data.slice(n * area, (n + 1) * area));
      const gradients = { input: float32(input.dims, new Float32Array(input.data.length)) };
      return { targets: [{ scores: new Float32Array(keys.length), gradients }] };
    },
  } as unknown as Model;
  const size = { count: keys.length, channels: 3, height: 24, width: 24 };
  const job: AscentJob = {
    model,
    target: { score: () => "", label: "", reads: [] },
    size,
    start: new Float32Array(keys.length * area),
    units: {
      raw: true,
      layout: "NCHW",
      preprocessing: { size: [24, 24], scale: 1, mean: [0], std: [1], channels: "RGB" } as never,
    },
    looks: { ...plainly, noise: 0.1 },
    sees: size,
    views: 1,
    regularizers: {},
    optimizer: "step",
    rate: 1,
    normalize: "none",
    redirect: false,
    steps: 3,
    enough: Number.POSITIVE_INFINITY,
    seed,
    keys,
  };
  await ascend(job);
  return seen;
}

const mean = (values: Float32Array): number => values.reduce((a, b) => a + b, 0) / values.length;
const product = (a: Float32Array, b: Float32Array): number => mean(a.map((value, i) => value * b[i]!));

it("noise is normal, of the deviation asked for, and another for each picture and step", async () => {
  const seen = await shown([4, 9], 1);
  expect(seen).toHaveLength(6);
  for (const [i, one] of seen.entries()) {
    expect(Math.abs(mean(one))).toBeLessThan(3);
    const deviation = Math.sqrt(product(one, one));
    expect(deviation).toBeGreaterThan(24);
    expect(deviation).toBeLessThan(27);
    // Of normal numbers 4.6 % lie beyond two deviations.
    const beyond = one.filter((value) => Math.abs(value) > 51).length / one.length;
    expect(beyond).toBeGreaterThan(0.025);
    expect(beyond).toBeLessThan(0.07);
    for (const other of seen.slice(i + 1)) expect(Math.abs(product(one, other)) / 25.5 ** 2).toBeLessThan(0.1);
  }
});

it("a picture's noise is the same alone, and with the same seed", async () => {
  const [both, alone, again] = [await shown([4, 9], 1), await shown([9], 1), await shown([4, 9], 1)];
  expect(alone).toEqual([both[1], both[3], both[5]]);
  expect(again).toEqual(both);
  expect(await shown([9], 2)).not.toEqual(alone);
});
