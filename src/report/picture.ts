/** Pictures inside the page: as data URLs, scaled down where they are larger than a page shows. */
import type { Picture } from "../core/picture.ts";
import type { Platform } from "../core/platform.ts";
import { encodeJpeg, encodePng, resize } from "../image/index.ts";

/** A picture on the page. */
export interface Shown {
  readonly url: string;
  readonly width: number;
  readonly height: number;
}

function dataUrl(type: "png" | "jpeg", file: Uint8Array): string {
  let binary = "";
  for (let i = 0; i < file.length; i += 0x8000) binary += String.fromCharCode(...file.subarray(i, i + 0x8000));
  return `data:image/${type};base64,${btoa(binary)}`;
}

/** A picture with no side longer than `most` pixels: the picture itself, or a smaller one of the same shape. */
function atMost(picture: Picture, most: number, mode: "box" | "nearest"): Picture {
  const factor = most / Math.max(picture.width, picture.height);
  if (factor >= 1) return picture;
  const side = (n: number): number => Math.max(1, Math.round(n * factor));
  return resize(picture, side(picture.height), side(picture.width), mode, "pil");
}

/** A picture of numbers, pixel for pixel up to `most` a side; larger ones keep every nth pixel, so no colour is new. */
export function pixelsUrl(picture: Picture, most: number): Shown {
  const { width, height, data } = atMost(picture, most, "nearest");
  return { url: dataUrl("png", encodePng({ width, height, data })), width, height };
}

/**
 * A photograph in at most `room` characters, scaled down until it fits. It is written anew, never copied, so that
 * nothing a camera put into the file (place, owner) travels with the report. JPEG needs `codec`.
 */
export async function photographUrl(
  picture: Picture,
  most: number,
  room: number,
  codec: Platform["codec"] | undefined,
): Promise<Shown> {
  for (let side = most; ; side = Math.floor(side * 0.8)) {
    const shown = atMost(picture, side, "box");
    const { width, height } = shown;
    let url = dataUrl("png", encodePng(shown));
    if (codec !== undefined && url.length > 100_000) url = dataUrl("jpeg", await encodeJpeg(shown, 92, codec));
    if (url.length <= room || side < 32) return { url, width, height };
  }
}
