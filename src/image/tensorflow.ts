/**
 * Resizing as `tf.image.resize` does it without antialias (core/kernels/image): half-pixel centres, positions in
 * float32; its float answers are rounded to grey levels here. Within one grey level.
 */
import { float, halfUp, nearest, type Resizers, roundEven } from "./resizer.ts";
import { areaTaps, cubic, lanczos3, makeTaps, normalized, type Taps } from "./taps.ts";

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
    return { start, weights: [1 - (position - start), position - start] };
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

export const tensorflowResizers: Resizers = {
  nearest: nearest(tensorflowNearest),
  bilinear: float(tensorflowLinear, halfUp),
  bicubic: float(tensorflowCubic, halfUp),
  lanczos: float(tensorflowLanczos, halfUp),
  box: float(areaTaps, halfUp),
};
