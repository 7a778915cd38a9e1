/** Every gradient rule in its attribute cases, against differences of the engine's own forward pass. */
import { describe, expect, test } from "vitest";
import { webgpu } from "../../src/autodiff/overlays/webgpu.ts";
import { rules } from "../../src/autodiff/rules/index.ts";
import type { GradientCase } from "./cases/case.ts";
import { gradientCases } from "./cases/index.ts";
import { checkCase, differentiated } from "./check.ts";

const numbered = gradientCases.map((one, i) => [`${one.op} (${i})`, one, i] as const);

describe("each rule", () => {
  test.each(numbered)("%s", (_, one, i) => checkCase(one, rules, i + 1));
  test("has a case, and each case a rule", () => {
    const tried = new Set(gradientCases.map(({ op }) => op));
    expect([...tried].sort()).toEqual(Object.keys(rules).sort());
  });
});

const kernelOf = ({ kernel_shape }: GradientCase["attributes"]): string => String(kernel_shape?.value);

describe("each rule of the WebGPU engine, on the CPU", () => {
  const table = webgpu.lay(rules);
  // Where the last window would begin in the padding, ONNX's shapes of y contradict the engine's own.
  const odd = ({ attributes }: GradientCase): boolean =>
    attributes.ceil_mode !== undefined && attributes.pads !== undefined && kernelOf(attributes) === "2,2";
  const changed = numbered.filter(([, one]) => table[one.op] !== rules[one.op] && !odd(one));
  test.each(changed)("%s", (_, one, i) => checkCase(one, table, i + 1));
  test("has cases", () => {
    expect(new Set(changed.map(([, { op }]) => op))).toEqual(new Set(["MaxPool", "GlobalMaxPool"]));
  });
  test.each(changed)("%s: no indices, no whole numbers but shapes", (_, one) => {
    const { graph } = differentiated(one, table);
    const added = graph.nodes.filter(({ name }) => name.startsWith("gradient/"));
    for (const { op, outputs } of added) {
      expect(outputs).toHaveLength(1);
      expect(["ArgMax", "OneHot", "Sign", "SpaceToDepth", "ConstantOfShape", "Range", "Cast"]).not.toContain(op);
    }
  });
});
