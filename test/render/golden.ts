/**
 * Compares drawn pictures with recorded ones. To record: GOLDEN=write npx vitest run test/render, then look at every
 * changed picture in test/render/golden/.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { decode, encode } from "fast-png";
import { expect } from "vitest";
import type { Picture } from "../../src/core/picture.ts";

/**
 * Same size, and per colour value: 95th percentile of the differences at most 1 grey level, mean under 0.1; and
 * fewer than 1 in 10,000 differ by more than 10, so that not even a label is lost.
 */
export function expectGolden(picture: Picture, name: string): void {
  const path = fileURLToPath(new URL(`golden/${name}.png`, import.meta.url));
  if (process.env["GOLDEN"] === "write") {
    const data = new Uint8Array(picture.data);
    writeFileSync(path, encode({ width: picture.width, height: picture.height, data, channels: 4, depth: 8 }));
  }
  expect(existsSync(path), `no golden picture "${name}": record it with GOLDEN=write`).toBe(true);
  const golden = decode(readFileSync(path));
  expect([picture.width, picture.height]).toEqual([golden.width, golden.height]);
  const count = new Array<number>(256).fill(0);
  for (const [i, v] of picture.data.entries()) count[Math.abs(v - golden.data[i]!)]!++;
  const total = picture.data.length;
  const far = count.slice(11).reduce((sum, n) => sum + n, 0);
  expect((count[0]! + count[1]!) / total).toBeGreaterThanOrEqual(0.95);
  expect(count.reduce((sum, n, difference) => sum + n * difference, 0) / total).toBeLessThan(0.1);
  expect(far / total).toBeLessThan(1e-4);
}
