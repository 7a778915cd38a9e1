import { expect, test } from "vitest";
import { namedTensor } from "../../../test/report/named.ts";
import type { NamedTensor } from "../../core/result.ts";
import { float32, transpose } from "../../core/tensor.ts";
import { colorFilters } from "./filters.ts";

const named = (tensor: NamedTensor["tensor"]): NamedTensor => namedTensor("kernel", tensor);
// Keras' shape: 1 row, 2 columns, 3 inputs, 2 filters. Filter 0 is -1..4 along columns and inputs, filter 1 is all 7.
const keras = float32([1, 2, 3, 2], [-1, 7, 0, 7, 1, 7, 2, 7, 3, 7, 4, 7]);
const filter0 = [0, 51, 102, 255, 153, 204, 255, 255];

test("a filter's smallest weight is black, its largest white; equal weights are mid-grey", () => {
  const [first, second] = colorFilters(named(keras), "NHWC", false)!;
  expect([first!.width, first!.height, ...first!.data]).toEqual([2, 1, ...filter0]);
  expect([...second!.data]).toEqual([128, 128, 128, 255, 128, 128, 128, 255]);
});

test("PyTorch's shape gives the same picture, and blue-green-red inputs are turned round", () => {
  const torch = named(transpose(keras, [3, 2, 0, 1]));
  expect([...colorFilters(torch, "NCHW", false)![0]!.data]).toEqual(filter0);
  expect([...colorFilters(torch, "NCHW", true)![0]!.data]).toEqual([102, 51, 0, 255, 255, 204, 153, 255]);
});

test("kernels over other inputs are no colours", () => {
  expect(colorFilters(named(float32([1, 1, 2, 1], [1, 2])), "NHWC", false)).toBeUndefined();
});
