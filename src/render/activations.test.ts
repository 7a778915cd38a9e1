import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { noise, tensor, waves } from "../../test/render/make.ts";
import type { Picture } from "../core/picture.ts";
import { transpose } from "../core/tensor.ts";
import { activationSheets, sheetLayout } from "./activations.ts";
import type { Tile } from "./sheet.ts";

const fixture: { dims: number[]; values: number[]; colors: (number[] | null)[] } = JSON.parse(
  readFileSync(new URL("../../test/render/fixtures/sheet.json", import.meta.url), "utf8"),
);
const layout = "NHWC";

/** The RGB values of a tile's pixels, one of each block of `across` x `down`. */
function pixels({ data, width }: Picture, tile: Tile, across: number, down = across): number[] {
  const out: number[] = [];
  for (let y = tile.y; y < tile.y + tile.height; y += down)
    for (let x = tile.x; x < tile.x + tile.width; x += across) {
      const at = 4 * ((y + (down >> 1)) * width + x + (across >> 1));
      out.push(data[at]!, data[at + 1]!, data[at + 2]!);
    }
  return out;
}

describe("activation sheets", () => {
  it("draw what Chollet's code draws, and dead and constant channels flat", () => {
    const named = tensor("conv", "Conv2D", fixture.dims, fixture.values);
    for (const labels of [true, false]) {
      const [picture] = activationSheets(named, { layout, labels });
      const [page] = sheetLayout(named, { layout, labels });
      expect([picture!.width, picture!.height]).toEqual([page!.width, page!.height]);
      expect(page!.tiles).toHaveLength(18);
      for (const tile of page!.tiles) {
        expect([tile.width, tile.height]).toEqual([48, 40]);
        const got = pixels(picture!, tile, 8);
        const wanted = fixture.colors[tile.channel];
        if (wanted) expect(got).toEqual(wanted);
        else expect(got.slice(3, 6)).toEqual(tile.channel === 4 ? [56, 58, 62] : [128, 128, 128]);
      }
    }
  });
  it("are the same from either layout", () => {
    const named = tensor("conv", "Conv2D", [2, 9, 11, 21], noise(2 * 9 * 11 * 21));
    const turned = { ...named, tensor: transpose(named.tensor, [0, 3, 1, 2]) };
    const [a] = activationSheets(named, { layout, batch: 1, labels: false });
    const [b] = activationSheets(turned, { layout: "NCHW", batch: 1, labels: false });
    const [other] = activationSheets(named, { layout, batch: 0, labels: false });
    expect(Buffer.compare(Buffer.from(a!.data), Buffer.from(b!.data))).toBe(0);
    expect(Buffer.compare(Buffer.from(a!.data), Buffer.from(other!.data))).not.toBe(0);
  });
  it("page 2,048 channels by 256 and keep a last row that is not full", () => {
    const big = tensor("conv5", "Activation", [1, 7, 7, 2048], noise(49 * 2048));
    const pages = sheetLayout(big, { layout });
    expect(activationSheets(big, { layout })).toHaveLength(8);
    expect(pages.map((page) => page.range)[7]).toBe("channels 1792–2047 of 2048");
    expect(pages.flatMap((page) => page.tiles.map((tile) => tile.channel))).toEqual(
      Array.from({ length: 2048 }, (_, i) => i),
    );
    const odd = sheetLayout(tensor("c", "Conv2D", [1, 7, 7, 35], noise(49 * 35)), { layout })[0]!;
    expect(odd.tiles.filter((tile) => tile.y === odd.tiles[34]!.y)).toHaveLength(3);
    expect(odd.range).toBe("");
  });
  it("enlarge small maps by whole factors to 48 pixels or more, leave large ones, shrink huge ones", () => {
    const side = (size: number, channels = 1) => {
      const named = tensor("c", "C", [1, size, size, channels], new Float32Array(size * size * channels));
      return sheetLayout(named, { layout })[0]!.tiles[0]!.width;
    };
    expect([2, 7, 15, 17, 36, 72, 148].map((size) => side(size))).toEqual([48, 49, 60, 51, 72, 72, 148]);
    expect(side(500, 16)).toBe(250);
    expect(side(500, 1)).toBe(500);
  });
  it("take the mean of blocks where they shrink, of what there is at the edge", () => {
    // Columns alternate 0, 1: all pairs have the mean 0.5, which is the channel's mean (level 128); a last odd column
    // alone has 0, one standard deviation below (level 64).
    const drawn = (width: number) => {
      const values = Float32Array.from({ length: 10 * width }, (_, i) => (Math.floor(i / 2) % width) % 2);
      const named = tensor("c", "C", [1, 5, width, 2], values);
      const [picture] = activationSheets(named, { layout });
      const [tile] = sheetLayout(named, { layout })[0]!.tiles;
      expect([tile!.width, tile!.height]).toEqual([Math.ceil(width / 2), 18]);
      return pixels(picture!, tile!, 1, 6)
        .join()
        .match(/\d+,\d+,\d+/g)!;
    };
    expect(new Set(drawn(4000))).toEqual(new Set(["32,144,140"]));
    expect(new Set(drawn(4001).filter((_, i) => i % 2001 === 2000))).toEqual(new Set(["58,82,139"]));
  });
  it("survive NaN, infinity, a channel of nothing else, and huge values", () => {
    const values = waves(8, 8, 4);
    for (let i = 0; i < 64; i++) {
      if (i < 3) values[4 * i] = Number.NaN;
      if (i === 5) values[4 * i + 1] = Number.POSITIVE_INFINITY;
      values[4 * i + 2] = Number.NaN;
      values[4 * i + 3] = i % 2 ? 3e38 : -3e38;
    }
    const named = tensor("c", "C", [1, 8, 8, 4], values);
    const [picture] = activationSheets(named, { layout });
    const { tiles } = sheetLayout(named, { layout })[0]!;
    const [a, b, c, d] = tiles.map(
      (tile) =>
        pixels(picture!, tile, 6)
          .join()
          .match(/\d+,\d+,\d+/g)!,
    );
    expect(a!.map((color) => color === "200,60,160").lastIndexOf(true)).toBe(2);
    expect(b![5]).toBe("253,231,36");
    expect(new Set(c)).toEqual(new Set(["200,60,160"]));
    expect(new Set(d).size).toBe(2);
  });
  it("draw single numbers as bars or cells and have no tiles for them", () => {
    for (const dims of [
      [1, 1],
      [1, 24],
      [1, 25],
      [1, 5000],
      [1, 1, 1, 30],
    ]) {
      const named = tensor("dense", "Dense", dims, noise(dims.reduce((a, b) => a * b)));
      expect(activationSheets(named, { layout })).toHaveLength(1);
      expect(sheetLayout(named, { layout })).toEqual([]);
    }
    expect(activationSheets(tensor("d", "Dense", [1, 40000], noise(40000)), { layout })).toHaveLength(2);
    expect(activationSheets(tensor("d", "D", [1, 30], new Float32Array(30).fill(Number.NaN)), { layout })).toHaveLength(
      1,
    );
    expect(activationSheets(tensor("d", "D", [1, 3], new Float32Array(3).fill(Number.NaN)), { layout })).toHaveLength(
      1,
    );
  });
  it("draw other ranks too", () => {
    expect(sheetLayout(tensor("c", "Conv1D", [1, 40, 6], noise(240)), { layout })[0]!.tiles).toHaveLength(6);
    expect(sheetLayout(tensor("r", "Reshape", [1, 2, 3, 8, 8], noise(384)), { layout: "NCHW" })[0]!.tiles).toHaveLength(
      6,
    );
  });
  it("refuse what cannot be drawn, by name", () => {
    expect(() => activationSheets(tensor("s", "Shape", [4], noise(4)), { layout })).toThrow(
      /layer "s" has an output of shape \(4,\)/,
    );
    expect(() => activationSheets(tensor("e", "E", [1, 0, 3, 3], []), { layout })).toThrow(/at least one value/);
    expect(() => activationSheets(tensor("c", "C", [1, 2, 2, 1], noise(4)), { layout, batch: 1 })).toThrow(
      /the batch holds 1/,
    );
  });
  it("survive names of any length and script", () => {
    const name = `${"very/long/".repeat(40)}层\u202e\n😀`;
    expect(activationSheets(tensor(name, "Conv2D", [1, 3, 3, 2], noise(18)), { layout })[0]!.width).toBe(420);
  });
  it("shrink tall maps as they do wide ones: pages have an end", () => {
    for (const [height, width] of [
      [3000, 128],
      [128, 3000],
    ] as const) {
      const named = tensor("spectra", "Conv2D", [1, height, width, 256], [0]);
      const [page] = sheetLayout(named, { layout });
      expect(page!.tiles).toHaveLength(256);
      expect(page!.width).toBeLessThan(4200);
      expect(page!.height).toBeLessThan(16384 + 500);
    }
  });
});
