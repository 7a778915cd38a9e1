import { expect, it } from "vitest";
import { float32 } from "../core/tensor.ts";
import { checkFeeds } from "./feeds.ts";

const input = { name: "x", shape: [null, 5], layout: "NCHW", type: "float32" } as const;

it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("%d is refused wherever it stands", (odd) => {
  for (let at = 0; at < 5; at++) {
    const data = [1, -2, 0, 3e38, 1e-45];
    data[at] = odd;
    expect(() => checkFeeds([input], float32([1, 5], data))).toThrow(`at element ${at};`);
  }
});

it("the largest, the smallest and negative zero pass", () => {
  const tensor = float32([1, 5], [3.4e38, -3.4e38, 1e-45, -0, 0]);
  expect(checkFeeds([input], tensor)).toEqual({ x: tensor });
});
