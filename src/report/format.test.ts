import { expect, test } from "vitest";
import { bytes, plural, roughly } from "./format.ts";

test("bytes in powers of 1000", () => {
  expect([1, 999, 1000, 999_499, 13_812_484, 100e9].map(bytes)).toEqual([
    "1 byte",
    "999 bytes",
    "1 kB",
    "999 kB",
    "13.8 MB",
    "100 GB",
  ]);
});

test("large counts in words", () => {
  expect([0, 998_000, 999_600, 226_149_888, 4.1e9].map(roughly)).toEqual([
    "0",
    "998,000",
    "1 million",
    "226 million",
    "4.1 billion",
  ]);
});

test("one thing, several things", () => {
  expect([plural(1, "class", "classes"), plural(6272, "unit")]).toEqual(["1 class", "6,272 units"]);
});
