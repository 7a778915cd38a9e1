/** What the README states of the networks that come along is what their cards say was measured. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { embeddedModels } from "../../src/index.ts";

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

test.each(embeddedModels)("the accuracy of %s", (id) => {
  const { accuracy } = JSON.parse(read(`models/${id}.card.json`));
  const [measured] = Object.values(accuracy) as { value: number; images: number }[];
  const row = read("README.md")
    .split("\n")
    .find((line) => line.startsWith(`| \`${id}\``));
  expect(row).toContain(`${(100 * measured!.value).toFixed(1)} % of`);
  expect(row).toContain(` ${measured!.images.toLocaleString("en")} `);
});
