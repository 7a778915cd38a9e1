import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeOutputs } from "./outputs.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "convlens-outputs-"));
});
afterAll(() => rm(folder, { recursive: true }));

test("files written at the same time share a folder that none of them finds", async () => {
  const outputs = makeOutputs();
  const place = join(folder, "a", "b");
  await Promise.all(["1", "2", "3", "4"].map((name) => outputs.write(join(place, name), name)));
  await outputs.commit();
  expect((await readdir(place)).sort()).toEqual(["1", "2", "3", "4"]);
  expect(await readFile(join(place, "3"), "utf8")).toBe("3");
});
