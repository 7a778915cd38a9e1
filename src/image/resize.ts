/**
 * Resizing as Pillow, OpenCV and TensorFlow do it. A network saw its training pictures through one of them, and each
 * reads other pixels; so each (library, mode) pair is reproduced, within one grey level, Pillow's bit for bit.
 */
import { ConvlensError } from "../core/errors.ts";
import type { Picture } from "../core/picture.ts";
import { pick, resampleFixed, resampleFloat } from "./resample.ts";
import { areaTaps, box, cubic, type Kernel, lanczos3, makeTaps, normalized, type Taps, triangle } from "./taps.ts";

/** How samples are weighted. `box` is the mean over the covered area (OpenCV's INTER_AREA, TensorFlow's `area`). */
export type ResizeMode = "nearest" | "bilinear" | "bicubic" | "lanczos" | "box";
/** Whose arithmetic: Pillow's (antialiased when shrinking), OpenCV's, TensorFlow's (`antialias=False`). */
export type ResizeLibrary = "pil" | "opencv" | "tensorflow";

type Resizer = (picture: Picture, height: number, width: number) => Picture;

/** Every pair there is. */
export const resizers: Readonly<Record<ResizeLibrary, Readonly<Record<ResizeMode, Resizer>>>> = {
  pil: {
    nearest: nearest(pilNearest),
    bilinear: pil(triangle),
    bicubic: pil(cubic(-0.5)),
    lanczos: pil(lanczos3),
    box: pil(box),
  },
  opencv: {
    nearest: nearest((from, to) =>
      Int32Array.from({ length: to }, (_, i) => Math.min(Math.floor(i * (1 / (to / from))), from - 1)),
    ),
    bilinear: opencvLinear,
    bicubic: float((from, to) => opencvTaps(from, to, cubicWeights), halfUp),
    lanczos: float((from, to) => opencvTaps(from, to, lanczos4Weights), halfUp),
    box: opencvArea,
  },
  tensorflow: {
    nearest: nearest(tensorflowNearest),
    bilinear: float(tensorflowLinear, halfUp),
    bicubic: float(tensorflowCubic, halfUp),
    lanczos: float(tensorflowLanczos, halfUp),
    box: float(areaTaps, halfUp),
  },
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

function halfUp(value: number): number {
  return Math.floor(value + 0.5);
}

function nearest(indices: (from: number, to: number) => Int32Array): Resizer {
  return (picture, height, width) => pick(picture, indices(picture.height, height), indices(picture.width, width));
}

function float(taps: (from: number, to: number) => Taps, round: (value: number) => number): Resizer {
  return (picture, height, width) =>
    resampleFloat(picture, taps(picture.height, height), taps(picture.width, width), round);
}

// ---- Pillow (libImaging/Resample.c, Geometry.c)

/** Pillow adds up the step in double precision; the sum decides at the edges of pixels. */
function pilNearest(from: number, to: number): Int32Array {
  const scale = from / to;
  const indices = new Int32Array(to);
  let at = scale * 0.5;
  for (let i = 0; i < to; i++, at += scale) indices[i] = Math.min(Math.floor(at), from - 1);
  return indices;
}

function pilTaps(kernel: Kernel, from: number, to: number): Taps {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  const shrink = 1 / stretch;
  const support = kernel.support * stretch;
  const taps = makeTaps(from, to, Math.ceil(support) * 2 + 1, "drop", (i) => {
    const center = (i + 0.5) * scale;
    const start = Math.max(Math.trunc(center - support + 0.5), 0);
    const end = Math.min(Math.trunc(center + support + 0.5), from);
    const weights = Array.from({ length: end - start }, (_, k) => kernel.at((k + start - center + 0.5) * shrink));
    return { start, weights };
  });
  return normalized(taps);
}

function pil(kernel: Kernel): Resizer {
  const axis = (from: number, to: number) => (from === to ? undefined : pilTaps(kernel, from, to));
  return (picture, height, width) => resampleFixed(picture, axis(picture.height, height), axis(picture.width, width));
}

// ---- OpenCV (imgproc/src/resize.cpp)

/** 8-bit pictures take weights with 11 fractional bits. */
const toShort = (weight: number): number => roundEven(weight * 2048) / 2048;

function roundEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
}

