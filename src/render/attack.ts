/** An attack as a drawing: original, attacked picture and difference, the changed pixels ringed and listed, the answers before and after. */

import type { Picture } from "../core/picture.ts";
import type { Answer, Attack, ChangedPixel, ClassScore, HeatMap } from "../core/result.ts";
import { finiteRange } from "./colormaps.ts";
import { textWidth } from "./font.ts";
import { matshow } from "./matshow.ts";
import { grouped, percent, short } from "./numbers.ts";
import type { Mark, PictureMark, RectMark, Scene } from "./scene.ts";

/** Small pictures are enlarged by a whole factor to about this side. */
const wantedSide = 300;
/** More changed pixels than this are neither ringed nor listed. */
const mostListed = 12;
/** Classes with bars; answers list as many of the best. */
const mostRows = 5;
const [edge, gap, size] = [14, 18, 12] as const;

/** The whole story of an attack in one drawing. */
export function attackScene(attack: Attack): Scene {
  const { pixels } = attack;
  const panels = attackPanels(attack);
  const panel = Math.max(panels[0]!.width, 150);
  const width = 2 * edge + 3 * panel + 2 * gap;
  const inner = width - 2 * edge;
  const marks: Mark[] = [
    { kind: "text", x: edge, y: 24, text: headline(attack), size: 14, fill: "text", width: inner },
    { kind: "text", x: edge, y: 44, text: outcome(attack), size, fill: "muted", width: inner },
  ];
  const top = 76;
  for (const [i, { title, marks: drawn }] of panels.entries()) {
    const x = edge + i * (panel + gap);
    marks.push({ kind: "text", x, y: top - 8, text: title, size, fill: "text", width: panel });
    marks.push(...drawn.map((mark) => ({ ...mark, x: x + mark.x, y: top + mark.y })));
  }
  const below = top + panels[0]!.height + 28;
  const half = Math.floor((inner - gap) / 2);
  const bars = answerBars(attack, edge, below, half);
  const list = areFew(attack) ? pixelList(pixels, edge + half + gap, below, half) : { marks: [], height: 0 };
  marks.push(...bars.marks, ...list.marks);
  return { width, height: below + Math.max(bars.height, list.height) + edge, title: headline(attack), marks };
}

const areFew = ({ pixels }: Attack): boolean => pixels.length > 0 && pixels.length <= mostListed;

/** A scene whose marks all have a place, so that it can become a part of another one. */
interface Panel extends Scene {
  readonly marks: readonly (RectMark | PictureMark)[];
}

/** The original, the attacked picture and their difference, each a drawing of its own with the changed pixels ringed. */
export function attackPanels(attack: Attack): readonly Panel[] {
  const { original, attacked, pixels } = attack;
  const factor = Math.max(1, Math.floor(wantedSide / Math.max(original.width, original.height)));
  const rings = areFew(attack) ? pixels.flatMap(({ x, y }) => ring(x * factor, y * factor, factor)) : [];
  return [
    { title: "original", picture: original },
    { title: "attacked", picture: attacked },
    differencePicture(original, attacked),
  ].map(({ title, picture }) => ({
    title,
    width: picture.width * factor,
    height: picture.height * factor,
    marks: [{ kind: "picture", x: 0, y: 0, picture, across: factor, down: factor, title }, ...rings],
  }));
}

const share = ({ label, probability, score }: ClassScore): string =>
  `${label} ${probability === null ? short(score) : percent(probability)}`;

const plural = (n: number, one: string): string => `${grouped(n)} ${one}${n === 1 ? "" : "s"}`;

/** "One-pixel attack: cat becomes dog" */
function headline({ title, success, before, after, to }: Attack): string {
  const verb = after.index === before.index ? "stays" : "becomes";
  const missed = success || to === null ? "" : `, wanted was ${to.label}`;
  return `${title}: ${before.label} ${verb} ${after.label}${missed}`;
}

/** What it took, or how close it came. */
function outcome({ success, queries, distance, margin, before, after, ended }: Attack): string {
  const judged = `${plural(queries, "picture")} judged`;
  const changed = `${plural(distance.pixels, "pixel")} changed`;
  if (success) return `${share(before)} → ${share(after)}; ${changed}; ${judged}`;
  const why = ended === "budget" ? "the budget is used up" : "nothing is left to try";
  return `${judged}, ${why}; the closest margin is ${short(margin.after, 3)}, at first ${short(margin.before, 3)}`;
}

