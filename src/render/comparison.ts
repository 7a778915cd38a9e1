/**
 * Many explanations on one sheet: a row for each photograph (and class, where there are many), the photograph first, a
 * column for each method, layer and class. What one method gives at one layer has one scale on the whole sheet, so that
 * classes and photographs can be compared; the sheet says so.
 */
import type { Picture } from "../core/picture.ts";
import { place } from "./canvas.ts";
import {
  caption,
  type Drawing,
  defaultClip,
  draw,
  drawingOf,
  type ExplanationOptions,
  type Placed,
  resized,
  shownSize,
} from "./explain/draw.ts";
import { type Explained, fieldOf, type Scale, scaleOf } from "./explain/field.ts";
import { ramp } from "./explain/legend.ts";
import { drawText, fitText, textWidth } from "./font.ts";
import { percent, shapeText, short } from "./numbers.ts";
import { reasonOf } from "./overlay.ts";
import { startPage } from "./sheet.ts";
import { theme } from "./theme.ts";

/** All explanations of one photograph. */
export interface ComparisonRow {
  /** As the sheet names the photograph. */
  readonly name: string;
  /** Absent where a ready tensor was explained. */
  readonly photo?: Placed;
  readonly results: readonly Explained[];
}

const tile = 232;
const gap = 14;
const margin = 12;
const mostColumns = 6;
const mostHeight = 2600;
const headHeight = 88;
const columnHead = 36;
const under = 38;

/** One line of the sheet: the photograph and what is drawn of it, by column. */
interface Line {
  readonly name: string;
  /** What else the line has in common: a class, a method. */
  readonly of: string;
  readonly photo: Placed | undefined;
  readonly cells: readonly (Explained | undefined)[];
  readonly heads: readonly Head[];
}
interface Head {
  readonly title: string;
  readonly detail: string;
}

const layersOf = (result: Explained): string => (result.kind === "map" ? result.layers.join(" + ") : "");
const targetOf = ({ target }: Explained): string => `${target.index ?? ""} ${target.label}`;
const groupOf = (result: Explained): string => `${result.origin.method}\n${layersOf(result)}`;

/** A photograph in the size in which sheets show it: keep this of photographs that come one by one. */
export function comparisonPhoto(photo: Placed): Placed {
  const small = resized(photo, ...shownSize(photo.picture, tile, tile));
  // Small pictures grow by whole factors and may end up beyond the tile.
  return Math.max(small.picture.width, small.picture.height) <= tile ? small : photo;
}

/** The pages of the sheet; none where nothing is to be drawn. `options.scale` is not read. */
export function comparisonSheet(rows: readonly ComparisonRow[], options: ExplanationOptions = {}): Picture[] {
  const scales = scalesOf(rows, options.clip);
  const lines = linesOf(rows);
  const drawings = new Map<Explained, Drawing>();
  for (const { results, photo } of rows)
    for (const result of results)
      drawings.set(result, drawingOf(result, photo !== undefined, { ...options, scale: scales.get(groupOf(result))! }));
  const drawn = lines.map((line) => drawLine(line, drawings));
  const columns = Math.max(0, ...lines.map((line) => line.cells.length)) + 1;
  const width = Math.max(560, 2 * margin + columns * (tile + gap) - gap);
  const pages: Picture[] = [];
  for (let first = 0; first < lines.length; ) {
    let [height, last] = [headHeight, first];
    while (last < lines.length) {
      const next = heightOf(lines[last]!, lines[last - 1], drawn[last]!, last === first);
      if (last > first && height + next > mostHeight) break;
      height += next;
      last++;
    }
    const whole = first === 0 && last === lines.length;
    const range = whole ? "" : ` (part ${pages.length + 1})`;
    const title = `${titleOf(rows)}${range}`;
    const page = startPage(width, height, title, factsOf(rows, scales));
    drawLegends(page, [...drawings.values()], scales.size === 1);
    let y = headHeight;
    for (let i = first; i < last; i++) {
      const line = lines[i]!;
      if (i === first || line.heads !== lines[i - 1]!.heads) {
        drawHeads(page, line, y);
        y += columnHead;
      }
      drawTiles(page, line, drawn[i]!, drawings, y, scales.size === 1);
      y += drawn[i]!.height + under;
    }
    pages.push(page);
    first = last;
  }
  return pages;
}

