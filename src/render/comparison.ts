/**
 * Many explanations on one sheet: a row for each photograph (and class, where there are many), the photograph first, a
 * column for each method, layer and class. The classes of one photograph share a scale at each method and layer, since their
 * values weigh against each other; between photographs sizes mean nothing (gradients of one may be many times those of
 * another), so each has its own, as in captum and pytorch-grad-cam. The sheet says so.
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
  shownField,
  shownSize,
} from "./explain/draw.ts";
import { type Explained, type Field, fieldOf, type Scale, scaleOf } from "./explain/field.ts";
import { lay } from "./explain/layers.ts";
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

/** The longer side of a photograph on a sheet. */
const tile = 232;
/** Narrow photographs leave room for the words below them all the same. */
const leastColumn = 150;
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

/**
 * A row with no more than a sheet needs, for photographs that come one by one: a small photograph, and attributions with
 * their channels reduced.
 */
export function comparisonRow({ name, photo, results }: ComparisonRow): ComparisonRow {
  return { name, results: results.map(reduced), ...(photo && { photo: tileOf(photo) }) };
}

function reduced(result: Explained): Explained {
  if (result.kind === "map") return result;
  const { values, height, width, signed } = fieldOf(result);
  return {
    ...result,
    signed,
    layout: "NCHW",
    channelReduce: "sum",
    values: { type: "float32", dims: [1, height, width], data: values },
  };
}

/** A photograph in the size of a tile. */
function tileOf(photo: Placed): Placed {
  const small = resized(photo, ...shownSize(photo.picture, tile, tile));
  // Small pictures grow by whole factors and may end up beyond the tile.
  return Math.max(small.picture.width, small.picture.height) <= tile ? small : photo;
}

/** The pages of the sheet; none where nothing is to be drawn. `options.scale` is not read. */
export function comparisonSheet(rows: readonly ComparisonRow[], options: ExplanationOptions = {}): Picture[] {
  const groups = rows.flatMap(groupsOf);
  const scales = scalesOf(groups, options);
  const lines = linesOf(rows);
  const drawings = new Map<Explained, Drawing>();
  for (const { results, photo } of rows)
    for (const result of results)
      drawings.set(result, drawingOf(result, photo !== undefined, { ...options, scale: scales.get(result)! }));
  const drawn = lines.map((line) => drawLine(line, drawings));
  const columns = Math.max(0, ...lines.map((line) => line.cells.length)) + 1;
  const widest = Math.max(0, ...drawn.flatMap(({ photo, cells }) => [photo, ...cells].map((p) => p?.width ?? 0)));
  const column = Math.max(leastColumn, widest);
  const width = Math.max(560, 2 * margin + columns * (column + gap) - gap);
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
    const page = startPage(width, height, title, factsOf(rows, groups, scales.values()));
    drawLegends(page, [...drawings.values()], groups.length === 1);
    let y = headHeight;
    for (let i = first; i < last; i++) {
      const line = lines[i]!;
      if (i === first || !sameHeads(line, lines[i - 1])) {
        drawHeads(page, line, column, y);
        y += columnHead;
      }
      drawTiles(page, line, drawn[i]!, drawings, column, y, groups.length === 1);
      y += drawn[i]!.height + under;
    }
    pages.push(page);
    first = last;
  }
  return pages;
}

/** The results of one photograph that share a scale: those of one method at one layer. */
interface Group {
  readonly photo: Placed | undefined;
  readonly results: readonly Explained[];
}

function groupsOf({ photo, results }: ComparisonRow): readonly Group[] {
  const groups = new Map<string, Explained[]>();
  for (const result of results) {
    const key = `${result.origin.method}\n${layersOf(result)}`;
    groups.set(key, [...(groups.get(key) ?? []), result]);
  }
  return [...groups.values()].map((of) => ({ photo, results: of }));
}

