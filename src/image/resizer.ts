/** What every library's modes are made of: a function that resizes, from one that chooses source samples. */
import type { Picture } from "../core/picture.ts";
import { pick, resampleFloat } from "./resample.ts";
import type { Taps } from "./taps.ts";

/** How samples are weighted. `box` is the mean over the covered area (OpenCV's INTER_AREA, TensorFlow's `area`). */
export type ResizeMode = "nearest" | "bilinear" | "bicubic" | "lanczos" | "box";

export type Resizer = (picture: Picture, height: number, width: number) => Picture;

/** One library's modes. */
export type Resizers = Readonly<Record<ResizeMode, Resizer>>;

/** The nearest integer, halves up. */
export function halfUp(value: number): number {
  return Math.floor(value + 0.5);
}

/** The nearest integer, halves to even. */
export function roundEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
}

/** Picks the source samples that `indices` names for an axis of `from` samples that becomes `to`. */
export function nearest(indices: (from: number, to: number) => Int32Array): Resizer {
  return (picture, height, width) => pick(picture, indices(picture.height, height), indices(picture.width, width));
}

/** Weighs samples in plain arithmetic. */
export function float(taps: (from: number, to: number) => Taps, round: (value: number) => number): Resizer {
  return (picture, height, width) =>
    resampleFloat(picture, taps(picture.height, height), taps(picture.width, width), round);
}
