/** Cutting and framing pictures. */
import { ConvlensError } from "../core/errors.ts";
import type { Picture } from "../core/picture.ts";

/** The part of `height` x `width` pixels whose upper left corner is at (top, left). Throws `option-invalid` when it reaches outside. */
export function crop(picture: Picture, top: number, left: number, height: number, width: number): Picture {
  const inside = top >= 0 && left >= 0 && top + height <= picture.height && left + width <= picture.width;
  if (!inside || !(height > 0 && width > 0) || ![top, left, height, width].every(Number.isInteger)) {
    throw new ConvlensError(
      "option-invalid",
      `a crop of ${height}x${width} at row ${top}, column ${left} does not lie inside ${picture.height}x${picture.width} pixels`,
    );
  }
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * picture.width + left) * 4;
    data.set(picture.data.subarray(from, from + width * 4), y * width * 4);
  }
  return { width, height, data };
}

/** The middle `height` x `width` pixels, placed as torchvision's CenterCrop does (half a pixel rounds to even). */
export function centerCrop(picture: Picture, height: number, width: number): Picture {
  const start = (whole: number, part: number) => {
    const half = Math.floor((whole - part) / 2);
    return (whole - part) % 2 === 0 || half % 2 === 0 ? half : half + 1;
  };
  return crop(picture, start(picture.height, height), start(picture.width, width), height, width);
}

/** Places the picture in the middle of a black, opaque one of `height` x `width`. Throws `option-invalid` when it does not fit. */
export function pad(picture: Picture, height: number, width: number): Picture {
  if (!(height >= picture.height && width >= picture.width) || ![height, width].every(Number.isInteger)) {
    throw new ConvlensError(
      "option-invalid",
      `${picture.height}x${picture.width} pixels do not fit into ${height}x${width}`,
    );
  }
  const data = new Uint8ClampedArray(width * height * 4);
  for (let i = 3; i < data.length; i += 4) data[i] = 255;
  const [top, left] = [Math.floor((height - picture.height) / 2), Math.floor((width - picture.width) / 2)];
  for (let y = 0; y < picture.height; y++) {
    const row = picture.data.subarray(y * picture.width * 4, (y + 1) * picture.width * 4);
    data.set(row, ((top + y) * width + left) * 4);
  }
  return { width, height, data };
}
