import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { blank } from "./canvas.ts";
import { drawText, type FontSize, fitText, textWidth } from "./font.ts";

const fixture: {
  text: string;
  lines: { size: FontSize; width: number; height: number; pixels: string }[];
} = JSON.parse(readFileSync(new URL("../../test/render/fixtures/text.json", import.meta.url), "utf8"));

/** Rows of a picture: "#" where dark ink is, "." where there is little or none. */
const ink = (draw: (picture: ReturnType<typeof blank>) => void, width: number, height: number): string[] => {
  const picture = blank(width, height, [255, 255, 255]);
  draw(picture);
  return Array.from({ length: height }, (_, j) =>
    Array.from({ length: width }, (_, i) => (picture.data[4 * (j * width + i)]! < 128 ? "#" : ".")).join(""),
  );
};

describe("text", () => {
  it.each(fixture.lines)("draws what Pillow draws, at $size pixels", ({ size, width, height, pixels }) => {
    const picture = blank(width, height, [255, 255, 255]);
    drawText(picture, fixture.text, 4, Math.round(1.4 * size), size, [0, 0, 0]);
    const wanted = [...Buffer.from(pixels, "base64")];
    // Coverage is kept in 16 steps: half a step is 8.5 grey levels.
    const far = wanted.map((v, i) => Math.abs(v - picture.data[4 * i]!));
    expect(Math.max(...far)).toBeLessThanOrEqual(9);
    expect(Math.min(...wanted)).toBeLessThan(60);
  });
  it("aligns", () => {
    const columns = (align: "start" | "middle" | "end") =>
      ink((p) => drawText(p, "|", 20, 12, 12, [0, 0, 0], align), 40, 14)[6]!.indexOf("#");
    const [start, middle, end] = [columns("start"), columns("middle"), columns("end")];
    expect(start - end).toBe(textWidth("|", 12));
    expect(middle).toBeGreaterThan(end);
    expect(middle).toBeLessThan(start);
  });
  it("clips at every edge", () => {
    for (const [x, y] of [
      [-3, 5],
      [38, 5],
      [5, -2],
      [5, 22],
      [-500, 5],
      [5, 900],
    ] as const)
      expect(() => ink((p) => drawText(p, "Wide", x, y, 18, [0, 0, 0]), 40, 20)).not.toThrow();
    const left = ink((p) => drawText(p, "H", -4, 14, 18, [0, 0, 0]), 20, 16).map((r) => r.slice(12));
    expect(left.join("")).not.toContain("#");
  });
  it("draws every other character somehow: without accents, or as a box", () => {
    expect(textWidth("ěš", 12)).toBe(textWidth("es", 12));
    expect(textWidth("猫", 12)).toBe(textWidth("□", 12));
    expect(textWidth("e\u0301", 12)).toBe(textWidth("é", 12));
    expect(textWidth("a\nb", 12)).toBe(textWidth("a b", 12));
    expect(textWidth("a\u0000\u200bb\ud800", 12)).toBe(textWidth("ab", 12));
    expect(textWidth("", 12)).toBe(0);
  });
  it("shortens in the middle to a width", () => {
    const name = "features/denseblock4/denselayer16/conv2";
    for (const width of [30, 80, 150]) {
      const short = fitText(name, 12, width);
      expect(textWidth(short, 12)).toBeLessThanOrEqual(width);
      expect(textWidth(short, 12)).toBeGreaterThan(width - 16);
      const [head, tail] = short.split("…") as [string, string];
      expect(name.startsWith(head) && name.endsWith(tail)).toBe(true);
    }
    expect(fitText("short", 12, 100)).toBe("short");
    expect(fitText("no room", 12, 3)).toBe("");
  });
});
