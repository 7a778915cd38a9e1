/** Colour maps: 256 entries each, equal to matplotlib's and OpenCV's, and matplotlib's rule from value to entry. */

import { tables } from "./colormaps.generated.ts";
import type { Rgb } from "./theme.ts";

export type ColorMapName = keyof typeof tables;

/** The names of all colour maps; `jet` is matplotlib's, `opencv-jet` OpenCV's (they differ). */
export const colorMapNames: readonly ColorMapName[] = Object.keys(tables) as ColorMapName[];

const decoded = new Map<ColorMapName, Uint8Array>();

/** The 256 entries of a map, red, green, blue: 768 bytes. */
export function colorMap(name: ColorMapName): Uint8Array {
  let table = decoded.get(name);
  if (!table) {
    table = Uint8Array.from(atob(tables[name]), (c) => c.charCodeAt(0));
    decoded.set(name, table);
  }
  return table;
}

export interface ColorMapOptions {
  /** The values of the first and the last entry; values outside take these entries. Default: the finite extremes. */
  readonly min?: number;
  readonly max?: number;
  readonly map?: ColorMapName;
  /** The colour of NaN; default: grey. */
  readonly nan?: Rgb;
}

/** The smallest and largest finite value, and how many values are not finite; `min > max` where none is finite. */
export function finiteRange(values: ArrayLike<number>): { min: number; max: number; notFinite: number } {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let notFinite = 0;
  for (let i = 0; i < values.length; i++) {
    const v = values[i]!;
    if (v - v !== 0) notFinite++;
    else {
      if (v < min) min = v;
      if (v > max) max = v;
    }
  }
  return { min, max, notFinite };
}

/**
 * Values to opaque RGBA, four bytes a value. As matplotlib for float32 values: t = (v - min) / (max - min) in single
 * precision, entry floor(256 t), 1 and all above the last, all below 0 the first; a range of no width gives entry 0.
 */
export function applyColorMap(values: ArrayLike<number>, options: ColorMapOptions = {}): Uint8ClampedArray {
  const range = options.min === undefined || options.max === undefined ? finiteRange(values) : undefined;
  const min = Math.fround(options.min ?? range!.min);
  const width = Math.fround(Math.fround(options.max ?? range!.max) - min);
  const table = colorMap(options.map ?? "viridis");
  const nan = options.nan ?? [160, 160, 160];
  const out = new Uint8ClampedArray(4 * values.length);
  for (let i = 0; i < values.length; i++) {
    const v = values[i]!;
    if (Number.isNaN(v)) out.set(nan, 4 * i);
    else {
      const t = width > 0 ? Math.fround(Math.fround(v - min) / width) : 0;
      const entry = t >= 1 ? 255 : t > 0 ? Math.floor(t * 256) : 0;
      out[4 * i] = table[3 * entry]!;
      out[4 * i + 1] = table[3 * entry + 1]!;
      out[4 * i + 2] = table[3 * entry + 2]!;
    }
    out[4 * i + 3] = 255;
  }
  return out;
}