/** A square around a pixel of `side`, dark on light, so that it shows on any picture. */
function ring(x: number, y: number, side: number): RectMark[] {
  const square = (away: number, thick: number, fill: "surface" | "alert"): RectMark[] => {
    const [left, above, long] = [x - away, y - away, side + 2 * away];
    return [
      { kind: "rect", x: left, y: above, width: long, height: thick, fill },
      { kind: "rect", x: left, y: above + long - thick, width: long, height: thick, fill },
      { kind: "rect", x: left, y: above, width: thick, height: long, fill },
      { kind: "rect", x: left + long - thick, y: above, width: thick, height: long, fill },
    ];
  };
  return [...square(6, 4, "surface"), ...square(5, 2, "alert")];
}

/** New minus old around middle grey, magnified by a whole factor, or halved where it would not fit. */
function differencePicture(original: Picture, attacked: Picture): { picture: Picture; title: string } {
  let max = 0;
  for (let i = 0; i < original.data.length; i++)
    if (i % 4 < 3) max = Math.max(max, Math.abs(attacked.data[i]! - original.data[i]!));
  const factor = max === 0 ? 1 : max > 127 ? 0.5 : Math.floor(127 / max);
  const data = new Uint8ClampedArray(original.data.length).fill(255);
  for (let i = 0; i < data.length; i++)
    if (i % 4 < 3) data[i] = Math.round(128 + factor * (attacked.data[i]! - original.data[i]!));
  const title = max === 0 ? "difference: none" : `difference × ${factor}, around grey`;
  return { picture: { width: original.width, height: original.height, data }, title };
}

const valueText = (entry: ClassScore, known: boolean): string =>
  known ? percent(entry.probability!) : short(entry.score);

/** What a class has at most that is not among the listed: as much as the last of the best five. */
function atMost({ predictions }: Answer, known: boolean): string {
  const last = valueText(predictions.slice(0, mostRows).at(-1)!, known);
  return last.startsWith("<") ? last : `≤ ${last}`;
}

/** A class's part in one of the answers: the length of its bar, 0 to 1, and its value in words. */
export interface AnswerPart {
  readonly share: number;
  readonly text: string;
  /** Whether the answer names it; else the text is a bound. */
  readonly isListed: boolean;
}

/** Five classes of either answer, those with the largest values first; the wanted one is among them. */
export function answerRows({
  before,
  after,
  to,
}: Attack): readonly { readonly label: string; readonly before: AnswerPart; readonly after: AnswerPart }[] {
  const names = new Map([...before.predictions, ...after.predictions].map(({ index, label }) => [index, label]));
  const of = (answer: Answer, index: number): ClassScore | undefined =>
    answer.predictions.find((entry) => entry.index === index);
  const known = [...before.predictions, ...after.predictions].every(({ probability }) => probability !== null);
  const value = (entry: ClassScore | undefined): number =>
    Math.max(0, (known ? entry?.probability : entry?.score) ?? 0);
  const all = [...names]
    .map(([index, label]) => ({ index, label, before: of(before, index), after: of(after, index) }))
    .sort((a, b) => Math.max(value(b.before), value(b.after)) - Math.max(value(a.before), value(a.after)));
  const wanted = all.findIndex(({ index }) => index === to?.index);
  const rows = all.filter((_, place) => place < (wanted < mostRows ? mostRows : mostRows - 1) || place === wanted);
  const most = known ? 1 : Math.max(1e-9, ...rows.flatMap((row) => [value(row.before), value(row.after)]));
  const part = (answer: Answer, entry: ClassScore | undefined): AnswerPart => ({
    share: Math.min(1, value(entry) / most),
    text: entry === undefined ? atMost(answer, known) : valueText(entry, known),
    isListed: entry !== undefined,
  });
  return rows.map((row) => ({ label: row.label, before: part(before, row.before), after: part(after, row.after) }));
}

