/** What an ascent shows the network, seen by a network that takes notes and gives no slope. */
import { expect, it } from "vitest";
import { float32, type Tensor } from "../../core/tensor.ts";
import type { Model } from "../../model/model.ts";
import { type AscentJob, ascend } from "./ascent.ts";
import { plainly } from "./transforms.ts";

type Gradient = (input: Tensor<"float32">, options: { overlay?: unknown }) => Promise<unknown>;

/** Three steps from a canvas of zeros with noise of 0.1. */
function jobOf(keys: readonly number[], seed: number, gradient: Gradient): AscentJob {
  const size = { count: keys.length, channels: 3, height: 24, width: 24 };
  return {
    model: { gradient } as unknown as Model,
    target: { score: () => "", label: "", reads: [] },
    size,
    start: new Float32Array(keys.length * 3 * 24 * 24),
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
}

/** What a network answers that finds no slope. */
const nothing = (input: Tensor<"float32">, scores: readonly number[]) => ({
  targets: [{ scores, gradients: { input: float32(input.dims, new Float32Array(input.data.length)) } }],
});

/** All that the network was shown, each step's pictures in turn. */
async function shown(keys: readonly number[], seed: number): Promise<readonly Float32Array[]> {
  const seen: Float32Array[] = [];
  const area = 3 * 24 * 24;
  const gradient: Gradient = async (input) => {
    for (let n = 0; n < keys.length; n++) seen.push(input.data.slice(n * area, (n + 1) * area));
    return nothing(
      input,
      keys.map(() => 0),
    );
  };
  await ascend(jobOf(keys, seed, gradient));
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

it("goes on knowing what was off at the start, and what was on since", async () => {
  let redirected = 0;
  const gradient = (...scores: number[]): Gradient => {
    return async (input, { overlay }) => {
      if (overlay) redirected++;
      return nothing(input, [scores.shift()!, 0]);
    };
  };
  // The first step looks twice: it finds no slope, and looks again with rectifiers redirected.
  const job = { ...jobOf([1, 2], 1, gradient(0, 0, 7)), redirect: true };
  const { state } = await ascend({ ...job, steps: 2 });
  expect(redirected).toBe(2);
  expect(state).toMatchObject({ step: 2, dead: true, most: [7, 0] });
  const rest = await ascend({ ...jobOf([1, 2], 1, gradient(5)), redirect: true, resume: state });
  expect(redirected).toBe(3);
  expect(rest.state).toMatchObject({ step: 3, most: [7, 0] });
});
