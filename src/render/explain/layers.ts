/**
 * An explanation and a photograph become one picture, without any frame or text: the heat map laid over the photograph,
 * alone, or as a mask. All take the photograph in the size in which it is shown.
 */
import type { Picture } from "../../core/picture.ts";
import { nanColor, type Rgb } from "../theme.ts";
import { type Field, type Scale, standing } from "./field.ts";
import { type PaletteName, palette } from "./palette.ts";
import { type Rectangle, resample } from "./resample.ts";

/** A field as it lies on a picture's pixels. */
export interface Laid {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
  readonly places: Uint8Array;
}
/** What a pixel of `Laid.places` is. */
export const outside = 0;
export const inside = 1;
export const notFinite = 2;

/** Lays a field over a picture of `width` x `height` pixels; it fills `place`. */
export function lay(field: Field, width: number, height: number, place: Rectangle, smooth: boolean): Laid {
  const { values } = field;
  const count = width * height;
  const known = Float32Array.from(values, (v) => (v - v === 0 ? 1 : 0));
  const clean = values.map((v) => (v - v === 0 ? v : 0));
  const onGrid = (what: Float32Array, soft: boolean) =>
    resample(what, field.height, field.width, height, width, place, soft);
  const out = onGrid(clean, smooth);
  const places = new Uint8Array(count);
  if (known.includes(0)) {
    const shares = onGrid(known, smooth);
    const holes = onGrid(
      known.map((k) => 1 - k),
      false,
    );
    for (let i = 0; i < count; i++) if (shares[i]! > 0) out[i]! /= shares[i]!;
    markInside(places, width, height, place);
    for (let i = 0; i < count; i++) if (holes[i]! > 0.5) places[i] = notFinite;
  } else markInside(places, width, height, place);
  return { width, height, values: out, places };
}

function markInside(places: Uint8Array, width: number, height: number, place: Rectangle): void {
  const top = Math.max(0, Math.ceil(place.y - 0.5));
  const bottom = Math.min(height, Math.ceil(place.y + place.height - 0.5));
  const left = Math.max(0, Math.ceil(place.x - 0.5));
  const right = Math.min(width, Math.ceil(place.x + place.width - 0.5));
  for (let y = top; y < bottom; y++) if (right > left) places.fill(inside, y * width + left, y * width + right);
}

export interface Look {
  readonly palette: PaletteName;
  /** Of the strongest colour over the photograph, 0 to 1. */
  readonly opacity: number;
  /** Colours vanish where the map is near 0, so that the photograph shows; else they lie evenly over everything. */
  readonly fade: boolean;
}

/** The strength of a colour by the value's standing: soon full, so that middle values are seen as such. */
const strength = (t: number): number => Math.min(1, 1.2 * Math.abs(t) ** 0.7);

/** The opacity of a value's colour. */
export const opacityOf = (t: number, { opacity, fade }: Look): number => opacity * (fade ? strength(t) : 1);

/** The entry of a palette for a standing: -1 to 1 on a signed scale, else 0 to 1. */
export const entryOf = (t: number, signed: boolean): number =>
  3 * Math.min(255, Math.floor((signed ? (t + 1) / 2 : t) * 256));

/** What is no number is striped, so that it looks like no colour of a scale. */
const stripe = (x: number, y: number): Rgb => ((x + y) % 10 < 5 ? nanColor : [96, 26, 76]);

const mixed = (a: number, b: number, share: number): number => a + (b - a) * share;
const paper = 255;
const ink = 24;

/** How far colours go towards grey, and then towards white paper or ink. */
interface Shade {
  readonly gray: number;
  readonly end: number;
  readonly share: number;
}
const shades: Readonly<Record<"quiet" | "faint", { readonly within: Shade; readonly without: Shade }>> = {
  /** Most of its colour gone, so that what is colourful is the map; what the network does not see is dark. */
  quiet: { within: { gray: 0.7, end: ink, share: 0 }, without: { gray: 0.7, end: ink, share: 0.5 } },
  /** A faint grey picture on white, for maps as fine as the photograph itself. */
  faint: { within: { gray: 1, end: paper, share: 0.72 }, without: { gray: 1, end: paper, share: 0.93 } },
};

/**
 * The photograph with its colours held back, as the ground of what is drawn on it; what the network does not see is dimmed
 * (`quiet`) or nearly white (`faint`, for fine maps).
 */