/** Each class of either answer with its bar before and after. */
function answerBars(attack: Attack, x: number, y: number, width: number): { marks: Mark[]; height: number } {
  const rows = answerRows(attack);
  const left = Math.min(width / 3, Math.max(...rows.map(({ label }) => textWidth(label, size)))) + 10;
  const full = width - left - 60;
  const row = 34;
  const marks: Mark[] = [
    { kind: "rect", x: x + left, y: y - 10, width: 10, height: 10, fill: "accent" },
    { kind: "text", x: x + left + 14, y, text: "before", size, fill: "muted" },
    { kind: "rect", x: x + left + 74, y: y - 10, width: 10, height: 10, fill: "alert" },
    { kind: "text", x: x + left + 88, y, text: "after", size, fill: "muted" },
  ];
  for (const [i, { label, before, after }] of rows.entries()) {
    const line = y + 14 + i * row;
    marks.push({
      kind: "text",
      x: x + left - 10,
      y: line + 17,
      text: label,
      size,
      fill: "text",
      align: "end",
      width: left - 10,
    });
    for (const [k, { share: part, text, isListed }] of [before, after].entries()) {
      const length = part * full;
      const bar = { kind: "rect", x: x + left, y: line + 13 * k, height: 12 } as const;
      marks.push({ ...bar, width: full, fill: "track", title: `${label}: ${text}` });
      if (length > 0) marks.push({ ...bar, width: Math.max(1, length), fill: k === 0 ? "accent" : "alert" });
      const place = { x: x + left + full + 8, y: line + 13 * k + 10 };
      marks.push({ kind: "text", ...place, text, size, fill: isListed ? "text" : "muted" });
    }
  }
  return { marks, height: 14 + rows.length * row };
}

const colorText = (color: readonly number[]): string => color.join(" ");

/** A line for each changed pixel: its place, and its old and new colour as patches and numbers. */
function pixelList(
  pixels: readonly ChangedPixel[],
  x: number,
  y: number,
  width: number,
): { marks: Mark[]; height: number } {
  const marks: Mark[] = [
    {
      kind: "text",
      x,
      y,
      text: "changed pixels: place (x, y), old and new red green blue",
      size,
      fill: "muted",
      width,
    },
  ];
  const places = pixels.map((pixel) => `(${pixel.x}, ${pixel.y})`);
  const left = Math.max(...places.map((text) => textWidth(text, size))) + 14;
  const olds = Math.max(...pixels.map(({ from }) => textWidth(colorText(from), size)));
  for (const [i, { from, to }] of pixels.entries()) {
    const line = y + 16 + i * 22;
    const second = x + left + 22 + olds + 34;
    marks.push(
      { kind: "text", x, y: line + 13, text: places[i]!, size, fill: "text" },
      ...patch(from, x + left, line),
      { kind: "text", x: x + left + 22, y: line + 13, text: colorText(from), size, fill: "text" },
      { kind: "text", x: second - 24, y: line + 13, text: "→", size, fill: "muted" },
      ...patch(to, second, line),
      { kind: "text", x: second + 22, y: line + 13, text: colorText(to), size, fill: "text" },
    );
  }
  return { marks, height: 16 + pixels.length * 22 };
}

function patch(color: readonly [number, number, number], x: number, y: number): Mark[] {
  const picture = { width: 1, height: 1, data: Uint8ClampedArray.of(...color, 255) };
  return [
    { kind: "rect", x, y, width: 16, height: 16, fill: "muted" },
    { kind: "picture", x: x + 1, y: y + 1, picture, across: 14, down: 14 },
  ];
}

/** The lowest margin at each pixel: red below 0, where one pixel is enough, blue above, white at the border. */
export function vulnerabilityPicture({ map, title }: HeatMap): Picture {
  const [height, width] = map.dims as [number, number];
  const range = finiteRange(map.data);
  const most = Math.max(Math.abs(range.min), Math.abs(range.max)) || 1;
  return matshow(map.data, height, width, { title: `${title} (below 0: fooled)`, map: "RdBu", min: -most, max: most });
}

/** An attack in a few lines of text. */
export function attackText(attack: Attack): string {
  const { pixels, distance } = attack;
  const few = pixels
    .slice(0, mostListed)
    .map(({ x, y, from, to }) => `  (${x}, ${y})  ${colorText(from)} → ${colorText(to)}`);
  if (pixels.length > mostListed) few.push(`  and ${pixels.length - mostListed} more`);
  const far = `distance: ${plural(distance.pixels, "pixel")}, L2 ${short(distance.l2)}, at most ${distance.max} of 255 levels`;
  return [headline(attack), `  ${outcome(attack)}`, ...few, `  ${far}`].join("\n");
}