function scalesOf(groups: readonly Group[], { clip, mode }: ExplanationOptions): ReadonlyMap<Explained, Scale> {
  return new Map(
    groups.flatMap(({ photo, results }) => {
      const shown = photo && tileOf(photo);
      const fields = results.map((result) => onTile(shownField(result, mode), shown));
      const scale = scaleOf(fields, clip ?? defaultClip(results[0]!, mode));
      return results.map((result) => [result, scale] as const);
    }),
  );
}

/**
 * A field in the pixels of a tile, where it has more of its own: what is drawn of it. Values of both signs that lie close
 * together cancel then, and on the scale of the single ones the tile would look empty.
 */
function onTile(field: Field, shown: Placed | undefined): Field {
  const { height, width } = field;
  const factor = tile / Math.max(height, width);
  const place = shown?.region ?? { x: 0, y: 0, width: width * factor, height: height * factor };
  const [across, down] = [Math.round(place.width), Math.round(place.height)];
  if (across >= width || down >= height) return field;
  // Moved to whole pixels, so that none lies half outside; a shift of less than one changes no percentile to speak of.
  const { values } = lay(field, across, down, { x: 0, y: 0, width: across, height: down }, true);
  return { ...field, values, height: down, width: across };
}

type Part = "method" | "layer" | "target";
const parts: Readonly<Record<Part, (result: Explained) => string>> = {
  method: ({ origin }) => origin.method,
  layer: layersOf,
  target: targetOf,
};
const keyOf =
  (names: readonly Part[]) =>
  (result: Explained): string =>
    names.map((name) => parts[name](result)).join("\n");

/** Lays the results out: classes, then methods, move from columns to lines when there would be too many columns. */
function linesOf(rows: readonly ComparisonRow[]): Line[] {
  const all = rows.flatMap(({ results }) => results);
  /** Whether a photograph has several of something, alike in something else. */
  const several = (part: Part, alike: (result: Explained) => string = () => "") =>
    rows.some(({ results }) =>
      results.some((a) => results.some((b) => alike(a) === alike(b) && parts[part](a) !== parts[part](b))),
    );
  // That methods of pixels have no layer, or others choose another one, makes no column.
  const layers = several("layer", parts.method);
  const varies: readonly Part[] = [
    ...(several("method") ? (["method"] as const) : []),
    ...(layers ? (["layer"] as const) : []),
    ...(several("target") ? (["target"] as const) : []),
  ];
  const vary = (names: readonly Part[]) => names.filter((name) => varies.includes(name));
  const columnsOf = (names: readonly Part[], of = all) => [...new Set(of.map(keyOf(vary(names))))];
  const fits = (names: readonly Part[]) => columnsOf(names).length <= mostColumns;
  const { across, down }: { readonly across: readonly Part[]; readonly down: readonly Part[] } =
    varies.length < 2 || fits(varies)
      ? { across: varies, down: [] }
      : !layers || fits(["method", "layer"])
        ? { across: ["method", "layer"], down: ["target"] }
        : { across: ["layer"], down: ["method", "target"] };
  const lineKey = keyOf(vary(down));
  const columnKey = keyOf(vary(across));
  /** The columns of each kind of line, in pieces that fit side by side. */
  const pieces = new Map(
    columnsOf(down).map((key) => {
      const of = all.filter((result) => lineKey(result) === key);
      const columns = columnsOf(across, of).map((column) => {
        const sample = of.find((result) => columnKey(result) === column)!;
        return { column, head: headOf(sample, vary(across)) };
      });
      const cut = Array.from({ length: Math.ceil(columns.length / mostColumns) }, (_, i) => {
        const piece = columns.slice(i * mostColumns, (i + 1) * mostColumns);
        return { keys: piece.map(({ column }) => column), heads: piece.map(({ head }) => head) };
      });
      return [key, cut] as const;
    }),
  );
  return rows.flatMap(({ name, photo, results }) =>
    [...new Set(results.map(lineKey))].flatMap((key) => {
      const own = results.filter((result) => lineKey(result) === key);
      const of = vary(down).map((part) => (part === "method" ? own[0]!.title : own[0]!.target.label));
      return pieces.get(key)!.map(({ keys, heads }) => {
        const cells = keys.map((column) => own.find((result) => columnKey(result) === column));
        return { name, of: of.join(", "), photo, cells, heads };
      });
    }),
  );
}

