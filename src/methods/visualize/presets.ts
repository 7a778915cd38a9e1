/** Presets of gradient ascent: every constant with its source. A preset is data; the ascent is one. */
import type { Octaves } from "./dream.ts";
import type { Normalization, OptimizerName } from "./optimizers.ts";
import type { Regularizers } from "./regularizers.ts";
import { crops, jitter, type Looks, oneOf, plainly, roam, rotate, scale } from "./transforms.ts";

/** Raw numbers to 8 bits: (x - mean) / (std + epsilon) * gain + middle, clipped to 0..255 and cut off. */
export interface PictureRule {
  readonly epsilon: number;
  readonly gain: number;
  readonly middle: number;
}

export interface Preset {
  readonly id: string;
  readonly title: string;
  /** Where its constants come from. */
  readonly source: string;
  /** What is changed: the network's own numbers (`raw`), those of a photograph, or frequencies or phases behind a sigmoid. */
  readonly canvas: "raw" | "photograph" | "pixels" | "fourier" | "phases";
  /** Of frequencies: their weights fall as 1 / f^decay. */
  readonly decay: number;
  /** Side of the canvas in pixels; absent: the network's own size. */
  readonly size?: number;
  /** For scores of a whole network, which sees its own size: the canvas as a multiple of it. */
  readonly larger: number;
  /** Raw canvases start at middle + spread * U(0, 1), in the network's units. */
  readonly start: { readonly middle: number; readonly spread: number };
  readonly looks: Looks;
  /** Views that one step looks at. */
  readonly views: number;
  readonly regularizers: Regularizers;
  readonly optimizer: OptimizerName;
  /** For a photograph's numbers in halves of their range. */
  readonly rate: number;
  readonly normalize: Normalization;
  /** Of the optimiser, in place of its own: where the gradient is smaller, steps are too. */
  readonly epsilon?: number | undefined;
  readonly steps: number;
  /** Whether rectifiers that are off let a slope through in the first steps, so that dead starts move (Lucid). */
  readonly redirect: boolean;
  /** Places at the edges of a layer's maps that do not count. */
  readonly trim: number;
  /** Sizes at which a photograph is worked on. */
  readonly octaves?: Octaves;
  /** An objective above it ends the ascent (of an octave). */
  readonly enough?: number;
  /** For raw canvases. */
  readonly rule: PictureRule;
  /** Pixels cut off each side of the picture. */
  readonly crop: number;
  /** Of a sheet: its order, and for a bare one the pixels between tiles. */
  readonly grid: { readonly order: "rows" | "columns"; readonly margin: number | null };
}

/** From `first` to `last` in `count` steps, both counted. */
const between = (first: number, last: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => first + ((last - first) * i) / (count - 1));

const none = {
  decay: 1,
  larger: 1,
  start: { middle: 0, spread: 0 },
  looks: plainly,
  views: 1,
  regularizers: {},
  normalize: "none",
  redirect: true,
  trim: 0,
  rule: { epsilon: 1e-5, gain: 25.5, middle: 127.5 },
  crop: 0,
  grid: { order: "rows", margin: null },
} as const;

const laterEditions = {
  ...none,
  canvas: "raw",
  size: 200,
  start: { middle: 0.4, spread: 0.2 },
  optimizer: "step",
  rate: 10,
  steps: 30,
  redirect: false,
  trim: 2,
  rule: { epsilon: 0, gain: 64, middle: 128 },
  crop: 25,
  grid: { order: "rows", margin: 5 },
} as const;

export const presets: readonly Preset[] = [
  {
    ...none,
    id: "lucid",
    title: "Lucid",
    source:
      "tensorflow/lucid optvis/{param,transform,render}.py: 128 px, Fourier with decorrelated colours, Adam 0.05, 512 steps",
    canvas: "fourier",
    size: 128,
    larger: 8 / 7,
    // Padding by 12 is the border; then jitter 8, scale 0.9 to 1.1, -10 to 10 degrees (0 six times as often), jitter 4.
    looks: {
      ...plainly,
      transforms: [
        jitter(8),
        scale(oneOf(between(0.9, 1.1, 11))),
        rotate(oneOf([...between(-10, 10, 21), 0, 0, 0, 0, 0])),
        jitter(4),
      ],
      border: "empty",
    },
    optimizer: "adam",
    rate: 0.05,
    steps: 512,
  },
  {
    ...none,
    id: "chollet",
    title: "Deep Learning with Python, first edition",
    source:
      "F. Chollet 2018, notebook 5.4, generate_pattern: raw input, 20 U(0, 1) + 128, gradient over its root mean square + 1e-5, 40 steps of 1",
    canvas: "raw",
    size: 64,
    start: { middle: 128, spread: 20 },
    optimizer: "step",
    rate: 1,
    normalize: "rms",
    steps: 40,
    redirect: false,
    grid: { order: "columns", margin: 5 },
  },
  {
    ...laterEditions,
    id: "chollet2",
    title: "Deep Learning with Python, second edition",
    source:
      "F. Chollet 2021, chapter 9.4.2: raw input, U(0.4, 0.6), edges of 2 left out, gradient over its length, 30 steps of 10",
    normalize: "l2",
  },
  {
    ...laterEditions,
    id: "chollet3",
    title: "Deep Learning with Python, third edition",
    source:
      "F. Chollet and M. Watson 2025, chapter 10: the second edition's, with a gradient of length 1 at every pixel",
    normalize: "pixel",
  },
  {
    ...none,
    id: "maco",
    title: "MACO",
    source:
      "Fel et al. 2023; deel-ai/xplique: 512 px, phases alone, crops of 0.50 to 0.05, noise 0.08, Nadam 1.0, 256 steps; 6 crops a step as serre-lab/Horama",
    canvas: "phases",
    size: 512,
    looks: { ...plainly, transforms: [crops(0.5, 0.05)], parts: true, noise: 0.08 },
    views: 6,
    optimizer: "nadam",
    rate: 1,
    steps: 256,
  },
  {
    ...none,
    id: "dream",
    title: "DeepDream",
    source:
      "F. Chollet 2018, listing 8.9 to 8.13, after Mordvintsev et al. 2015: a photograph in 3 octaves of 1.4, 20 steps of 0.01 each, gradient over its mean size, until the objective is above 10; four layers of 0.2, 3, 2 and 1.5 by depth, or the one named",
    canvas: "photograph",
    optimizer: "step",
    rate: 0.01,
    normalize: "mean",
    steps: 20,
    redirect: false,
    trim: 2,
    octaves: { count: 3, ratio: 1.4 },
    enough: 10,
  },
  {
    ...none,
    id: "class",
    title: "Class picture",
    source:
      "compared by eye with others: frequencies over f^1.1 in decorrelated colours at 4/3 of the network's size, views anywhere on it, 0.7 to 1.3 in size and turned up to 10 degrees, noise 0.03, steps from pixel to pixel and distance from grey held down, gradient over its root mean square, Adam 0.05 with an epsilon of 1",
    canvas: "fourier",
    decay: 1.1,
    larger: 4 / 3,
    looks: {
      ...plainly,
      transforms: [roam, scale(oneOf(between(0.7, 1.3, 13))), rotate(oneOf(between(-10, 10, 21)))],
      noise: 0.03,
    },
    regularizers: { tv: 100, l2: 50 },
    normalize: "rms",
    // With Adam's own 1e-8 frequencies of hardly any gradient move as far as all others, by the sign of rounding errors.
    epsilon: 1,
    optimizer: "adam",
    rate: 0.05,
    steps: 256,
  },
];
