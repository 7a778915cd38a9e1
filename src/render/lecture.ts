/**
 * The superimposed picture of Chollet's "Deep Learning with Python", section 5.4, as its listing makes it with OpenCV:
 * `uint8(255 * h)` through the JET colour map, `heatmap * 0.4 + image`, saturating.
 */
import type { Picture } from "../core/picture.ts";
import type { HeatMap } from "../core/result.ts";
import { colorMap, finiteRange } from "./colormaps.ts";
import type { Placed } from "./explain/draw.ts";
import { lay, outside } from "./explain/layers.ts";

const share = 0.4;

/**
 * The photograph at its own size with the heat map over it; where the network's input does not cover it, the photograph
 * itself. A map without a positive value counts as zeros (the listing divides by zero there).
 */
export function lecturePicture({ map }: HeatMap, { picture, region }: Placed): Picture {
  const [height, width] = map.dims.slice(-2) as [number, number];
  const { max } = finiteRange(map.data);
  const values = map.data.map((v) => (v > 0 && v - v === 0 ? v / max : 0));
  const laid = lay({ values, height, width, signed: false }, picture.width, picture.height, region, true);
  const jet = colorMap("opencv-jet");
  const data = new Uint8ClampedArray(picture.data);
  for (let i = 0; i < laid.values.length; i++) {
    if (laid.places[i] === outside) continue;
    const entry = 3 * Math.min(255, Math.trunc(255 * laid.values[i]!));
    for (let c = 0; c < 3; c++) data[4 * i + c] = Math.round(jet[entry + c]! * share + picture.data[4 * i + c]!);
    data[4 * i + 3] = 255;
  }
  return { width: picture.width, height: picture.height, data };
}
