/** One explanation as one picture without frame: which look it gets by default, and the modes. */
import { ConvlensError } from "../../core/errors.ts";
import type { Picture } from "../../core/picture.ts";
import { blank, fillRect } from "../canvas.ts";
import { drawText, type FontSize, textWidth } from "../font.ts";
import { percent } from "../numbers.ts";
import { type Rgb, theme } from "../theme.ts";
import { boxesOf } from "./boxes.ts";
import { type Explained, type Fault, type Field, fault, fieldOf, outlineField, type Scale, scaleOf } from "./field.ts";
import { contours, ground, type Laid, type Look, lay, mask, tint } from "./layers.ts";
import { type PaletteName, paletteName } from "./palette.ts";
import { type Rectangle, resamplePicture } from "./resample.ts";
import { wrapText } from "./text.ts";

export type ExplanationMode = "overlay" | "map" | "mask" | "contour" | "boxes";
export const explanationModes: readonly { readonly id: ExplanationMode; readonly help: string }[] = [
  { id: "overlay", help: "colours over the photograph" },
  { id: "map", help: "the colours alone" },
  { id: "mask", help: "the photograph, visible where the map is high" },
  { id: "contour", help: "lines at 25, 50 and 75 % of the largest value" },
  { id: "boxes", help: "boxes around what lies above --threshold" },
];

/** The photograph that was explained, and where on it the network's input lies. */
export interface Placed {
  readonly picture: Picture;
  readonly region: Rectangle;
}

export interface ExplanationOptions {
  /** Default `overlay`; `map` where there is no photograph. */
  readonly mode?: ExplanationMode;
  /** A colour map; with `_r` at its end turned round. Default: `inferno`, for signed results `RdBu_r`. */
  readonly colorMap?: PaletteName;
  /** Of the strongest colours, 0 to 1. Default 0.8, for attributions 1. */
  readonly opacity?: number;
  /** Whether colours vanish where the map is near 0. Default true. */
  readonly fade?: boolean;
  /** The percentile of sizes at which colours end, 0 to 100. Default 100: none is cut; for attributions 99.5. */
  readonly clip?: number;
  /** Boxes surround what is at least this share of the maximum. Default 0.15. */
  readonly threshold?: number;
  /** A scale shared with others; `clip` is then not read. */
  readonly scale?: Scale;
}

/** An explanation with everything that its picture depends on resolved. */
export interface Drawing {
  readonly result: Explained;
  readonly field: Field;
  readonly scale: Scale;
  readonly look: Look;
  readonly mode: ExplanationMode;
  readonly threshold: number;
  readonly fault: Fault | undefined;
}

/** The percentile at which colours end unless said otherwise: single pixels far from all others would leave the rest blank. */
export const defaultClip = (result: Explained, mode: ExplanationMode = "overlay"): number =>
  result.kind === "attribution" && !outlines(mode) ? 99.5 : 100;

const outlines = (mode: ExplanationMode): boolean => mode === "contour" || mode === "boxes";

/** The field that a mode draws. */
export const shownField = (result: Explained, mode: ExplanationMode = "overlay"): Field =>
  outlines(mode) ? outlineField(result) : fieldOf(result);

/** Resolves the options. Throws `option-invalid` for values outside their ranges. */
export function drawingOf(result: Explained, hasPhoto: boolean, options: ExplanationOptions = {}): Drawing {
  const mode = hasPhoto ? (options.mode ?? "overlay") : "map";
  const { opacity = result.kind === "map" ? 0.8 : 1, clip = defaultClip(result, mode), threshold = 0.15 } = options;
  within("opacity", opacity, 0, 1);
  within("clip", clip, 0, 100);
  within("threshold", threshold, 0, 1);
  const field = shownField(result, mode);
  const scale = options.scale ?? scaleOf([field], clip);
  const flat = mode === "map" || mode === "contour" || mode === "mask";
  const usual =
    mode === "mask"
      ? "gray_r"
      : scale.signed
        ? "RdBu_r"
        : result.kind === "map" || mode === "map"
          ? "inferno"
          : "gray_r";
  return {
    result,
    field,
    scale,
    look: {
      palette: paletteName(options.colorMap ?? usual),
      opacity: flat ? 1 : opacity,
      fade: !flat && (options.fade ?? true),
    },
    mode,
    threshold,
    fault: fault(field),
  };
}

function within(name: string, value: number, min: number, max: number): void {
  if (!(value >= min && value <= max))
    throw new ConvlensError("option-invalid", `option "${name}" is ${value}; it must lie between ${min} and ${max}`);
}

/** A photograph in another size, the network's place on it with it. Small ones become blocks of pixels. */
export function resized({ picture, region }: Placed, height: number, width: number): Placed {
  const [x, y] = [width / picture.width, height / picture.height];
  const blocks = Math.min(x, y) >= 3;
  return {
    picture: resamplePicture(picture, height, width, !blocks),
    region: { x: region.x * x, y: region.y * y, width: region.width * x, height: region.height * y },
  };
}

