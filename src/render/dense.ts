/** A layer of single numbers (rank 2: dense, flattened, pooled): bars when there are few, else a grid of cells. */
import type { Picture } from "../core/picture.ts";
import { fillRect, packed } from "./canvas.ts";
import { applyColorMap, type ColorMapName, colorMap, finiteRange } from "./colormaps.ts";
import { drawText } from "./font.ts";
import { percent, short } from "./numbers.ts";
import { paint, startPage } from "./sheet.ts";
import { theme } from "./theme.ts";

/** Up to so many numbers are drawn as bars with their values. */
const mostBars = 24;
const mostCells = 32768;

/** Pages of one layer's numbers for one picture. `title` heads each page. */
export function denseSheets(values: Float32Array, title: string, map: ColorMapName = "viridis"): Picture[] {
  if (values.length <= mostBars) return [bars(values, title)];
  const pages: Picture[] = [];
  for (let first = 0; first < values.length; first += mostCells) pages.push(cells(values, title, first, map));
  return pages;
}

function factsOn(values: Float32Array): string[] {
  const { min, max, notFinite } = finiteRange(values);
  const zeros = values.reduce((n, v) => (v === 0 ? n + 1 : n), 0);
  const facts = [`${percent(zeros / values.length)} are 0`];
  if (min <= max) facts.push(min === max ? `all ${short(min)}` : `from ${short(min)} to ${short(max)}`);
  if (notFinite > 0) facts.push(`${notFinite} NaN or infinite`);
  return facts;
}

function bars(values: Float32Array, title: string): Picture {
  const [left, right, row] = [48, 420, 20];
  const picture = startPage(520, 64 + values.length * row, title, factsOn(values).join(" · "));
  const range = finiteRange(values);
  const low = Math.min(0, range.min);
  const high = Math.max(0, range.max);
  const scale = high > low && Number.isFinite(high - low) ? (right - left) / (high - low) : 0;
  const zero = left - Math.min(0, low) * scale || left;
  for (const [i, value] of values.entries()) {
    const y = 58 + i * row;
    drawText(picture, String(i), left - 8, y + 12, 12, theme.muted, "end");
    const end = Number.isFinite(value) ? zero + value * scale : zero;
    fillRect(picture, Math.min(zero, end), y, Math.max(1, Math.abs(end - zero)), row - 5, theme.accent);
    drawText(picture, short(value), Math.max(zero, end) + 6, y + 12, 12, theme.text);
  }
  return picture;
}

function cells(values: Float32Array, title: string, first: number, map: ColorMapName): Picture {
  const page = values.subarray(first, first + mostCells);
  const [columns, side] = values.length <= 1024 ? [32, 20] : values.length <= 4096 ? [64, 12] : [128, 6];
  const rows = Math.ceil(page.length / columns);
  const [left, top] = [56, 74];
  const range = values.length > mostCells ? [`numbers ${first}–${first + page.length - 1} of ${values.length}`] : [];
  const width = left + columns * side + 16;
  const picture = startPage(width, top + rows * side + 44, title, [...range, ...factsOn(values)].join(" · "));

  const { min, max } = finiteRange(values);
  const rgba = applyColorMap(page, { min, max, map });
  const colors = new Uint32Array(rows * columns).fill(packed(theme.surface));
  colors.set(new Uint32Array(rgba.buffer));
  paint(
    picture,
    { channel: 0, x: left, y: top, width: columns * side, height: rows * side },
    colors,
    columns,
    side,
    side,
  );

  for (let c = 0; c < columns; c += columns / 8)
    drawText(picture, `+${c}`, left + (c + 0.5) * side, top - 6, 10, theme.muted, "middle");
  const step = Math.ceil(14 / side);
  for (let r = 0; r < rows; r += step)
    drawText(
      picture,
      String(first + r * columns),
      left - 6,
      top + r * side + Math.min(side, 14) / 2 + 4,
      10,
      theme.muted,
      "end",
    );

  const ramp = new Uint32Array(256);
  const table = colorMap(map);
  for (let i = 0; i < 256; i++) ramp[i] = packed([table[3 * i]!, table[3 * i + 1]!, table[3 * i + 2]!]);
  const y = top + rows * side + 14;
  paint(picture, { channel: 0, x: left, y, width: 256, height: 10 }, ramp, 256, 1, 10);
  if (min <= max) {
    drawText(picture, short(min), left, y + 22, 10, theme.text);
    drawText(picture, short(max), left + 256, y + 22, 10, theme.text, "end");
  }
  return picture;
}
