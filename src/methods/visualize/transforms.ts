/** Transforms: the random changes of each view, as functions and as text (`pad:12,jitter:8,scale:0.9:1.1,rotate:10`). */
import { ConvlensError } from "../../core/errors.ts";
import type { Random } from "../../core/random.ts";
import type { Affine, Border, Size } from "./views.ts";

/** How the views of an ascent are made. */
export interface Looks {
  readonly transforms: readonly Transform[];
  readonly border: Border;
  /** Whether views are parts of the canvas, enlarged to the network's own size. */
  readonly parts: boolean;
  /** Pixels by which a view is higher and wider than the canvas, where the network takes any size. */
  readonly frame: number;
  /** Standard deviation of the Gaussian blur of each view, in pixels: drawn between the two; 0: none. */
  readonly blur: readonly [least: number, most: number];
  /** Standard deviation of the noise that is added to each view, in parts of the range 0 to 1. */
  readonly noise: number;
}

/** The canvas as it is. */
export const plainly: Looks = {
  transforms: [],
  border: "reflect",
  parts: false,
  frame: 0,
  blur: [0, 0],
  noise: 0,
};

/** What a transform may look at besides chance. */
export interface Moment {
  /** Steps done over all steps. */
  readonly progress: number;
  readonly canvas: Size;
  readonly sees: Size;
}

/** One random change of place, drawn anew at each step. */
export type Transform = (random: Random, moment: Moment) => Affine;

/** Shifts by whole pixels, up to `most` in all. */
export const jitter =
  (most: number): Transform =>
  (random) => [1, 0, random.integer(most + 1) - most / 2, 0, 1, random.integer(most + 1) - most / 2];

/** Shifts by whole pixels to any place where the view lies on the canvas. */
export const roam: Transform = (random, { canvas, sees }) => {
  const shift = (room: number): number => random.integer(Math.max(0, room) + 1) - Math.max(0, room) / 2;
  return [1, 0, shift(canvas.width - sees.width), 0, 1, shift(canvas.height - sees.height)];
};

/** A number for each view: one of a list, or any of a range. */
type Draw = (random: Random) => number;
export const oneOf =
  (values: readonly number[]): Draw =>
  (random) =>
    values[random.integer(values.length)]!;
const anyOf =
  (least: number, most: number): Draw =>
  (random) =>
    least + (most - least) * random.uniform();

/** Enlarges by a factor. */
export const scale =
  (factor: Draw): Transform =>
  (random) => {
    const by = 1 / factor(random);
    return [by, 0, 0, 0, by, 0];
  };

/** Turns by an angle, in degrees. */
export const rotate =
  (degrees: Draw): Transform =>
  (random) => {
    const angle = (degrees(random) * Math.PI) / 180;
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    return [c, -s, 0, s, c, 0];
  };

/** Mirrors left and right, every other time. */
export const flip: Transform = (random) => [random.integer(2) === 0 ? 1 : -1, 0, 0, 0, 1, 0];

/**
 * MACO's crops: a square around a place near the middle, N(0.5, 0.15) of the canvas, its side N(s, 0.05) of it and at
 * least 0.05, with s moving from `first` to `last`; enlarged to what the network sees.
 */
export const crops =
  (first: number, last: number): Transform =>
  (random, { progress, canvas, sees }) => {
    const side = Math.min(1, Math.max(0.05, first + (last - first) * progress + 0.05 * random.normal()));
    const place = (): number => Math.min(1 - side / 2, Math.max(side / 2, 0.5 + 0.15 * random.normal())) - 0.5;
    const [x, y] = [place() * canvas.width, place() * canvas.height];
    return [(side * canvas.width) / sees.width, 0, x, 0, (side * canvas.height) / sees.height, y];
  };

