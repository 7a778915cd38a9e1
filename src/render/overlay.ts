/**
 * An explanation as a finished picture: the heat map on the photograph as it was taken, the class with its score above
 * it, the colour bar with raw values below, and whatever the reader must know.
 */
import type { Picture } from "../core/picture.ts";
import { blank, place } from "./canvas.ts";
import { boxesOf } from "./explain/boxes.ts";
import {
  caption,
  type Drawing,
  draw,
  drawingOf,
  type ExplanationOptions,
  type Placed,
  resized,
  shownSize,
} from "./explain/draw.ts";
import type { Explained } from "./explain/field.ts";
import { barMarks, scaleWords } from "./explain/legend.ts";
import { wrapText } from "./explain/text.ts";
import { textWidth } from "./font.ts";
import { percent, shapeText, short } from "./numbers.ts";
import { type Mark, type Scene, sceneToPicture } from "./scene.ts";
import { theme } from "./theme.ts";

/** The longer side of the photograph in a framed picture: text of one size must suit it. */
const leastSide = 400;
const mostSide = 800;
const leastWidth = 420;
const margin = 16;
const mostNotes = 6;

/**
 * The framed picture. `photo`: the photograph and where the network's input lies on it (`Prepared.region`); without it
 * the map is drawn alone. Throws `option-invalid` for options out of range.
 */
export function explanationPicture(result: Explained, photo?: Placed, options: ExplanationOptions = {}): Picture {
  return sceneToPicture(explanationScene(result, photo, options));
}

/** The same as a scene, for SVG. */
export function explanationScene(result: Explained, photo?: Placed, options: ExplanationOptions = {}): Scene {
  const drawing = drawingOf(result, photo !== undefined, options);
  const { picture, boxes } = drawnOn(drawing, photo);
  const width = Math.max(leastWidth, picture.width) + 2 * margin;
  const room = width - 2 * margin;
  const { label, probability } = result.target;
  const sure = probability === null ? "" : percent(probability);
  const title = textWidth(label, 18) + textWidth(sure, 14) + 12 <= room ? 18 : 14;
  const named = Math.min(textWidth(label, title), room - textWidth(sure, 14) - 12);
  const marks: Mark[] = [
    { kind: "text", x: margin, y: 32, text: label, size: title, fill: "text", width: named + 1 },
    { kind: "text", x: margin + named + 12, y: 32, text: sure, size: 14, fill: "muted" },
    { kind: "text", x: margin, y: 52, text: factsOf(drawing), size: 12, fill: "muted", width: room },
  ];
  const top = 66;
  const left = margin + Math.floor((room - picture.width) / 2);
  marks.push(
    { kind: "rect", x: left - 1, y: top - 1, width: picture.width + 2, height: picture.height + 2, fill: "line" },
    { kind: "picture", x: left, y: top, picture, across: 1, down: 1 },
  );
  let y = top + picture.height + 14;
  const words = [...scaleWords(drawing, boxes), ...beside(drawing, photo)];
  marks.push(...barMarks(drawing, margin, y, Math.min(220, Math.round(room * 0.42))));
  const wordsX = margin + Math.min(220, Math.round(room * 0.42)) + 24;
  const lines = words.flatMap((line) => wrapText(line, 10, room - (wordsX - margin)));
  for (const [i, text] of lines.entries())
    marks.push({ kind: "text", x: margin + room, y: y + 8 + i * 14, text, size: 10, fill: "muted", align: "end" });
  y += Math.max(26, lines.length * 14 + 2);
  const told = drawing.fault === undefined ? result.notes : result.notes.slice(0, -1);
  const notes = told.map(withoutHint).flatMap((note) => wrapText(note, 10, room));
  // What is wrong stands last, what was chosen first.
  const shown = notes.length > mostNotes ? ["…", ...notes.slice(1 - mostNotes)] : notes;
  if (shown.length > 0) y += 6;
  for (const text of shown) {
    marks.push({ kind: "text", x: margin, y: y + 8, text, size: 10, fill: "muted" });
    y += 14;
  }
  return { width, height: y + 10, title: `${label}: ${factsOf(drawing)}`, marks };
}

/** The picture alone, at the photograph's own size: no title, no colour bar. In mode `mask` it is transparent. */
export function barePicture(result: Explained, photo?: Placed, options: ExplanationOptions = {}): Picture {
  const drawing = drawingOf(result, photo !== undefined, options);
  const picture = draw(drawing, photo, aloneSize(drawing, 1));
  if (drawing.fault !== undefined) caption(picture, reasonOf(drawing), picture.width < 300 ? 10 : 12);
  return picture;
}

/** The drawing at the size in which it is shown, on paper. */
function drawnOn(drawing: Drawing, photo: Placed | undefined): { readonly picture: Picture; readonly boxes: number } {
  const size = photo === undefined ? aloneSize(drawing, leastSide) : shownSize(photo.picture, leastSide, mostSide);
  const shown = photo && resized(photo, ...size);
  const drawn = draw(drawing, shown, size);
  const picture = blank(drawn.width, drawn.height, theme.surface);
  place(picture, drawn, 0, 0, 1, 1);
  if (drawing.fault !== undefined) caption(picture, reasonOf(drawing), 12);
  const boxes =
    drawing.mode === "boxes" ? boxesOf(drawing.field, shown!.region, shown!.picture, drawing.threshold) : [];
  return { picture, boxes: boxes.length };
}

/** A map without a photograph: whole pixels a cell, the longer side about `side` long. */
function aloneSize({ field: { height, width } }: Drawing, side: number): readonly [number, number] {
  const factor = Math.max(1, Math.round(side / Math.max(height, width)));
  return [height * factor, width * factor];
}

/** Says it where the largest value lies on the padding beside the photograph, where nobody sees it. */
function beside({ field: { values, width, height }, fault }: Drawing, photo: Placed | undefined): string[] {
  if (photo === undefined || fault !== undefined) return [];
  const top = values.reduce((best, v, i) => (v > values[best]! ? i : best), 0);
  const { region, picture } = photo;
  const x = region.x + (((top % width) + 0.5) / width) * region.width;
  const y = region.y + ((Math.floor(top / width) + 0.5) / height) * region.height;
  const within = x >= 0 && y >= 0 && x <= picture.width && y <= picture.height;
  return within ? [] : ["the largest value lies beside the photograph, on the padding"];
}

const faults = {
  blank: "blank: every value is 0",
  constant: "every value is the same",
  "not finite": "striped: values that are no numbers",
} as const;

/** A note without the flag it ends in: a picture travels without the command that made it. */
const withoutHint = (note: string): string => note.replace(/; --[\s\S]*$/, "");

/** Why a map shows nothing, or something else than a map: the fault, then the result's last word on it. */
export const reasonOf = ({ fault, result }: Drawing): string =>
  fault === undefined ? "" : [faults[fault], ...result.notes.slice(-1).map(withoutHint)].join("; ");

/** Method, layer with the map's size, and the score. */
export function factsOf({ result, field }: Drawing): string {
  const { of, score } = result.target;
  const layers = result.kind === "map" ? result.layers : [];
  const at = layers.length === 0 ? "" : ` at ${layers.join(" + ")} ${shapeText([field.height, field.width])}`;
  const input = result.origin.input === undefined ? [] : [result.origin.input];
  return [`${result.title}${at}`, `${of === "function" ? "score" : of} ${short(score)}`, ...input].join("  ·  ");
}
