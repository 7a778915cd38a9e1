import { expect, it } from "vitest";
import { float32 } from "../core/tensor.ts";
import { checkFeeds } from "./feeds.ts";

const input = { name: "x", shape: [null, 13], layout: "NCHW", type: "float32" } as const;

it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("%d is refused wherever it stands", (odd) => {
  for (let at = 0; at < 13; at++) {
    const data = [1, -2, 0, 3e38, 1e-45, 3e38, 3e38, 3e38, 1, 2, 3, 4, 5];
    data[at] = odd;
    expect(() => checkFeeds([input], float32([1, 13], data))).toThrow(`at element ${at};`);
  }
});

it("the largest, the smallest and negative zero pass", () => {
  const tensor = float32(
    [1, 13],
    [3.4e38, -3.4e38, 1e-45, -0, 0, 3.4e38, 3.4e38, 3.4e38, 3.4e38, 3.4e38, 3.4e38, 0, 1],
  );
  expect(checkFeeds([input], tensor)).toEqual({ x: tensor });
});
