/** Colour maps by name, turned round where the name ends in `_r`, as matplotlib names them. */
import { type ColorMapName, colorMap } from "../colormaps.ts";

export type PaletteName = ColorMapName | `${ColorMapName}_r`;

/** The 256 entries of a palette, red, green, blue: 768 bytes. */
export function palette(name: PaletteName): Uint8Array {
  if (!name.endsWith("_r")) return colorMap(name as ColorMapName);
  const table = colorMap(name.slice(0, -2) as ColorMapName);
  const turned = new Uint8Array(768);
  for (let i = 0; i < 256; i++) turned.set(table.subarray(3 * i, 3 * i + 3), 3 * (255 - i));
  return turned;
}
