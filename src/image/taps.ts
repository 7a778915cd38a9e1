/** Which source samples make each output sample of one axis, and with what weights: the heart of every resizing. */

export interface Taps {
  /** First source index of each output. */
  readonly starts: Int32Array;
  /** The number of samples of each output. */
  readonly counts: Int32Array;
  /** `width` weights for each output, of which the first `counts[i]` count. */
  readonly weights: Float64Array;
  readonly width: number;
}

/** Makes taps from pairs of (index, weight); indices outside are moved to the edge or left out, as `edge` says. */
export function makeTaps(
  from: number,
  to: number,
  width: number,
  edge: "clamp" | "drop",
  tap: (i: number) => { readonly start: number; readonly weights: ArrayLike<number> },
): Taps {
  const starts = new Int32Array(to);
  const counts = new Int32Array(to);
  const weights = new Float64Array(to * width);
  for (let i = 0; i < to; i++) {
    const { start, weights: wanted } = tap(i);
    const first = Math.min(Math.max(start, 0), from - 1);
    starts[i] = first;
    for (let k = 0; k < wanted.length; k++) {
      const index = start + k;
      if (edge === "drop" && (index < 0 || index >= from)) continue;
      const at = Math.min(Math.max(index, 0), from - 1) - first;
      weights[i * width + at]! += wanted[k]!;
      counts[i] = Math.max(counts[i]!, at + 1);
    }
  }
  return { starts, counts, weights, width };
}

/** Scales each output's weights to a sum of 1. */
export function normalized(taps: Taps): Taps {
  const weights = taps.weights.slice();
  for (let i = 0; i < taps.starts.length; i++) {
    const row = weights.subarray(i * taps.width, i * taps.width + taps.counts[i]!);
    const sum = row.reduce((a, b) => a + b, 0);
    if (sum !== 0) for (let k = 0; k < row.length; k++) row[k] = row[k]! / sum;
  }
  return { ...taps, weights };
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/** A filter kernel and how far it reaches. */
export interface Kernel {
  readonly support: number;
  at(x: number): number;
}

/** Keys' cubic; a = -0.5 in Pillow and TensorFlow, -0.75 in OpenCV. */
export const cubic = (a: number): Kernel => ({
  support: 2,
  at(x) {
    const t = Math.abs(x);
    if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
    if (t < 2) return (((t - 5) * t + 8) * t - 4) * a;
    return 0;
  },
});
export const box: Kernel = { support: 0.5, at: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) };
export const triangle: Kernel = { support: 1, at: (x) => Math.max(0, 1 - Math.abs(x)) };
export const lanczos3: Kernel = { support: 3, at: (x) => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0) };

/** The share of each source sample in the interval that an output covers: area averaging, for any ratio. */
export function areaTaps(from: number, to: number): Taps {
  const scale = from / to;
  const taps = makeTaps(from, to, Math.ceil(scale) + 2, "drop", (i) => {
    const [begin, end] = [i * scale, (i + 1) * scale];
    const start = Math.floor(begin + 1e-9);
    const last = Math.ceil(end - 1e-9);
    const weights = Array.from({ length: last - start }, (_, k) =>
      Math.max(0, Math.min(end, start + k + 1) - Math.max(begin, start + k)),
    );
    return { start, weights };
  });
  return normalized(taps);
}
