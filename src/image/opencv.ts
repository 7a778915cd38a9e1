/**
 * Resizing as OpenCV does it (imgproc/src/resize.cpp) for 8-bit pictures: half-pixel centres, no antialias, edges
 * repeated, weights with 11 fractional bits. Within one grey level; nearest and linear are exact.
 */
import type { Picture } from "../core/picture.ts";
import { resampleFloat } from "./resample.ts";
import { float, halfUp, nearest, type Resizers, roundEven } from "./resizer.ts";
import { areaTaps, cubic, makeTaps, type Taps } from "./taps.ts";

/** 8-bit pictures take weights with 11 fractional bits. */
const toShort = (weight: number): number => roundEven(weight * 2048) / 2048;

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

/** Two source samples for each output and their weights, in 2048ths. */
interface Samples {
  readonly at: Int32Array;
  readonly weights: Int32Array;
}

/** `sample` gives the lower index and the share of the upper one; indices outside repeat the edge. */
function samples(from: number, to: number, sample: (i: number) => readonly [lower: number, share: number]): Samples {
  const at = new Int32Array(2 * to);
  const weights = new Int32Array(2 * to);
  for (let i = 0; i < to; i++) {
    const [lower, share] = sample(i);
    at[2 * i] = Math.max(lower, 0);
    at[2 * i + 1] = Math.min(lower + 1, from - 1);
    weights[2 * i] = roundEven((1 - share) * 2048);
    weights[2 * i + 1] = roundEven(share * 2048);
  }
  return { at, weights };
}

function linearSamples(from: number, to: number): Samples {
  const scale = 1 / (to / from);
  return samples(from, to, (i) => {
    const position = Math.fround((i + 0.5) * scale - 0.5);
    const lower = Math.floor(position);
    return [lower, position - lower];
  });
}

/** What INTER_AREA takes where a picture grows: pixels stay flat, only their edges are mixed. */
function flatSamples(from: number, to: number): Samples {
  const inverse = to / from;
  const scale = 1 / inverse;
  return samples(from, to, (i) => {
    const lower = Math.floor(i * scale);
    const share = Math.fround(i + 1 - (lower + 1) * inverse);
    return [lower, share <= 0 ? 0 : share - Math.floor(share)];
  });
}

/** Linear in OpenCV's fixed point, which drops 4 bits of each row and 16 of each product before it rounds. */
function linear(picture: Picture, rows: Samples, columns: Samples): Picture {
  const height = rows.at.length / 2;
  const width = columns.at.length / 2;
  const stride = width * 3;
  const across = new Int32Array(picture.height * stride);
  for (let y = 0, to = 0; y < picture.height; y++) {
    for (let x = 0; x < width; x++) {
      const left = (y * picture.width + columns.at[2 * x]!) * 4;
      const right = (y * picture.width + columns.at[2 * x + 1]!) * 4;
      const a = columns.weights[2 * x]!;
      const b = columns.weights[2 * x + 1]!;
      for (let c = 0; c < 3; c++) across[to++] = (picture.data[left + c]! * a + picture.data[right + c]! * b) >> 4;
    }
  }
  const data = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let y = 0, to = 0; y < height; y++) {
    let above = rows.at[2 * y]! * stride;
    let below = rows.at[2 * y + 1]! * stride;
    const a = rows.weights[2 * y]!;
    const b = rows.weights[2 * y + 1]!;
    for (let x = 0; x < width; x++, to += 4) {
      for (let c = 0; c < 3; c++) {
        data[to + c] = (((across[above++]! * a) >> 16) + ((across[below++]! * b) >> 16) + 2) >> 2;
      }
    }
  }
  return { width, height, data };
}

/** INTER_AREA: averages when both axes shrink. */
function area(picture: Picture, height: number, width: number): Picture {
  if (picture.height < height || picture.width < width) {
    return linear(picture, flatSamples(picture.height, height), flatSamples(picture.width, width));
  }
  const halves = picture.height === 2 * height && picture.width === 2 * width;
  const round = halves ? halfUp : roundEven;
  return resampleFloat(picture, areaTaps(picture.height, height), areaTaps(picture.width, width), round);
}

export const opencvResizers: Resizers = {
  nearest: nearest((from, to) => {
    const scale = 1 / (to / from);
    return Int32Array.from({ length: to }, (_, i) => Math.min(Math.floor(i * scale), from - 1));
  }),
  bilinear: (picture, height, width) =>
    linear(picture, linearSamples(picture.height, height), linearSamples(picture.width, width)),
  bicubic: float((from, to) => opencvTaps(from, to, cubicWeights), halfUp),
  lanczos: float((from, to) => opencvTaps(from, to, lanczos4Weights), halfUp),
  box: area,
};
