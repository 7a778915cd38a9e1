import { describe, expect, it } from "vitest";
import { alike, grouped, percent, shapeText, short, ticks } from "./numbers.ts";

describe("numbers for people", () => {
  it("shortens", () => {
    expect([0, 1, -0.5, 1234.567, 0.00012345, 1.5e7, 123456].map((v) => short(v))).toEqual([
      "0",
      "1",
      "−0.5",
      "1235",
      "1.234e−4",
      "1.5e7",
      "123500",
    ]);
    expect([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map((v) => short(v))).toEqual([
      "NaN",
      "∞",
      "−∞",
    ]);
    expect(short(1e-5)).toBe("1e−5");
  });
  it("never rounds a share to none or all", () => {
    expect([0, 0.0001, 0.0005, 0.5, 0.9994, 0.9999, 1].map(percent)).toEqual([
      "0.0 %",
      "< 0.1 %",
      "0.1 %",
      "50.0 %",
      "99.9 %",
      "> 99.9 %",
      "100.0 %",
    ]);
  });
  it("groups digits and writes shapes", () => {
    expect([0, 999, 1000, 3453121].map(grouped)).toEqual(["0", "999", "1,000", "3,453,121"]);
    expect(shapeText([null, 148, 148, 32])).toBe("(None, 148, 148, 32)");
    expect(shapeText([7])).toBe("(7,)");
  });
  it("gives round ticks inside the range", () => {
    expect(ticks(0, 147, 8, true)).toEqual([0, 20, 40, 60, 80, 100, 120, 140]);
    expect(ticks(0, 6, 10, true)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(ticks(-0.13, 0.26, 4)).toEqual([-0.1, 0, 0.1, 0.2]);
    expect(ticks(3, 3, 5)).toEqual([3]);
  });
  it("gives one scale one number of decimals", () => {
    expect(alike([0, 0.05, 0.1])).toEqual(["0.00", "0.05", "0.10"]);
    expect(alike([-1, 0])).toEqual(["−1", "0"]);
    expect(alike([0, 1e-5])).toEqual(["0", "1e−5"]);
  });
});
