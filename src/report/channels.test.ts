import { expect, test } from "vitest";
import { namedTensor } from "../../test/report/named.ts";
import type { NamedTensor } from "../core/result.ts";
import { float32, transpose } from "../core/tensor.ts";
import { channels } from "./channels.ts";

const named = (tensor: NamedTensor["tensor"]): NamedTensor => namedTensor("output", tensor);

test("facts on channels do not depend on the layout", () => {
  // Two channels of 1 x 3 pixels: 0, 3, 6 and 2, 2, 2.
  const nhwc = float32([1, 1, 3, 2], [0, 2, 3, 2, 6, 2]);
  const nchw = transpose(nhwc, [0, 3, 1, 2]);
  const facts = channels(named(nhwc), "NHWC");
  expect(channels(named(nchw), "NCHW")).toEqual(facts);
  expect(facts[0]).toEqual({ mean: 3, deviation: Math.sqrt(6), max: 6, zeros: 1 / 3, state: "live" });
  expect(facts[1]).toEqual({ mean: 2, deviation: 0, max: 2, zeros: 0, state: "constant" });
});

test("only the first picture of a batch counts", () => {
  const two = float32([2, 1, 1, 1], [5, 100]);
  expect(channels(named(two), "NHWC")).toEqual([{ mean: 5, deviation: 0, max: 5, zeros: 0, state: "constant" }]);
});

test("a channel of zeros is dead", () => {
  expect(channels(named(float32([1, 1, 2, 1], [0, 0])), "NHWC")[0]!.state).toBe("dead");
});
