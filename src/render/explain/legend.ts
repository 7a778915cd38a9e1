/** The colour bar with raw values, and the words beside it. */
import type { Picture } from "../../core/picture.ts";
import { short } from "../numbers.ts";
import type { Mark } from "../scene.ts";
import type { Drawing } from "./draw.ts";
import type { Scale } from "./field.ts";
import { entryOf, type Look, opacityOf } from "./layers.ts";
import { palette } from "./palette.ts";

/** The grey that stands for the photograph behind faded colours. */
const behind = 214;

/** A bar of colours, `width` x `height` pixels, as they look over a light grey. */
export function ramp({ signed }: Pick<Scale, "signed">, look: Look, width: number, height: number): Picture {
  const table = palette(look.palette);
  const data = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let x = 0; x < width; x++) {
    const share = x / Math.max(1, width - 1);
    const t = signed ? 2 * share - 1 : share;
    const at = entryOf(t, signed);
    for (let c = 0; c < 3; c++) {
      const value = behind + (table[at + c]! - behind) * opacityOf(t, look);
      for (let y = 0; y < height; y++) data[4 * (y * width + x) + c] = Math.round(value);
    }
  }
  return { width, height, data };
}

const barHeight = 9;

/** The bar at a place of a scene, with its ends (and the middle of a signed one) below it: 26 pixels high. */
export function barMarks(
  { scale, look }: Pick<Drawing, "scale" | "look">,
  x: number,
  y: number,
  width: number,
): Mark[] {
  const { min, max, signed, clipped } = scale;
  const cut = clipped === undefined ? "" : "≥ ";
  const label = (text: string, at: number, align: "start" | "middle" | "end"): Mark => ({
    kind: "text",
    x: at,
    y: y + barHeight + 13,
    text,
    size: 10,
    fill: "text",
    align,
  });
  return [
    { kind: "rect", x: x - 1, y: y - 1, width: width + 2, height: barHeight + 2, fill: "line" },
    { kind: "picture", x, y, picture: ramp(scale, look, width, barHeight), across: 1, down: 1 },
    label(`${signed && clipped ? "≤ " : ""}${short(min, 3)}`, x, "start"),
    ...(signed && max > 0 ? [label("0", x + width / 2, "middle")] : []),
    label(`${cut}${short(max, 3)}`, x + width, "end"),
  ];
}

/** What the colours mean, and what was done to them. */
export function scaleWords({ scale, mode, threshold, result }: Drawing, boxes: number): string[] {
  const sum = result.kind === "attribution" ? result.completeness : undefined;
  const words = [
    scale.signed ? "above 0: for the class; below: against it" : "",
    scale.clipped === undefined
      ? ""
      : `cut at the ${scale.clipped.percentile}th percentile; largest ${short(scale.clipped.largest, 3)}`,
    result.kind === "attribution" && (mode === "contour" || mode === "boxes")
      ? "smoothed over 2 % of the picture's side"
      : "",
    mode === "contour" ? "lines at 25, 50 and 75 % of the end of the bar" : "",
    mode === "boxes"
      ? `${boxes} ${boxes === 1 ? "box" : "boxes"} around values above ${short(threshold * 100)} % of the largest, with their part of the whole`
      : "",
    sum === undefined ? "" : `values sum to ${short(sum.sum, 3)}, expected ${short(sum.expected, 3)}`,
    mode === "mask" ? "the photograph shows where the map is high" : "",
  ];
  return words.filter(Boolean);
}
