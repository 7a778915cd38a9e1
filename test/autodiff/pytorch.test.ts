/** Single operators against PyTorch's gradients (fixtures/autodiff/make.py). */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { emitter, GRADIENT } from "../../src/autodiff/emitter.ts";
import { gradient } from "../../src/autodiff/gradient.ts";
import { webgpu } from "../../src/autodiff/overlays/webgpu.ts";
import { rules } from "../../src/autodiff/rules/index.ts";
import { float32, toFloat32 } from "../../src/core/tensor.ts";
import { builder, float, int, ints, text } from "../../src/graph/builder.ts";
import type { Attribute } from "../../src/graph/graph.ts";
import { withFacts } from "../../src/graph/infer.ts";
import { signatures } from "../../src/graph/operators.generated.ts";
import { sessionOf } from "./check.ts";

interface Numbers {
  readonly dims: readonly number[];
  readonly data: readonly number[];
}
interface Fixture {
  readonly name: string;
  readonly op: string;
  readonly attributes: Readonly<Record<string, number | string | readonly number[]>>;
  readonly inputs: readonly [Numbers, ...(Numbers | { readonly ints: readonly number[] } | null)[]];
  readonly y: Numbers;
  readonly u: Numbers;
  readonly dx: Numbers;
}
const fixtures: readonly Fixture[] = JSON.parse(
  readFileSync(new URL("../fixtures/autodiff/operators.json", import.meta.url), "utf8"),
);

/** Attributes in the kinds that the operator declares. */
const attributesOf = ({ op, attributes }: Fixture): Record<string, Attribute> =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => {
      if (typeof value === "string") return [name, text(value)];
      if (typeof value === "number") return [name, signatures[op]![4][name] === "float" ? float(value) : int(value)];
      return [name, ints(value)];
    }),
  );
const close = (found: ArrayLike<number>, wanted: readonly number[]): void => {
  expect(found.length).toBe(wanted.length);
  const largest = Math.max(...wanted.map(Math.abs));
  wanted.forEach((value, i) => {
    expect(Math.abs(found[i]! - value)).toBeLessThan(2e-6 * Math.max(largest, 1));
  });
};

test.each(fixtures.map((fixture) => [fixture.name, fixture] as const))("%s", async (_, fixture) => {
  const { inputs, y, u, dx, op } = fixture;
  const [x, ...rest] = inputs;
  const b = builder();
  const names = rest.map((part) =>
    part === null ? "" : "ints" in part ? b.ints(part.ints) : b.constant(float32(part.dims, part.data)),
  );
  b.input("x", { type: "float32", shape: [null, ...x.dims.slice(1)] });
  // PyTorch's norm pool is that of |x|.
  const from = op === "LpPool" ? b.node("Abs", ["x"]) : "x";
  const base = b.finish([b.node(op, [from, ...names], { attributes: attributesOf(fixture) })]);
  for (const table of [rules, webgpu.lay(rules)]) {
    const emit = emitter(withFacts(base, { x: x.dims }), GRADIENT);
    const seed = emit.input("u", { type: "float32", shape: [null, ...u.dims.slice(1)] });
    const [found] = gradient(emit, { of: base.outputs[0]!, seed, wrt: ["x"] }, table);
    const session = await sessionOf(emit.finish([base.outputs[0]!, found!]));
    const results = await session.run({ x: float32(x.dims, x.data), u: float32(u.dims, u.data) });
    await session.release();
    expect(results[base.outputs[0]!]!.dims).toEqual(y.dims);
    close(toFloat32(results[base.outputs[0]!]!), y.data);
    close(toFloat32(results[found!]!), dx.data);
  }
});
