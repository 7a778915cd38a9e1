/** Finds the large test material (real models, photographs), which is not part of the repository. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const data = process.env.CONVLENS_DATA ?? join(dirname(root), "shared");
let told = false;

/** The path of a file of the test material, or `undefined` (said once) when the material is not there. */
export function dataPath(...parts: string[]): string | undefined {
  const path = join(data, ...parts);
  if (existsSync(path)) return path;
  if (!told) console.warn(`skipped: no test material at "${data}" (set CONVLENS_DATA to run these tests)`);
  told = true;
  return undefined;
}