function scalesOf(rows: readonly ComparisonRow[], clip: number | undefined): Map<string, Scale> {
  const groups = new Map<string, Explained[]>();
  for (const result of rows.flatMap(({ results }) => results))
    groups.set(groupOf(result), [...(groups.get(groupOf(result)) ?? []), result]);
  return new Map(
    [...groups].map(([key, results]) => [key, scaleOf(results.map(fieldOf), clip ?? defaultClip(results[0]!))]),
  );
}

/** Lays the results out: classes, then methods, move from columns to rows when there would be too many columns. */
function linesOf(rows: readonly ComparisonRow[]): Line[] {
  const all = rows.flatMap(({ results }) => results);
  const several = (key: (result: Explained) => string) =>
    rows.some(({ results }) => new Set(results.map(key)).size > 1);
  const parts = {
    method: several((r) => r.origin.method) ? (r: Explained) => r.title : undefined,
    layer: several(layersOf) ? layersOf : undefined,
    target: several(targetOf) ? targetOf : undefined,
  };
  const keyOf = (names: readonly (keyof typeof parts)[]) => (r: Explained) =>
    names.map((name) => parts[name]?.(r) ?? "").join("\n");
  const choices = [
    { across: ["method", "layer", "target"], down: [] },
    { across: ["method", "layer"], down: ["target"] },
    { across: ["layer"], down: ["method", "target"] },
  ] as const;
  const count = (names: readonly (keyof typeof parts)[]) => new Set(all.map(keyOf(names))).size;
  const choice =
    choices.find(({ across }, i) => count(across) <= mostColumns || i === choices.length - 1 || sole(parts)) ??
    choices[0];
  const across = keyOf(choice.across);
  const down = keyOf(choice.down);
  const columns = [...new Set(all.map(across))];
  const samples = columns.map((key) => all.find((r) => across(r) === key)!);
  const heads = samples.map((r) => headOf(r, parts, choice.down.length > 0));
  const wrapped: Head[][] = [];
  for (let i = 0; i < heads.length; i += mostColumns) wrapped.push(heads.slice(i, i + mostColumns));
  return rows.flatMap(({ name, photo, results }) =>
    [...new Set(results.map(down))].flatMap((key) =>
      wrapped.map((part, w) => {
        const keys = columns.slice(w * mostColumns, w * mostColumns + part.length);
        const cells = keys.map((column) => results.find((r) => down(r) === key && across(r) === column));
        const of = choice.down.length === 0 ? "" : key.replace(/^\n?\d+ /, "").replaceAll("\n", " ");
        return { name, of, photo, cells, heads: part };
      }),
    ),
  );
}

/** Whether only one thing varies: then its columns wrap, and nothing moves to the rows. */
const sole = (parts: Readonly<Record<string, unknown>>): boolean =>
  Object.values(parts).filter((part) => part !== undefined).length < 2;

type Parts = Readonly<Record<"method" | "layer" | "target", ((result: Explained) => string) | undefined>>;

function headOf(result: Explained, parts: Parts, targetsDown: boolean): Head {
  const field = fieldOf(result);
  const layer =
    result.kind === "map" && layersOf(result) !== ""
      ? `${layersOf(result)} ${shapeText([field.height, field.width])}`
      : "";
  const target = parts.target !== undefined && !targetsDown ? result.target.label : "";
  if (target !== "") return { title: target, detail: [result.title, layer].filter(Boolean).join(", ") };
  return parts.method === undefined && parts.layer !== undefined
    ? { title: layersOf(result), detail: `${result.title} ${shapeText([field.height, field.width])}` }
    : { title: result.title, detail: layer };
}

interface DrawnLine {
  readonly height: number;
  readonly photo: Picture | undefined;
  readonly cells: readonly (Picture | undefined)[];
}

function drawLine({ photo, cells }: Line, drawings: ReadonlyMap<Explained, Drawing>): DrawnLine {
  const shown = photo && comparisonPhoto(photo);
  const pictures = cells.map((result) => {
    if (result === undefined) return undefined;
    const drawing = drawings.get(result)!;
    const { height, width } = drawing.field;
    const factor = tile / Math.max(height, width);
    const picture = draw(drawing, shown, [Math.round(height * factor), Math.round(width * factor)]);
    if (drawing.fault !== undefined) caption(picture, reasonOf(drawing), 10, 3);
    return picture;
  });
  const heights = [shown?.picture, ...pictures].map((picture) => picture?.height ?? 0);
  return { height: Math.max(...heights), photo: shown?.picture, cells: pictures };
}

const heightOf = (line: Line, before: Line | undefined, drawn: DrawnLine, first: boolean): number =>
  drawn.height + under + (first || line.heads !== before?.heads ? columnHead : 0);

