import { expect, test } from "vitest";
import { ascending } from "./order.ts";
import { random } from "./random.ts";

test("indices stand as a comparator would put them, equal numbers in their order", () => {
  const { normal } = random(1);
  // Few levels, so that many are equal; both signs, tiny and huge.
  const values = Float32Array.from({ length: 3000 }, (_, i) => Math.round(normal() * 4) * 10 ** ((i % 3) * 15 - 15));
  const wanted = Array.from(values, (_, i) => i).sort((a, b) => values[a]! - values[b]! || a - b);
  expect([...ascending(values)]).toEqual(wanted);
});

test("infinities stand at the ends, and nothing has no order", () => {
  expect([...ascending([1, -Infinity, Infinity, -2])]).toEqual([1, 3, 0, 2]);
  expect([...ascending([])]).toEqual([]);
});
