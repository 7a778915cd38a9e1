/**
 * Text in one embedded font, DejaVu Sans, the same pixels everywhere. Characters the font lacks are drawn without their
 * accents, or as an empty box.
 */
import type { Picture } from "../core/picture.ts";
import { characters, sizes } from "./font.generated.ts";
import type { Rgb } from "./theme.ts";

export type FontSize = 10 | 12 | 14 | 18;

interface Font {
  readonly ascent: number;
  readonly descent: number;
  /** Five numbers a glyph: advance, left, top (above the baseline), width, height. */
  readonly boxes: readonly number[];
  /** Where each glyph's pixels start in `coverage`. */
  readonly starts: readonly number[];
  /** 0 to 15. */
  readonly coverage: Uint8Array;
}

const glyphOf: ReadonlyMap<string, number> = new Map([...characters].map((c, i) => [c, i]));
const fonts = new Map<number, Font>();

function fontOf(size: FontSize): Font {
  const made = fonts.get(size);
  if (made) return made;
  const { ascent, descent, boxes, pixels } = sizes.find((s) => s.size === size)!;
  const packed = atob(pixels);
  const coverage = new Uint8Array(packed.length * 2);
  for (let i = 0; i < packed.length; i++) {
    const pair = packed.charCodeAt(i);
    coverage[2 * i] = pair >> 4;
    coverage[2 * i + 1] = pair & 15;
  }
  const starts = [0];
  for (let i = 0; i < boxes.length; i += 5) starts.push(starts.at(-1)! + boxes[i + 3]! * boxes[i + 4]!);
  const font = { ascent, descent, boxes, starts, coverage };
  fonts.set(size, font);
  return font;
}

/** Glyph indices of a text; combining marks that no glyph carries are left out. */
function glyphs(text: string): number[] {
  const out: number[] = [];
  for (const c of text.normalize("NFC")) {
    const own = glyphOf.get(c) ?? glyphOf.get(c.normalize("NFKD")[0]!);
    if (own !== undefined) out.push(own);
    else if (/\s/u.test(c)) out.push(glyphOf.get(" ")!);
    else if (!/\p{M}|\p{C}/u.test(c)) out.push(glyphOf.get("□")!);
  }
  return out;
}

/** Width in pixels of a text on one line. */
export function textWidth(text: string, size: FontSize): number {
  const { boxes } = fontOf(size);
  return glyphs(text).reduce((sum, g) => sum + boxes[5 * g]!, 0);
}

/**
 * The text, shortened in its middle with an ellipsis until it is at most `width` pixels wide: long names differ at their
 * ends as often as at their starts. Empty when not even the ellipsis fits.
 */
export function fitText(text: string, size: FontSize, width: number): string {
  if (textWidth(text, size) <= width) return text;
  const all = [...text];
  const keep = (count: number) =>
    `${all.slice(0, Math.ceil(count / 2)).join("")}…${all.slice(all.length - Math.floor(count / 2)).join("")}`;
  let low = 0;
  let high = all.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (textWidth(keep(middle), size) <= width) low = middle;
    else high = middle - 1;
  }
  return textWidth(keep(low), size) <= width ? keep(low) : "";
}

/**
 * Draws a line of text, its baseline at `y`, from, around or up to `x`. `turned` draws it upwards (a quarter turn to
 * the left): `x` is then the baseline and `y` the place along it. Pixels outside the picture are left out.
 */
export function drawText(
  picture: Picture,
  text: string,
  x: number,
  y: number,
  size: FontSize,
  color: Rgb,
  align: "start" | "middle" | "end" = "start",
  turned = false,
): void {
  const { boxes, starts, coverage } = fontOf(size);
  const shift = align === "start" ? 0 : align === "end" ? textWidth(text, size) : textWidth(text, size) / 2;
  const { data, width, height } = picture;
  const [red, green, blue] = color;
  const x0 = Math.round(x);
  const y0 = Math.round(y);
  let pen = -Math.round(shift);
  for (const g of glyphs(text)) {
    const [advance, left, top, w, h] = boxes.slice(5 * g, 5 * g + 5) as [number, number, number, number, number];
    for (let j = 0; j < h; j++) {
      for (let i = 0; i < w; i++) {
        const alpha = coverage[starts[g]! + j * w + i]! / 15;
        if (alpha === 0) continue;
        const along = pen + left + i;
        const across = j - top;
        const px = turned ? x0 + across : x0 + along;
        const py = turned ? y0 - along : y0 + across;
        if (px < 0 || py < 0 || px >= width || py >= height) continue;
        const at = 4 * (py * width + px);
        data[at] = Math.round(data[at]! + (red - data[at]!) * alpha);
        data[at + 1] = Math.round(data[at + 1]! + (green - data[at + 1]!) * alpha);
        data[at + 2] = Math.round(data[at + 2]! + (blue - data[at + 2]!) * alpha);
        data[at + 3] = Math.max(data[at + 3]!, Math.round(255 * alpha));
      }
    }
    pen += advance;
  }
}
