import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { decode } from "fast-png";
import { describe, expect, test } from "vitest";
import { pages, runStep, steps } from "../../scripts/pages.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

describe.each(pages)("%s", (page) => {
  const all = steps(readFileSync(join(root, page), "utf8"));

  test("has commands", () => expect(all.flatMap((step) => step.commands).length).toBeGreaterThan(0));

  test.each(all.map((step) => [step.commands.map((words) => words.join(" ")).join("; "), step] as const))(
    "convlens %s",
    (_, step) =>
      runStep(step, (picture, made) => {
        const wanted = decode(readFileSync(join(root, dirname(page), picture)));
        const drawn = decode(readFileSync(made));
        expect([drawn.width, drawn.height], picture).toEqual([wanted.width, wanted.height]);
        const apart = Array.from(wanted.data, (value, i) => Math.abs(value - drawn.data[i]!)).sort((a, b) => a - b);
        expect(apart[Math.floor(apart.length * 0.95)], `${picture}, 95th percentile`).toBeLessThanOrEqual(1);
        expect(apart.reduce((sum, x) => sum + x, 0) / apart.length, `${picture}, mean`).toBeLessThan(0.1);
      }),
  );
});
