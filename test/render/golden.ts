/**
 * Compares drawn pictures with recorded ones. To record: GOLDEN=write npx vitest run test/render, then look at every
 * changed picture in test/render/golden/.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { decode, encode } from "fast-png";
import { expect } from "vitest";
import type { Picture } from "../../src/core/picture.ts";

/** Same size, and per colour value: 95th percentile of the differences at most 1 grey level, mean under 0.1. */
export function expectGolden(picture: Picture, name: string): void {
  const path = fileURLToPath(new URL(`golden/${name}.png`, import.meta.url));
  if (process.env["GOLDEN"] === "write") {
    const data = new Uint8Array(picture.data);
    writeFileSync(path, encode({ width: picture.width, height: picture.height, data, channels: 4, depth: 8 }));
  }
  expect(existsSync(path), `no golden picture "${name}": record it with GOLDEN=write`).toBe(true);
  const golden = decode(readFileSync(path));
  expect([picture.width, picture.height]).toEqual([golden.width, golden.height]);
  const differences = Array.from(picture.data, (v, i) => Math.abs(v - golden.data[i]!)).sort((a, b) => a - b);
  const mean = differences.reduce((a, b) => a + b, 0) / differences.length;
  expect(differences[Math.floor(differences.length * 0.95)]).toBeLessThanOrEqual(1);
  expect(mean).toBeLessThan(0.1);
}