const columnX = (column: number): number => margin + column * (tile + gap);

function drawHeads(page: Picture, { heads }: Line, y: number): void {
  for (const [i, { title, detail }] of heads.entries()) {
    drawText(page, fitText(title, 14, tile), columnX(i + 1), y + 14, 14, theme.text);
    drawText(page, fitText(detail, 10, tile), columnX(i + 1), y + 28, 10, theme.muted);
  }
}

function drawTiles(
  page: Picture,
  line: Line,
  drawn: DrawnLine,
  drawings: ReadonlyMap<Explained, Drawing>,
  y: number,
  one: boolean,
): void {
  const put = (picture: Picture, column: number) =>
    place(page, picture, columnX(column), y + Math.floor((drawn.height - picture.height) / 2), 1, 1);
  if (drawn.photo !== undefined) put(drawn.photo, 0);
  drawText(page, fitText(line.name, 12, tile), columnX(0), y + drawn.height + 14, 12, theme.text);
  if (line.of !== "") drawText(page, fitText(line.of, 10, tile), columnX(0), y + drawn.height + 28, 10, theme.muted);
  for (const [i, picture] of drawn.cells.entries()) {
    const result = line.cells[i];
    if (picture === undefined || result === undefined) continue;
    put(picture, i + 1);
    const { scale } = drawings.get(result)!;
    const range = `${short(scale.min, 3)} to ${scale.clipped ? "≥ " : ""}${short(scale.max, 3)}`;
    const { label, probability, score } = result.target;
    const sure = probability === null ? short(score, 3) : percent(probability);
    const base = y + drawn.height + 13;
    const room = tile - textWidth(sure, 10) - 8;
    const named = fitText(label, 10, room);
    drawText(page, named, columnX(i + 1), base, 10, theme.text);
    drawText(page, sure, columnX(i + 1) + textWidth(named, 10) + 8, base, 10, theme.muted);
    if (!one) drawText(page, range, columnX(i + 1), base + 14, 10, theme.muted);
  }
}

/** What is common to all, as the sheet's title. */
function titleOf(rows: readonly ComparisonRow[]): string {
  const all = rows.flatMap(({ results }) => results);
  const common = (values: readonly string[]) => (new Set(values).size === 1 ? [values[0]!] : []);
  const words = [
    ...common(all.map(({ title }) => title)),
    ...common(all.map(layersOf)).map((layer) => (layer === "" ? "" : `at ${layer}`)),
    ...common(all.map(({ target }) => target.label)).map((label) => `for ${label}`),
  ].filter(Boolean);
  if (words.length === 0) return "Explanations compared";
  return words[0]!.startsWith("at ") || words[0]!.startsWith("for ")
    ? `Explanations ${words.join(" ")}`
    : words.join(" ");
}

function factsOf(rows: readonly ComparisonRow[], scales: ReadonlyMap<string, Scale>): string {
  const model = rows[0]?.results[0]?.origin.model.name ?? "";
  const cut = [...scales.values()].find(({ clipped }) => clipped)?.clipped;
  const count = rows.reduce((sum, { results }) => sum + results.length, 0);
  const scale =
    scales.size === 1
      ? "one scale for all maps"
      : scales.size === count
        ? "each map has a scale of its own: the numbers below it"
        : "one scale for all maps of one method at one layer: the numbers below them";
  return [model, scale, ...(cut ? [`≥: colours end at the ${cut.percentile}th percentile`] : [])].join("  ·  ");
}

/** A bar for each kind of colours on the sheet. */
function drawLegends(page: Picture, drawings: readonly Drawing[], one: boolean): void {
  const kinds = new Map(drawings.map((drawing) => [`${drawing.look.palette} ${drawing.scale.signed}`, drawing]));
  let x = margin;
  for (const { scale, look } of kinds.values()) {
    const low = one || scale.signed ? short(scale.min, 3) : "0";
    const [from, to] = one
      ? [low, `${scale.clipped ? "≥ " : ""}${short(scale.max, 3)}`]
      : scale.signed
        ? ["against", "for"]
        : ["low", "high"];
    drawText(page, from, x, 69, 10, theme.muted);
    x += textWidth(from, 10) + 6;
    place(page, ramp(scale, look, 120, 8), x, 61, 1, 1);
    x += 126;
    drawText(page, to, x, 69, 10, theme.muted);
    x += textWidth(to, 10) + 24;
  }
}
