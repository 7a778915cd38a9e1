/** Drawing into RGBA pixels: what pictures of scenes and tile sheets share. Everything outside the picture is clipped. */
import { ConvlensError } from "../core/errors.ts";
import type { Picture } from "../core/picture.ts";
import type { Rgb } from "./theme.ts";

/** The most pixels of one drawn picture (256 MiB of RGBA). */
const mostPixels = 2 ** 26;

/** An opaque picture of one colour. Throws `option-invalid` for a size no picture should have. */
export function blank(width: number, height: number, color: Rgb): Picture {
  if (!(width >= 1 && height >= 1 && width * height <= mostPixels))
    throw new ConvlensError(
      "option-invalid",
      `a drawing of ${width} x ${height} pixels is too large (at most ${mostPixels} pixels): choose fewer channels or layers`,
    );
  const data = new Uint8ClampedArray(width * height * 4);
  new Uint32Array(data.buffer).fill(packed(color));
  return { width, height, data };
}

/** An opaque colour as one 32-bit number with the bytes in RGBA order in memory. */
export function packed(color: Rgb): number {
  return new Uint32Array(new Uint8Array([...color, 255]).buffer)[0]!;
}

/** Fills a rectangle; edges between pixels are blended by the share they cover. */
export function fillRect(picture: Picture, x: number, y: number, width: number, height: number, color: Rgb): void {
  const { data } = picture;
  const right = Math.min(picture.width, x + width);
  const bottom = Math.min(picture.height, y + height);
  const left = Math.max(0, x);
  const top = Math.max(0, y);
  for (let j = Math.floor(top); j < bottom; j++) {
    const down = Math.min(j + 1, bottom) - Math.max(j, top);
    for (let i = Math.floor(left); i < right; i++) {
      const share = down * (Math.min(i + 1, right) - Math.max(i, left));
      blend(data, 4 * (j * picture.width + i), color, share);
    }
  }
}

/** A straight line of the given thickness with smooth edges and flat ends. */
export function drawLine(
  picture: Picture,
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  thickness: number,
  color: Rgb,
): void {
  const reach = thickness / 2 + 1;
  const length = Math.hypot(x2 - x1, y2 - y1) || 1;
  const [dx, dy] = [(x2 - x1) / length, (y2 - y1) / length];
  const clamp = (v: number, most: number) => Math.max(0, Math.min(most, v));
  const top = clamp(Math.floor(Math.min(y1, y2) - reach), picture.height);
  const bottom = clamp(Math.ceil(Math.max(y1, y2) + reach), picture.height);
  const left = clamp(Math.floor(Math.min(x1, x2) - reach), picture.width);
  const right = clamp(Math.ceil(Math.max(x1, x2) + reach), picture.width);
  const near = (distance: number, half: number) => Math.max(0, Math.min(1, half + 0.5 - Math.abs(distance)));
  for (let j = top; j < bottom; j++) {
    for (let i = left; i < right; i++) {
      const [px, py] = [i + 0.5 - x1, j + 0.5 - y1];
      const along = near(px * dx + py * dy - length / 2, length / 2);
      const across = near(px * dy - py * dx, thickness / 2);
      if (along * across > 0) blend(picture.data, 4 * (j * picture.width + i), color, along * across);
    }
  }
}

/** Copies a picture in, each of its pixels becoming a block of `across` x `down`. */
export function place(onto: Picture, picture: Picture, x: number, y: number, across: number, down: number): void {
  const { data, width, height } = picture;
  const right = Math.min(onto.width, Math.round(x) + width * across);
  const bottom = Math.min(onto.height, Math.round(y) + height * down);
  for (let j = Math.max(0, Math.round(y)); j < bottom; j++) {
    const row = Math.floor((j - Math.round(y)) / down) * width;
    for (let i = Math.max(0, Math.round(x)); i < right; i++) {
      const from = 4 * (row + Math.floor((i - Math.round(x)) / across));
      blend(
        onto.data,
        4 * (j * onto.width + i),
        [data[from]!, data[from + 1]!, data[from + 2]!],
        data[from + 3]! / 255,
      );
    }
  }
}

function blend(data: Picture["data"], at: number, color: Rgb, share: number): void {
  for (let c = 0; c < 3; c++) data[at + c] = Math.round(data[at + c]! + (color[c]! - data[at + c]!) * share);
  data[at + 3] = Math.max(data[at + 3]!, Math.round(255 * share));
}
