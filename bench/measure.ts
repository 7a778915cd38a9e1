/** Stopwatches for the benchmarks: best of several runs in this process, and whole processes with their peak memory. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** One line of the benchmark's table: `ours` against `peer`, and what was wanted. */
export interface Row {
  readonly what: string;
  readonly ours: string;
  readonly peer: string;
  /** Peer's time divided by ours, or ours by a bound: as `wanted` says. */
  readonly ratio: string;
  readonly wanted: string;
}

export const root: string = fileURLToPath(new URL("..", import.meta.url));
export const cli: string = join(root, "dist/cli/main.js");
/** The library as users have it: run from its source through tsx it is up to a tenth slower. */
export const built = (await import(join(root, "dist/index.js"))) as typeof import("../src/index.ts");
export const builtNode = (await import(join(root, "dist/node.js"))) as typeof import("../src/node.ts");
export const milliseconds = (ms: number): string => `${ms < 10 ? ms.toFixed(2) : ms.toFixed(0)} ms`;

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const python = join(root, "bench/peers/.venv/bin/python");
/** The peers' Python, or `undefined` when `bench/peers/setup.sh` has not been run. */
export const peerPython = (): string | undefined => {
  const path = process.env.CONVLENS_PEERS ?? python;
  return existsSync(path) ? path : undefined;
};

/** Milliseconds of the fastest of `repeats` runs, after two that do not count. */
export async function best(repeats: number, run: () => Promise<unknown> | unknown): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = -2; i < repeats; i++) {
    const start = performance.now();
    await run();
    if (i >= 0) least = Math.min(least, performance.now() - start);
  }
  return least;
}

/**
 * Fastest run of each of two tasks. They take turns in blocks, so that both see the same machine, and within a block
 * the threads of the other's engine, which spin for a while after a run, are asleep.
 */
export async function bestOfBoth(
  blocks: number,
  a: () => Promise<unknown>,
  b: () => Promise<unknown>,
): Promise<[number, number]> {
  const least: [number, number] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let i = 0; i < blocks; i++) {
    least[0] = Math.min(least[0], await best(20, a));
    least[1] = Math.min(least[1], await best(20, b));
  }
  return least;
}

/** Runs a whole process `repeats` times: least milliseconds, peak resident memory in MiB (Node processes only), what it said. */
export function wholeProcess(
  command: string,
  args: readonly string[],
  repeats: number,
): { ms: number; peakMiB: number | undefined; stdout: string } {
  const folder = mkdtempSync(join(tmpdir(), "convlens-bench-"));
  const peakFile = join(folder, "peak");
  let ms = Number.POSITIVE_INFINITY;
  let peakMiB: number | undefined;
  let stdout = "";
  for (let i = 0; i < repeats; i++) {
    const start = performance.now();
    const isNode = command === process.execPath;
    const before = isNode ? ["--import", join(root, "bench/peak.mjs")] : [];
    const child = spawnSync(command, [...before, ...args], {
      cwd: folder,
      env: { ...process.env, CONVLENS_PEAK_FILE: peakFile },
      encoding: "utf8",
    });
    if (child.status !== 0) throw new Error(`${command} ${args.join(" ")} failed:\n${child.stderr}`);
    ms = Math.min(ms, performance.now() - start);
    stdout = child.stdout;
    if (isNode) peakMiB = Math.min(peakMiB ?? Number.POSITIVE_INFINITY, Number(readFileSync(peakFile, "utf8")) / 1024);
  }
  rmSync(folder, { recursive: true });
  return { ms, peakMiB, stdout };
}