/** A photograph's size when its longer side is brought between `least` and `most` pixels; small ones grow by whole factors. */
export function shownSize(
  { width, height }: { readonly width: number; readonly height: number },
  least: number,
  most: number,
): readonly [height: number, width: number] {
  const side = Math.max(width, height);
  let factor = side > most ? most / side : Math.max(1, least / side);
  if (factor >= 3) factor = Math.floor(factor);
  return [Math.max(1, Math.round(height * factor)), Math.max(1, Math.round(width * factor))];
}

/**
 * The picture at the size of `shown`. Without a photograph: the map alone, `size` pixels. In mode `mask` it is transparent
 * where the photograph is not visible, else opaque.
 */
export function draw(drawing: Drawing, shown: Placed | undefined, size: readonly [number, number] = [1, 1]): Picture {
  const { field, scale, look, mode } = drawing;
  const width = shown?.picture.width ?? size[1];
  const height = shown?.picture.height ?? size[0];
  const place = shown?.region ?? { x: 0, y: 0, width, height };
  // Units of the input are shown as such where there is room, layers' maps always as smooth as they were sampled.
  const smooth = drawing.result.kind === "map" || outlines(mode) || place.width / field.width < 3;
  const laid = lay(field, width, height, place, smooth);
  if (shown === undefined || mode === "map") {
    const picture = blank(width, height, theme.track);
    tint(picture, laid, scale, look);
    return picture;
  }
  if (mode === "mask") return mask(shown.picture, laid, scale);
  const fine = drawing.result.kind === "attribution" && mode === "overlay";
  const picture = ground(shown.picture, laid, fine ? "faint" : "quiet");
  if (mode === "overlay") tint(picture, laid, scale, look);
  else if (mode === "contour") contours(picture, laid, scale, look, [0.25, 0.5, 0.75]);
  else drawBoxes(picture, drawing, laid, shown);
  return picture;
}

const boxColor = [255, 176, 32] as const;

function drawBoxes(picture: Picture, { field, scale, look, threshold }: Drawing, laid: Laid, shown: Placed): void {
  tint(picture, laid, scale, { ...look, opacity: look.opacity / 2 });
  const boxes = boxesOf(field, shown.region, picture, threshold);
  // The largest last, so that it lies on top.
  for (const [i, box] of [...boxes.entries()].reverse()) {
    const thickness = i === 0 ? 3 : 2;
    outline(picture, box, thickness + 2, theme.text);
    outline(picture, inset(box, 1), thickness, i === 0 ? boxColor : theme.surface);
    const text = percent(box.share);
    const wide = textWidth(text, 12) + 10;
    const fits = wide <= box.width && box.height >= 20;
    if (!fits && i > 0) continue;
    // The largest box has its number even where it is too small for it: above it, or below at the upper edge.
    const x = Math.max(0, Math.min(box.x, picture.width - wide));
    const y = fits ? box.y : box.y >= 19 ? box.y - 19 : box.y + box.height;
    fillRect(picture, x, y, wide, 19, i === 0 ? boxColor : theme.surface);
    drawText(picture, text, x + 5, y + 14, 12, theme.text);
  }
}

const inset = ({ x, y, width, height }: Rectangle, by: number): Rectangle => ({
  x: x + by,
  y: y + by,
  width: width - 2 * by,
  height: height - 2 * by,
});

function outline(picture: Picture, { x, y, width, height }: Rectangle, thickness: number, color: Rgb): void {
  const sides = Math.max(0, height - 2 * thickness);
  fillRect(picture, x, y, width, Math.min(thickness, height), color);
  fillRect(picture, x, y + Math.max(0, height - thickness), width, Math.min(thickness, height), color);
  fillRect(picture, x, y + thickness, thickness, sides, color);
  fillRect(picture, x + width - thickness, y + thickness, thickness, sides, color);
}

/** A line that ends before its text does: as many of its words as have room, and an ellipsis. */
function shortened(line: string, size: FontSize, room: number): string {
  const words = line.split(" ");
  while (words.length > 1 && textWidth(`${words.join(" ")} …`, size) > room) words.pop();
  return `${words.join(" ")} …`;
}

/** Words over the lower part of a picture, on a dark band, at most so many lines: why there is little to see. */
export function caption(picture: Picture, text: string, size: FontSize, most: number = Number.POSITIVE_INFINITY): void {
  const [step, pad] = [size + 5, 8];
  // Where hardly a word has room, the picture says more.
  if (picture.width < 100 || picture.height < 2 * step) return;
  const room = picture.width - 2 * pad;
  const lines = wrapText(text, size, room);
  const shown = lines.slice(0, Math.max(1, Math.min(most, Math.floor((picture.height - pad) / step))));
  if (shown.length < lines.length) shown.push(shortened(shown.pop()!, size, room));
  const top = picture.height - shown.length * step - pad;
  fillRect(picture, 0, top, picture.width, picture.height - top, theme.text);
  for (const [i, line] of shown.entries()) drawText(picture, line, pad, top + (i + 1) * step, size, theme.surface);
}
