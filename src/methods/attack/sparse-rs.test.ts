import { expect, test } from "vitest";
import { shareAt } from "./sparse-rs.ts";

test("the published schedule: the share falls at 1, 51, 201, 501, 1001, 2001, 4001, 6001 and 8001 of 10,000", () => {
  const falls = [0, 1, 51, 201, 501, 1001, 2001, 4001, 6001, 8001];
  const divisors = [1, 2, 4, 5, 6, 8, 10, 12, 15, 20];
  for (const [i, at] of falls.entries()) {
    expect(shareAt(at, 10_000, 0.3)).toBeCloseTo(0.3 / divisors[i]!, 12);
    if (i > 0) expect(shareAt(at - 1, 10_000, 0.3)).toBeCloseTo(0.3 / divisors[i - 1]!, 12);
  }
  expect(shareAt(9_999, 10_000, 0.3)).toBeCloseTo(0.015, 12);
});

test("other numbers of pictures stretch it", () => {
  expect(shareAt(100, 20_000, 0.1)).toBeCloseTo(0.05, 12);
  expect(shareAt(102, 20_000, 0.1)).toBeCloseTo(0.025, 12);
  expect(shareAt(900, 1_000, 0.1)).toBeCloseTo(0.005, 12);
});
