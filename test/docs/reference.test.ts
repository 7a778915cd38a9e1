import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { marks, ratesTable } from "../../scripts/attack-rates.ts";
import { referencePages } from "../../scripts/docs.ts";

test("the reference pages say what the code says (npm run docs)", async () => {
  for (const [name, text] of await referencePages())
    expect(readFileSync(new URL(`../../docs/reference/${name}`, import.meta.url), "utf8"), name).toBe(text);
});

test("the attack rates of docs/attacks.md are those of its figures (scripts/attack-rates.ts)", () => {
  const page = readFileSync(new URL("../../docs/attacks.md", import.meta.url), "utf8");
  expect(page.slice(page.indexOf(marks.start), page.indexOf(marks.end))).toBe(`${marks.start}\n\n${ratesTable()}\n\n`);
});
