/** Pictures inside the page: as data URLs, scaled down where they are larger than a page shows. */
import type { Picture } from "../core/picture.ts";
import { encodePng, resize } from "../image/index.ts";

function dataUrl(png: Uint8Array): string {
  let binary = "";
  for (let i = 0; i < png.length; i += 0x8000) binary += String.fromCharCode(...png.subarray(i, i + 0x8000));
  return `data:image/png;base64,${btoa(binary)}`;
}

/** A picture with no side longer than `most` pixels: the picture itself, or a smaller one of the same shape. */
function atMost(picture: Picture, most: number, mode: "box" | "nearest"): Picture {
  const factor = most / Math.max(picture.width, picture.height);
  if (factor >= 1) return picture;
  const side = (n: number): number => Math.max(1, Math.round(n * factor));
  return resize(picture, side(picture.height), side(picture.width), mode, "pil");
}

/**
 * A picture as a data URL of at most `room` characters, scaled down until it fits. Photographs are written anew, never
 * copied, so that nothing a camera put into the file (place, owner) travels with the report. `mode` "nearest" keeps to
 * the colours that are there, which false colours need.
 */
export function pictureUrl(
  picture: Picture,
  most: number,
  room: number,
  mode: "box" | "nearest" = "box",
): { url: string; shown: Picture } {
  for (let side = most; ; side = Math.floor(side * 0.8)) {
    const shown = atMost(picture, side, mode);
    const url = dataUrl(encodePng(shown));
    if (url.length <= room || side < 32) return { url, shown };
  }
}
