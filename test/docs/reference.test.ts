import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { referencePages } from "../../scripts/docs.ts";

test("the reference pages say what the code says (npm run docs)", async () => {
  for (const [name, text] of await referencePages())
    expect(readFileSync(new URL(`../../docs/reference/${name}`, import.meta.url), "utf8"), name).toBe(text);
});
