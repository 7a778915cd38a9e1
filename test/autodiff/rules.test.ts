/** Every gradient rule in its attribute cases, against differences of the engine's own forward pass. */
import { describe, expect, test } from "vitest";
import { rules } from "../../src/autodiff/rules/index.ts";
import { gradientCases } from "./cases/index.ts";
import { checkCase } from "./check.ts";

describe("each rule", () => {
  test.each(gradientCases.map((one, i) => [`${one.op} (${i})`, one, i] as const))("%s", (_, one, i) =>
    checkCase(one, rules, i + 1),
  );
  test("has a case", () => {
    const tried = new Set(gradientCases.map(({ op }) => op));
    expect(Object.keys(rules).filter((op) => !tried.has(op))).toEqual([]);
  });
});
