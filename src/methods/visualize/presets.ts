/** Presets of gradient ascent: every constant with its source. A preset is data; the ascent is one. */
import type { Normalization, OptimizerName } from "./optimizers.ts";
import { type Border, jitter, rotate, scale, type Transform } from "./views.ts";

export interface Preset {
  readonly id: string;
  readonly title: string;
  /** Where its constants come from. */
  readonly source: string;
  /** What is changed: the network's own numbers (`raw`), pixels or frequencies behind a sigmoid. */
  readonly canvas: "raw" | "pixels" | "fourier";
  /** Side of the canvas in pixels; absent: the network's own size. */
  readonly size?: number;
  /** Raw canvases start at middle + spread * U(0, 1), in the network's units. */
  readonly start: { readonly middle: number; readonly spread: number };
  readonly transforms: readonly Transform[];
  readonly border: Border;
  readonly noise: number;
  readonly optimizer: OptimizerName;
  readonly rate: number;
  readonly normalize: Normalization;
  readonly steps: number;
  /** Raw canvases to 8 bits: (x - mean) / (std + 1e-5) * contrast + 0.5, clipped to 0..1. */
  readonly contrast: number;
  /** Order of tiles in a grid. */
  readonly order: "rows" | "columns";
}

/** From `first` to `last` in `count` steps, both counted. */
const between = (first: number, last: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => first + ((last - first) * i) / (count - 1));

const none = { start: { middle: 0, spread: 0 }, contrast: 0, order: "rows" } as const;

export const presets: readonly Preset[] = [
  {
    id: "lucid",
    title: "Lucid",
    source:
      "tensorflow/lucid optvis/{param,transform,render}.py: 128 px, Fourier with decorrelated colours, Adam 0.05, 512 steps",
    canvas: "fourier",
    size: 128,
    // Padding by 12 is the border; then jitter 8, scale 0.9 to 1.1, -10 to 10 degrees (0 six times as often), jitter 4.
    transforms: [jitter(8), scale(between(0.9, 1.1, 11)), rotate([...between(-10, 10, 21), 0, 0, 0, 0, 0]), jitter(4)],
    border: "empty",
    noise: 0,
    optimizer: "adam",
    rate: 0.05,
    normalize: "none",
    steps: 512,
    ...none,
  },
  {
    id: "chollet",
    title: "Deep Learning with Python, first edition",
    source:
      "F. Chollet 2018, notebook 5.4, generate_pattern: raw input, 20 U(0, 1) + 128, gradient over its root mean square + 1e-5, 40 steps of 1",
    canvas: "raw",
    start: { middle: 128, spread: 20 },
    transforms: [],
    border: "reflect",
    noise: 0,
    optimizer: "step",
    rate: 1,
    normalize: "rms",
    steps: 40,
    contrast: 0.1,
    order: "columns",
  },
  {
    id: "class",
    title: "Class picture",
    source:
      "frequencies with decorrelated colours at 8/7 of the network's size, Adam 0.05, views turned up to 8 degrees, 0.85 to 1.15 in size, shifted up to 16 pixels, noise 0.03",
    canvas: "fourier",
    transforms: [jitter(32), scale(between(0.85, 1.15, 13)), rotate(between(-8, 8, 17))],
    border: "reflect",
    noise: 0.03,
    optimizer: "adam",
    rate: 0.05,
    normalize: "none",
    steps: 384,
    ...none,
  },
];
