/** The page docs/gradients.md prints a gradient: it is this one. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { float32 } from "../core/tensor.ts";
import { builder, ints } from "../graph/builder.ts";
import { checkGraph } from "../graph/check.ts";
import { withFacts } from "../graph/infer.ts";
import { printGraph } from "../graph/print.ts";
import { subgraph } from "../graph/subgraph.ts";
import { emitter, GRADIENT } from "./emitter.ts";
import { gradient } from "./gradient.ts";
import { rules } from "./rules/index.ts";

const page = readFileSync(new URL("../../docs/gradients.md", import.meta.url), "utf8");

it("prints as the page says", () => {
  const build = builder();
  const x = build.input("x", { type: "float32", shape: [null, 16, 4, 4] });
  const w = build.constant(float32([2, 16, 3, 3], new Float32Array(288).fill(1)), "w");
  const [a] = build.nodes("Conv", [x, w], { outputs: ["a"], attributes: { kernel_shape: ints([3, 3]) } });
  const [r] = build.nodes("Relu", [a!], { outputs: ["r"] });
  const [y] = build.nodes("GlobalAveragePool", [r!], { outputs: ["y"] });
  const graph = build.finish([y!]);
  expect(page).toContain(printGraph(graph).trim());

  const emit = emitter(withFacts(graph, { x: [1, 16, 4, 4] }), GRADIENT);
  const [dx] = gradient(emit, { of: y!, seed: emit.expandLike(1, y!), wrt: [x] }, rules);
  const whole = subgraph(emit.finish([dx!]), [dx!]);
  checkGraph(whole);
  const added = printGraph(whole)
    .split("\n")
    .filter((line) => /^gradient\/.* = /.test(line));
  expect(page).toContain(added.join("\n"));
  expect(added.length).toBe(10);
});
