/** Sheets of made pictures: where tiles lie, what stands below them, bare ones as the book prints them. */
import { describe, expect, it } from "vitest";
import type { Images, MadeImage } from "../core/result.ts";
import { float32 } from "../core/tensor.ts";
import { imagesSheet, reachedText } from "./images.ts";

const made = (level: number, more: Partial<MadeImage> = {}): MadeImage => ({
  label: `channel ${level}`,
  picture: { width: 4, height: 4, data: new Uint8ClampedArray(64).map((_, i) => (i % 4 === 3 ? 255 : level)) },
  values: float32([1], [0]),
  reached: 2,
  probability: null,
  reference: null,
  dead: null,
  ...more,
});
const result = (images: readonly MadeImage[], grid: Images["grid"]): Images => ({
  kind: "images",
  title: "Pictures",
  of: "conv",
  images,
  grid,
  losses: [],
  notes: [],
  origin: {
    model: { name: "m.onnx", sha256: "" },
    method: "visualize",
    options: { preset: "lucid", steps: 4, seed: 0 },
    engine: "",
  },
});

describe("a bare sheet", () => {
  const images = [10, 20, 30, 40, 50, 60].map((level) => made(level));
  const at = (sheet: ReturnType<typeof imagesSheet>, x: number, y: number) => sheet.data[4 * (y * sheet.width + x)];

  it("has black between tiles, column by column", () => {
    const sheet = imagesSheet(result(images, { across: 3, order: "columns", margin: 5 }));
    expect([sheet.width, sheet.height]).toEqual([3 * 4 + 10, 2 * 4 + 5]);
    expect([at(sheet, 0, 0), at(sheet, 0, 9), at(sheet, 9, 0), at(sheet, 18, 12)]).toEqual([10, 20, 30, 60]);
    expect([at(sheet, 5, 0), at(sheet, 0, 6)]).toEqual([0, 0]);
  });

  it("keeps the rows and columns that were asked for, black where nothing is", () => {
    const sheet = imagesSheet(result(images, { across: 3, down: 4, order: "columns", margin: 5 }));
    expect([sheet.width, sheet.height]).toEqual([3 * 4 + 10, 4 * 4 + 15]);
    expect([at(sheet, 0, 27), at(sheet, 9, 0), at(sheet, 9, 9), at(sheet, 9, 18)]).toEqual([40, 50, 60, 0]);
    const square = Array.from({ length: 64 }, (_, i) => made(i));
    const book = imagesSheet(result(square, { across: 8, down: 8, order: "columns", margin: 5 }));
    for (const [row, column] of [
      [0, 0],
      [2, 5],
      [7, 3],
    ] as const)
      expect(at(book, column * 9, row * 9)).toBe(row + 8 * column);
  });

  it("or row by row", () => {
    const sheet = imagesSheet(result(images, { across: 3, order: "rows", margin: 1 }));
    expect([at(sheet, 5, 0), at(sheet, 0, 5)]).toEqual([20, 40]);
  });
});

it("a labelled sheet enlarges small pictures by a whole factor and has room for all", () => {
  const sheet = imagesSheet(
    result([made(10), made(20), made(30, { dead: "off" })], { across: 2, order: "rows", margin: null }),
  );
  expect(sheet.height).toBe(54 + 2 * (96 + 34 + 10) - 10 + 12);
  const count = (level: number) => sheet.data.filter((x, i) => i % 4 === 0 && x === level).length;
  expect(count(10)).toBeGreaterThanOrEqual(96 * 96);
  // The dead one's picture is not shown.
  expect(count(30)).toBeLessThan(96);
});

it("says what was reached", () => {
  expect(reachedText(made(1))).toBe("reached 2");
  expect(reachedText(made(1, { reference: 0.5 }))).toBe("2, 4 × photograph");
  expect(reachedText(made(1, { reference: 0 }))).toBe("reached 2");
  expect(reachedText(made(1, { probability: 0.98765 }))).toBe("probability 0.988");
  expect(reachedText(made(1, { reached: 0, reference: 0.5 }))).toBe("0 in the end");
});
