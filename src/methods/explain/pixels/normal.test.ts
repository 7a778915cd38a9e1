import { expect, it } from "vitest";
import { random } from "../../../core/random.ts";
import { addNormal } from "./normal.ts";

it("noise is normal: its moments and how much lies beyond 1, 2 and 3 sigma", () => {
  const from = new Float32Array(400_001).fill(5);
  const noise = new Float32Array(from.length);
  addNormal(from, 2, random(7), noise);
  const z = Array.from(noise, (v) => (v - 5) / 2);
  const moment = (power: number): number => z.reduce((sum, v) => sum + v ** power, 0) / z.length;
  expect(moment(1)).toBeCloseTo(0, 2);
  expect(moment(2)).toBeCloseTo(1, 2);
  expect(moment(3)).toBeCloseTo(0, 1);
  expect(moment(4)).toBeCloseTo(3, 1);
  const beyond = (limit: number): number => z.filter((v) => v > limit).length / z.length;
  expect(beyond(1)).toBeCloseTo(0.158655, 2);
  expect(beyond(2)).toBeCloseTo(0.02275, 3);
  expect(beyond(3)).toBeCloseTo(0.00135, 3);
  const pairs = z.slice(0, -1).reduce((sum, v, i) => sum + v * z[i + 1]!, 0) / z.length;
  expect(pairs).toBeCloseTo(0, 2);
});

it("the numbers are the distribution's own quantiles", () => {
  // A stream whose bits count up visits every entry of the table once.
  let at = 0;
  const counting = { uniform: () => (at++ * 65537) / 2 ** 32, normal: () => 0, integer: () => 0 };
  const all = new Float32Array(2 * 65536);
  addNormal(new Float32Array(all.length), 1, counting, all);
  const sorted = all.slice().sort();
  expect(sorted[0]).toBeCloseTo(-4.324919, 5);
  expect(sorted.at(-1)).toBeCloseTo(4.324919, 5);
  // scipy.stats.norm.ppf
  for (const [p, z] of [
    [0.01, -2.326348],
    [0.025, -1.959964],
    [0.3, -0.524401],
    [0.5, 0],
    [0.9, 1.281552],
  ] as const)
    expect(sorted[Math.round(p * sorted.length)]).toBeCloseTo(z, 3);
});
