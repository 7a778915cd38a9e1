import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { applyColorMap, type ColorMapName, colorMap, colorMapNames } from "./colormaps.ts";

const path = new URL("../../test/render/fixtures/colormaps.json", import.meta.url);
const fixture: {
  sha256: Record<string, string>;
  samples: Record<string, number[][]>;
  min: number;
  max: number;
  values: (number | string | null)[];
  viridis: number[];
} = JSON.parse(readFileSync(path, "utf8"));

describe("colour maps", () => {
  it("has every map of the reference and no other", () => {
    expect([...colorMapNames].sort()).toEqual(Object.keys(fixture.sha256).sort());
  });
  it.each(Object.keys(fixture.sha256))("%s equals matplotlib's or OpenCV's, entry by entry", (name) => {
    const table = colorMap(name as ColorMapName);
    const samples = [0, 64, 128, 192, 255].map((i) => [...table.subarray(3 * i, 3 * i + 3)]);
    expect(samples).toEqual(fixture.samples[name]);
    expect(createHash("sha256").update(table).digest("hex")).toBe(fixture.sha256[name]);
  });
  it("rounds values to entries as matplotlib does, at the very edges of entries too", () => {
    const values = Float32Array.from(fixture.values, (v) =>
      v === null ? Number.NaN : Number(String(v).replace("inf", "Infinity")),
    );
    const got = applyColorMap(values, { min: fixture.min, max: fixture.max, nan: [1, 2, 3] });
    const wrong: unknown[] = [];
    for (const [i, v] of values.entries()) {
      const wanted = Number.isNaN(v) ? [1, 2, 3, 255] : fixture.viridis.slice(4 * i, 4 * i + 4);
      const is = [...got.subarray(4 * i, 4 * i + 4)];
      if (is.join() !== wanted.join()) wrong.push({ v, is, wanted });
    }
    expect(wrong).toEqual([]);
  });
  it("draws equal values in the first entry, and takes finite extremes by default", () => {
    expect([...applyColorMap([5, 5], { map: "gray" })]).toEqual([0, 0, 0, 255, 0, 0, 0, 255]);
    expect([...applyColorMap([1, Number.POSITIVE_INFINITY, 3], { map: "gray" })].filter((_, i) => i % 4 === 0)).toEqual(
      [0, 255, 255],
    );
    expect(applyColorMap([], {})).toHaveLength(0);
  });
});
