/**
 * Resizing as Pillow, OpenCV and TensorFlow do it. A network saw its training pictures through one of them, and each
 * reads other pixels; so each (library, mode) pair is reproduced, within one grey level, Pillow's bit for bit.
 */
import { ConvlensError } from "../core/errors.ts";
import type { Picture } from "../core/picture.ts";
import { opencvResizers } from "./opencv.ts";
import { pilResizers } from "./pil.ts";
import type { ResizeMode, Resizers } from "./resizer.ts";
import { tensorflowResizers } from "./tensorflow.ts";

/** Whose arithmetic: Pillow's (antialiased when shrinking), OpenCV's, TensorFlow's (`antialias=False`). */
export type ResizeLibrary = "pil" | "opencv" | "tensorflow";

/** Every pair there is. */
export const resizers: Readonly<Record<ResizeLibrary, Resizers>> = {
  pil: pilResizers,
  opencv: opencvResizers,
  tensorflow: tensorflowResizers,
};

/**
 * Resizes to `height` x `width` pixels. The result is opaque: alpha is not carried along.
 * Throws `option-invalid` for an unknown mode or library, or a size that is no positive integer.
 */
export function resize(
  picture: Picture,
  height: number,
  width: number,
  mode: ResizeMode,
  library: ResizeLibrary,
): Picture {
  const modes = Object.hasOwn(resizers, library) ? resizers[library] : undefined;
  if (!modes) {
    throw new ConvlensError(
      "option-invalid",
      `resize library "${library}" is unknown: ${Object.keys(resizers).join(", ")} exist`,
    );
  }
  if (!Object.hasOwn(modes, mode)) {
    throw new ConvlensError(
      "option-invalid",
      `resize mode "${mode}" is unknown: ${Object.keys(modes).join(", ")} exist`,
    );
  }
  if (!(Number.isInteger(height) && Number.isInteger(width) && height > 0 && width > 0)) {
    throw new ConvlensError(
      "option-invalid",
      `size ${height}x${width} is not possible: two positive integers are expected`,
    );
  }
  return modes[mode](picture, height, width);
}
