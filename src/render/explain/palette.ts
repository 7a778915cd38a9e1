/** Colour maps by name, turned round where the name ends in `_r`, as matplotlib names them. */
import { ConvlensError } from "../../core/errors.ts";
import { didYouMean } from "../../core/nearest.ts";
import { type ColorMapName, colorMap, colorMapNames } from "../colormaps.ts";

export type PaletteName = ColorMapName | `${ColorMapName}_r`;

/** The 256 entries of a palette, red, green, blue: 768 bytes. */
export function palette(name: PaletteName): Uint8Array {
  if (!name.endsWith("_r")) return colorMap(name as ColorMapName);
  const table = colorMap(name.slice(0, -2) as ColorMapName);
  const turned = new Uint8Array(768);
  for (let i = 0; i < 256; i++) turned.set(table.subarray(3 * i, 3 * i + 3), 3 * (255 - i));
  return turned;
}

/** A palette by its name. Throws `option-invalid` with the nearest names. */
export function paletteName(name: string): PaletteName {
  const plain = name.replace(/_r$/, "");
  if (colorMapNames.some((map) => map === plain)) return name as PaletteName;
  throw new ConvlensError(
    "option-invalid",
    `colour map "${name}" is not known.${didYouMean(plain, colorMapNames)} Colour maps: ${colorMapNames.join(", ")}; with _r at the end turned round`,
  );
}