export function ground({ width, height, data }: Picture, laid: Laid, tone: "quiet" | "faint"): Picture {
  const { within, without } = shades[tone];
  const out = new Uint8ClampedArray(data.length);
  for (let i = 0, at = 0; i < width * height; i++, at += 4) {
    const shade = laid.places[i] === outside ? without : within;
    // What is transparent shows white paper.
    const alpha = data[at + 3]! / 255;
    const r = mixed(paper, data[at]!, alpha);
    const g = mixed(paper, data[at + 1]!, alpha);
    const b = mixed(paper, data[at + 2]!, alpha);
    const gray = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    out[at] = mixed(mixed(r, gray, shade.gray), shade.end, shade.share);
    out[at + 1] = mixed(mixed(g, gray, shade.gray), shade.end, shade.share);
    out[at + 2] = mixed(mixed(b, gray, shade.gray), shade.end, shade.share);
    out[at + 3] = 255;
  }
  return { width, height, data: out };
}

/** Colours a picture's pixels by the field that lies on it; what is outside the field stays as it is. */
export function tint(picture: Picture, laid: Laid, scale: Scale, look: Look): void {
  const { data, width } = picture;
  const table = palette(look.palette);
  for (let i = 0; i < laid.places.length; i++) {
    const place = laid.places[i];
    if (place === outside) continue;
    if (place === notFinite) {
      put(picture, i, stripe(i % width, Math.floor(i / width)), Math.max(0.7, look.opacity));
      continue;
    }
    const t = standing(laid.values[i]!, scale);
    const at = entryOf(t, scale.signed);
    const share = opacityOf(t, look);
    for (let c = 0; c < 3; c++) data[4 * i + c] = Math.round(mixed(data[4 * i + c]!, table[at + c]!, share));
  }
}

/** The colours alone, as opaque as they lie over a photograph: for pages that lay them over it themselves. */
export function heat(laid: Laid, scale: Scale, look: Look): Picture {
  const { width, height } = laid;
  const data = new Uint8ClampedArray(4 * width * height);
  const table = palette(look.palette);
  for (let i = 0; i < laid.places.length; i++) {
    const t = standing(laid.values[i]!, scale);
    const at = entryOf(t, scale.signed);
    const place = laid.places[i];
    if (place === inside) data.set(table.subarray(at, at + 3), 4 * i);
    if (place === notFinite) data.set(stripe(i % width, Math.floor(i / width)), 4 * i);
    data[4 * i + 3] = place === inside ? Math.round(255 * opacityOf(t, look)) : place === notFinite ? 220 : 0;
    // A colour that nobody sees would only cost bytes.
    if (data[4 * i + 3] === 0) data.fill(0, 4 * i, 4 * i + 3);
  }
  return { width, height, data };
}

/** The photograph as visible as the map is high; below 0 and outside nothing of it is. */
export function mask({ width, height, data }: Picture, laid: Laid, scale: Scale): Picture {
  const out = new Uint8ClampedArray(data);
  for (let i = 0; i < laid.places.length; i++) {
    const t = laid.places[i] === inside ? Math.max(0, standing(laid.values[i]!, scale)) : 0;
    out[4 * i + 3] = Math.round(data[4 * i + 3]! * t);
  }
  return { width, height, data: out };
}

/** Lines where the map has these shares of the scale's end, in its colours, rimmed. */
export function contours(picture: Picture, laid: Laid, scale: Scale, look: Look, levels: readonly number[]): void {
  const { width, height } = laid;
  const table = palette(look.palette);
  const standings = Float32Array.from(laid.values, (v) => standing(v, scale));
  const at = (x: number, y: number) =>
    standings[Math.min(height - 1, Math.max(0, y)) * width + Math.min(width - 1, Math.max(0, x))]!;
  const signedLevels = scale.signed ? levels.flatMap((level) => [level, -level]) : levels;
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i++) {
      if (laid.places[i] !== inside) continue;
      const slope = Math.hypot(at(x + 1, y) - at(x - 1, y), at(x, y + 1) - at(x, y - 1)) / 2;
      if (slope < 1e-6) continue;
      for (const level of signedLevels) {
        // The distance to the line in pixels, were the map an even slope.
        const distance = Math.abs(standings[i]! - level) / slope;
        if (distance > 3) continue;
        const entry = entryOf(level, scale.signed);
        const rim = Math.abs(level) < 0.4 && !scale.signed ? paper : ink;
        put(picture, i, [rim, rim, rim], 0.65 * cover(distance, 2));
        put(picture, i, [table[entry]!, table[entry + 1]!, table[entry + 2]!], cover(distance, 1));
      }
    }
}

/** How much of a pixel lies within `half` of a line. */
const cover = (distance: number, half: number): number => Math.max(0, Math.min(1, half + 0.5 - distance));

function put({ data }: Picture, pixel: number, color: Rgb, share: number): void {
  for (let c = 0; c < 3; c++) data[4 * pixel + c] = Math.round(mixed(data[4 * pixel + c]!, color[c]!, share));
}