/** Taps around the half-pixel position; samples outside repeat the edge. */
function opencvTaps(from: number, to: number, weightsAt: (fraction: number) => readonly number[]): Taps {
  const scale = 1 / (to / from);
  const reach = weightsAt(0).length;
  return makeTaps(from, to, reach, "clamp", (i) => {
    const position = Math.fround((i + 0.5) * scale - 0.5);
    const floor = Math.floor(position);
    return { start: floor - reach / 2 + 1, weights: weightsAt(position - floor).map(toShort) };
  });
}

const linearWeights = (t: number): readonly number[] => [1 - t, t];

const cubicWeights = (t: number): readonly number[] => {
  const kernel = cubic(-0.75);
  const [a, b, c] = [kernel.at(t + 1), kernel.at(t), kernel.at(1 - t)];
  return [a, b, c, 1 - a - b - c];
};

/** Eight taps of sin(pi x) sin(pi x / 4) / x^2, scaled to a sum of 1. */
const lanczos4Weights = (t: number): readonly number[] => {
  if (t < 1.1920929e-7) return [0, 0, 0, 1, 0, 0, 0, 0];
  const weights = Array.from({ length: 8 }, (_, k) => {
    const x = Math.PI * (t + 3 - k);
    return (Math.sin(x) * Math.sin(x / 4)) / (x * x);
  });
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((w) => w / sum);
};

function opencvLinear(picture: Picture, height: number, width: number): Picture {
  const taps = (from: number, to: number) => opencvTaps(from, to, linearWeights);
  return resampleFloat(picture, taps(picture.height, height), taps(picture.width, width), halfUp);
}

/** INTER_AREA: averages when both axes shrink, else a linear variant that holds pixels flat. */
function opencvArea(picture: Picture, height: number, width: number): Picture {
  if (picture.height >= height && picture.width >= width) {
    return resampleFloat(picture, areaTaps(picture.height, height), areaTaps(picture.width, width), roundEven);
  }
  const taps = (from: number, to: number) => {
    const scale = from / to;
    return makeTaps(from, to, 2, "clamp", (i) => {
      const start = Math.floor(i * scale);
      const t = i + 1 - (start + 1) / scale;
      return { start, weights: linearWeights(toShort(t <= 0 ? 0 : t - Math.floor(t))) };
    });
  };
  return resampleFloat(picture, taps(picture.height, height), taps(picture.width, width), halfUp);
}

// ---- TensorFlow (core/kernels/image/*.cc), half-pixel centres, float32 positions

function tensorflowNearest(from: number, to: number): Int32Array {
  const scale = Math.fround(from / to);
  return Int32Array.from({ length: to }, (_, i) => {
    return Math.min(Math.max(Math.floor(Math.fround((i + 0.5) * scale)), 0), from - 1);
  });
}

function tensorflowLinear(from: number, to: number): Taps {
  const scale = Math.fround(from / to);
  return makeTaps(from, to, 2, "clamp", (i) => {
    const position = Math.fround(Math.fround((i + 0.5) * scale) - 0.5);
    const start = Math.floor(position);
    return { start, weights: linearWeights(position - start) };
  });
}

/** Keys' cubic from a table with 1024 steps; samples outside are left out and the rest scaled to a sum of 1. */
function tensorflowCubic(from: number, to: number): Taps {
  const scale = Math.fround(from / to);
  const kernel = cubic(-0.5);
  const taps = makeTaps(from, to, 4, "drop", (i) => {
    const position = Math.fround(Math.fround((i + 0.5) * scale) - 0.5);
    const floor = Math.floor(position);
    const t = roundEven((position - floor) * 1024) / 1024;
    return { start: floor - 1, weights: [kernel.at(t + 1), kernel.at(t), kernel.at(1 - t), kernel.at(2 - t)] };
  });
  return normalized(taps);
}

function tensorflowLanczos(from: number, to: number): Taps {
  const scale = from / to;
  const taps = makeTaps(from, to, 7, "drop", (i) => {
    const position = (i + 0.5) * scale;
    const start = Math.max(Math.ceil(position - 3 - 0.5), 0);
    const end = Math.min(Math.floor(position + 3 - 0.5), from - 1);
    const weights = Array.from({ length: end - start + 1 }, (_, k) => lanczos3.at(start + k + 0.5 - position));
    return { start, weights };
  });
  return normalized(taps);
}