interface Word {
  readonly form: string;
  /** How many numbers may stand behind it, and their bounds. */
  readonly numbers: readonly [least: number, most: number];
  readonly bounds: readonly [least: number, most: number];
  readonly whole?: boolean;
  /** Two of it say different things. */
  readonly once?: boolean;
  apply(looks: Looks, a: number, b: number): Looks;
}

const also = (looks: Looks, transform: Transform): Looks => ({
  ...looks,
  transforms: [...looks.transforms, transform],
});

const words: Readonly<Record<string, Word>> = {
  pad: {
    form: "pad:PIXELS",
    numbers: [1, 1],
    bounds: [0, 1024],
    whole: true,
    once: true,
    apply: (looks, pixels) => ({ ...looks, border: "empty", frame: looks.frame + 2 * pixels }),
  },
  jitter: {
    form: "jitter:PIXELS",
    numbers: [1, 1],
    bounds: [1, 1024],
    whole: true,
    apply: (looks, pixels) => also(looks, jitter(pixels)),
  },
  scale: {
    form: "scale:LEAST:MOST",
    numbers: [2, 2],
    bounds: [0.05, 20],
    apply: (looks, a, b) => also(looks, scale(anyOf(a, b))),
  },
  rotate: {
    form: "rotate:DEGREES",
    numbers: [1, 1],
    bounds: [0, 180],
    apply: (looks, degrees) => also(looks, rotate(anyOf(-degrees, degrees))),
  },
  flip: { form: "flip", numbers: [0, 0], bounds: [0, 0], apply: (looks) => also(looks, flip) },
  crop: {
    form: "crop:FIRST:LAST",
    numbers: [2, 2],
    bounds: [0.05, 1],
    once: true,
    apply: (looks, a, b) => also({ ...looks, parts: true }, crops(a, b)),
  },
  blur: {
    form: "blur:PIXELS or blur:LEAST:MOST",
    numbers: [1, 2],
    bounds: [0.1, 64],
    once: true,
    apply: (looks, a, b) => ({ ...looks, blur: [a, b] }),
  },
  noise: {
    form: "noise:DEVIATION",
    numbers: [1, 1],
    bounds: [0, 10],
    once: true,
    apply: (looks, deviation) => ({ ...looks, noise: deviation }),
  },
};

/** The forms that `readTransforms` understands, for help. */
export const transformForms: readonly string[] = ["none", ...Object.values(words).map(({ form }) => form)];

/**
 * `pad:12,jitter:8,scale:0.9:1.1,rotate:10,flip,blur:1,noise:0.05`: changes of place in the order given, then the blur,
 * then the noise. Throws `option-invalid`.
 */
export function readTransforms(text: string): Looks {
  const parts = text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
  const refuse = (why: string): never => {
    throw new ConvlensError("option-invalid", `transforms "${text}": ${why}`);
  };
  if (parts.length === 0) refuse(`there is none in it; write ${transformForms.join(", ")}`);
  if (parts.includes("none")) return parts.length === 1 ? plainly : refuse("none and others exclude each other");
  return parts.reduce((looks, part, i) => {
    const [name = "", ...rest] = part.split(":");
    const word = Object.hasOwn(words, name) ? words[name]! : refuse(`"${name}" is none of ${known}`);
    if (word.once && parts.slice(0, i).some((other) => other.split(":")[0] === name))
      refuse(`${name} stands there twice`);
    const numbers = rest.map(Number);
    const [least, most] = word.bounds;
    const fits = (x: number): boolean => x >= least && x <= most && (!word.whole || Number.isInteger(x));
    if (
      numbers.length < word.numbers[0] ||
      numbers.length > word.numbers[1] ||
      rest.includes("") ||
      !numbers.every(fits)
    )
      refuse(
        `"${part}" is not ${word.form}${least === most ? "" : `, ${word.whole ? "whole numbers" : "numbers"} from ${least} to ${most}`}`,
      );
    const [a = 0, b = a] = numbers;
    return word.apply(looks, a, b);
  }, plainly);
}

const known = ["none", ...Object.keys(words)].join(", ");