/** What tells a column from the others as its title, the rest below it. */
function headOf(result: Explained, across: readonly Part[]): Head {
  const { height, width } = fieldOf(result);
  const layer = layersOf(result);
  const place = result.kind === "map" ? shapeText([height, width]) : "";
  const join = (...words: readonly string[]) => words.filter(Boolean).join(" ");
  if (across.includes("target")) return { title: result.target.label, detail: join(result.title, layer, place) };
  if (across.includes("layer") && !across.includes("method") && layer !== "")
    return { title: layer, detail: join(result.title, place) };
  return { title: result.title, detail: join(layer, place) };
}

interface DrawnLine {
  readonly height: number;
  readonly photo: Picture | undefined;
  readonly cells: readonly (Picture | undefined)[];
}

function drawLine({ photo, cells }: Line, drawings: ReadonlyMap<Explained, Drawing>): DrawnLine {
  const shown = photo && tileOf(photo);
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

const sameHeads = ({ heads }: Line, before: Line | undefined): boolean =>
  before !== undefined &&
  heads.length === before.heads.length &&
  heads.every(({ title, detail }, i) => title === before.heads[i]!.title && detail === before.heads[i]!.detail);

const heightOf = (line: Line, before: Line | undefined, drawn: DrawnLine, first: boolean): number =>
  drawn.height + under + (first || !sameHeads(line, before) ? columnHead : 0);

function drawHeads(page: Picture, { heads }: Line, column: number, y: number): void {
  for (const [i, { title, detail }] of heads.entries()) {
    const x = margin + (i + 1) * (column + gap);
    drawText(page, fitText(title, 14, column), x, y + 14, 14, theme.text);
    drawText(page, fitText(detail, 10, column), x, y + 28, 10, theme.muted);
  }
}

function drawTiles(
  page: Picture,
  line: Line,
  drawn: DrawnLine,
  drawings: ReadonlyMap<Explained, Drawing>,
  column: number,
  y: number,
  one: boolean,
): void {
  const columnX = (i: number) => margin + i * (column + gap);
  const put = (picture: Picture, i: number) =>
    place(page, picture, columnX(i), y + Math.floor((drawn.height - picture.height) / 2), 1, 1);
  if (drawn.photo !== undefined) put(drawn.photo, 0);
  drawText(page, fitText(line.name, 12, column), columnX(0), y + drawn.height + 14, 12, theme.text);
  if (line.of !== "") drawText(page, fitText(line.of, 10, column), columnX(0), y + drawn.height + 28, 10, theme.muted);
  for (const [i, picture] of drawn.cells.entries()) {
    const result = line.cells[i];
    if (picture === undefined || result === undefined) continue;
    put(picture, i + 1);
    const { scale } = drawings.get(result)!;
    const range = `${short(scale.min, 3)} to ${scale.clipped ? "≥ " : ""}${short(scale.max, 3)}`;
    const { label, probability, score } = result.target;
    const sure = probability === null ? short(score, 3) : percent(probability);
    const base = y + drawn.height + 13;
    const room = column - textWidth(sure, 10) - 8;
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

function factsOf(rows: readonly ComparisonRow[], groups: readonly Group[], scales: Iterable<Scale>): string {
  const model = rows[0]?.results[0]?.origin.model.name ?? "";
  const cut = [...scales].find(({ clipped }) => clipped)?.clipped;
  const photograph = rows.length > 1 ? "of a photograph " : "";
  const scale =
    groups.length === 1
      ? "one scale for all maps"
      : groups.every(({ results }) => results.length === 1)
        ? "each map has its own scale, written below"
        : `classes ${photograph}share a scale for each method and layer, written below`;
  return [model, scale, ...(cut ? [`≥: cut at the ${cut.percentile}th percentile of the pixels`] : [])].join("  ·  ");
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
