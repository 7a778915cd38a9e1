/** Runs the command line as a user does: a process of its own. */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The built command when it is newer than every source, else the sources themselves. */
export const program: readonly string[] = (() => {
  const built = join(root, "dist/cli/main.js");
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).filter(
    (name) => name.endsWith(".ts") && !name.endsWith(".test.ts"),
  );
  const newest = Math.max(...sources.map((name) => statSync(join(root, "src", name)).mtimeMs));
  if (existsSync(built) && statSync(built).mtimeMs > newest) return [built];
  return ["--import", import.meta.resolve("tsx"), join(root, "src/cli/main.ts")];
})();

export interface Outcome {
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run of `convlens ARGS`. `limit` is a file size in blocks of 1 KiB (`ulimit -f`). */
export function convlens(
  args: readonly string[],
  options: { cwd?: string; env?: Readonly<Record<string, string>>; limit?: number } = {},
): Promise<Outcome> {
  const command = [process.execPath, ...program, ...args];
  const [file, ...rest] =
    options.limit === undefined ? command : ["bash", "-c", `ulimit -f ${options.limit}; exec "$@"`, "bash", ...command];
  return new Promise((done) => {
    execFile(
      file!,
      rest,
      {
        cwd: options.cwd ?? root,
        env: { ...process.env, NO_COLOR: "1", ...options.env },
        maxBuffer: 2 ** 28,
        timeout: 120_000,
      },
      (error, stdout, stderr) => done({ code: error === null ? 0 : (error.code ?? error.signal ?? 1), stdout, stderr }),
    );
  });
}

/** A folder of this test file's own, removed at its end. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "convlens-test-"));
  afterAll(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
