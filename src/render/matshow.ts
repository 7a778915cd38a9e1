/** One channel as matplotlib's `matshow` shows it: nearest-neighbour, axes in pixels, a colour bar with values. */
import { ConvlensError } from "../core/errors.ts";
import type { Picture } from "../core/picture.ts";
import { applyColorMap, type ColorMapName, finiteRange } from "./colormaps.ts";
import { textWidth } from "./font.ts";
import { alike, short, ticks } from "./numbers.ts";
import { type Mark, sceneToPicture } from "./scene.ts";

export interface MatshowOptions {
  /** "conv2d, channel 3"; the shape is added. */
  readonly title: string;
  /** Default viridis. */
  readonly map?: ColorMapName;
  /** The values of the colour bar's ends; default: the finite extremes. */
  readonly min?: number;
  readonly max?: number;
}

/** The longer side of a map is enlarged by a whole factor to about this many pixels. */
const wantedSide = 460;
const mostSide = 1600;

/**
 * Draws `height` x `width` values. Small maps are enlarged by a whole factor, maps over 1,600 pixels keep every n-th
 * pixel. NaN is grey; a note under the map says so, and when all values are equal. Throws `option-invalid` when the
 * number of values does not fit.
 */
export function matshow(values: ArrayLike<number>, height: number, width: number, options: MatshowOptions): Picture {
  if (values.length !== height * width || values.length === 0)
    throw new ConvlensError(
      "option-invalid",
      `matshow "${options.title}": ${values.length} values for a map of ${height} x ${width}: expected ${height * width}, at least one`,
    );
  const factor = Math.max(1, Math.floor(wantedSide / Math.max(height, width)));
  const stride = Math.max(1, Math.ceil(Math.max(height, width) / mostSide));
  const range = finiteRange(values);
  const all = range.min <= range.max;
  const min = options.min ?? (all ? range.min : 0);
  const max = options.max ?? (all ? range.max : 1);

  const picture = mapPicture(values, height, width, stride, options.map, min, max);
  // A row or column of values gets square pixels all the same, but never a side too thin to see.
  const across = Math.max(factor, Math.ceil(24 / picture.width));
  const down = Math.max(factor, Math.ceil(24 / picture.height));
  const mapWidth = picture.width * across;
  const mapHeight = picture.height * down;

  const barHeight = Math.max(mapHeight, 120);
  const barTicks = barTicksOf(min, max, Math.min(8, barHeight / 40));
  const barLabels = alike(barTicks);
  const rowTicks = ticks(0, height - 1, Math.max(1, Math.min(10, mapHeight / 40)), true);
  const columnTicks = ticks(0, width - 1, Math.max(1, Math.min(10, mapWidth / 50)), true);
  const left = 20 + Math.max(...rowTicks.map((t) => textWidth(String(t), 12)));
  const top = 64;
  const barX = left + mapWidth + 22;
  const barRight = barX + 20 + 10 + Math.max(...barLabels.map((t) => textWidth(t, 12)));
  const notes = notesOn(values, range, min, max, stride);
  const title = `${options.title} — (${height}, ${width})`;
  const widest = Math.max(...notes.map((n) => textWidth(n, 12)), Math.min(700, textWidth(title, 14)));
  const sceneWidth = Math.max(barRight + 14, widest + 28);
  const sceneHeight = top + barHeight + 16 + notes.length * 18;

  const marks: Mark[] = [
    { kind: "text", x: 14, y: 24, text: title, size: 14, fill: "text", width: sceneWidth - 28 },
    { kind: "rect", x: left - 1, y: top - 1, width: mapWidth + 2, height: mapHeight + 2, fill: "muted" },
    { kind: "picture", x: left, y: top, picture, across, down },
  ];
  for (const t of columnTicks) {
    const x = left + (Math.floor(t / stride) + 0.5) * across;
    marks.push({ kind: "line", x1: x, y1: top - 6, x2: x, y2: top - 1, stroke: "muted" });
    marks.push({ kind: "text", x, y: top - 10, text: String(t), size: 12, fill: "text", align: "middle" });
  }
  for (const t of rowTicks) {
    const y = top + (Math.floor(t / stride) + 0.5) * down;
    marks.push({ kind: "line", x1: left - 6, y1: y, x2: left - 1, y2: y, stroke: "muted" });
    marks.push({ kind: "text", x: left - 9, y: y + 4, text: String(t), size: 12, fill: "text", align: "end" });
  }
  marks.push({ kind: "rect", x: barX - 1, y: top - 1, width: 20, height: barHeight + 2, fill: "muted" });
  const ramp = Float32Array.from({ length: barHeight }, (_, i) => (min < max ? 1 - i / Math.max(1, barHeight - 1) : 0));
  const bar = { width: 1, height: barHeight, data: applyColorMap(ramp, { min: 0, max: 1, ...mapOf(options.map) }) };
  marks.push({ kind: "picture", x: barX, y: top, picture: bar, across: 18, down: 1 });
  for (const [i, t] of barTicks.entries()) {
    const y = min < max ? top + (1 - (t - min) / (max - min)) * (barHeight - 1) + 0.5 : top + barHeight / 2;
    marks.push({ kind: "line", x1: barX + 19, y1: y, x2: barX + 24, y2: y, stroke: "muted" });
    marks.push({ kind: "text", x: barX + 28, y: y + 4, text: barLabels[i]!, size: 12, fill: "text" });
  }
  for (const [i, text] of notes.entries())
    marks.push({ kind: "text", x: 14, y: top + barHeight + 24 + i * 18, text, size: 12, fill: "muted" });
  return sceneToPicture({ width: sceneWidth, height: sceneHeight, title, marks });
}

/** Round values along the bar, or its ends where fewer than two fit. */
function barTicksOf(min: number, max: number, most: number): number[] {
  if (!(min < max)) return [min];
  const round = ticks(min, max, most);
  return round.length > 1 ? round : [min, max];
}

const mapOf = (map?: ColorMapName): { map?: ColorMapName } => (map ? { map } : {});

function mapPicture(
  values: ArrayLike<number>,
  height: number,
  width: number,
  stride: number,
  map: ColorMapName | undefined,
  min: number,
  max: number,
): Picture {
  const [h, w] = [Math.ceil(height / stride), Math.ceil(width / stride)];
  const kept =
    stride === 1
      ? values
      : Float32Array.from({ length: h * w }, (_, i) => values[Math.floor(i / w) * stride * width + (i % w) * stride]!);
  return { width: w, height: h, data: applyColorMap(kept, { min, max, ...mapOf(map) }) };
}

function notesOn(
  values: ArrayLike<number>,
  range: { min: number; max: number; notFinite: number },
  min: number,
  max: number,
  stride: number,
): string[] {
  const notes: string[] = [];
  let nan = 0;
  for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) nan++;
  const infinite = range.notFinite - nan;
  if (nan > 0) notes.push(`${nan} of ${values.length} values are NaN (grey)`);
  if (infinite > 0) notes.push(`${infinite} of ${values.length} values are infinite (drawn as the ends of the bar)`);
  if (range.min === range.max) {
    const every = range.notFinite > 0 ? "all other values are" : "every value is";
    notes.push(range.min === 0 ? `${every} 0: nothing here answers` : `constant: ${every} ${short(range.min)}`);
  }
  if (range.min < min || range.max > max)
    notes.push(`values from ${short(range.min)} to ${short(range.max)} are clipped to the bar`);
  if (stride > 1) notes.push(`one row and column in ${stride} is drawn`);
  return notes;
}
