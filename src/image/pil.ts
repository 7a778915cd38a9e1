/**
 * Resizing as Pillow does it (src/libImaging/Resample.c and Geometry.c): filters that widen when a picture shrinks,
 * fixed-point weights, 8 bits between the two passes. Bit for bit.
 */
import { resampleFixed } from "./resample-fixed.ts";
import { nearest, type Resizer, type Resizers } from "./resizer.ts";
import { box, cubic, type Kernel, lanczos3, type Taps, triangle } from "./taps.ts";

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
  const width = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(to);
  const counts = new Int32Array(to);
  const weights = new Float64Array(to * width);
  for (let i = 0; i < to; i++) {
    const center = (i + 0.5) * scale;
    const start = Math.max(Math.trunc(center - support + 0.5), 0);
    const count = Math.min(Math.trunc(center + support + 0.5), from) - start;
    let sum = 0;
    for (let k = 0; k < count; k++) {
      const weight = kernel.at((k + start - center + 0.5) * shrink);
      weights[i * width + k] = weight;
      sum += weight;
    }
    if (sum !== 0) for (let k = i * width; k < i * width + count; k++) weights[k] = weights[k]! / sum;
    starts[i] = start;
    counts[i] = count;
  }
  return { starts, counts, weights, width };
}

function pil(kernel: Kernel): Resizer {
  const axis = (from: number, to: number) => (from === to ? undefined : pilTaps(kernel, from, to));
  return (picture, height, width) => resampleFixed(picture, axis(picture.height, height), axis(picture.width, width));
}

export const pilResizers: Resizers = {
  nearest: nearest(pilNearest),
  bilinear: pil(triangle),
  bicubic: pil(cubic(-0.5)),
  lanczos: pil(lanczos3),
  box: pil(box),
};
