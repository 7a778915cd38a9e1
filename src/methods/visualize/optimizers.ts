/** Optimisers, as they raise an objective: each moves parameters along a gradient. */

export interface Optimizer {
  /** One step: what comes after `parameters` is put into `next`, which may be the same array. All are of one length. */
  step(parameters: Float32Array, gradient: Float32Array, next: Float32Array): void;
  /** Its own numbers, for going on later. */
  memory(): readonly Float32Array[];
}

/** Where an earlier run stopped: steps done, and what `memory` gave. */
interface Earlier {
  readonly step: number;
  readonly memory: readonly Float32Array[];
}

export type OptimizerName = "step" | "adam" | "nadam" | "rmsprop";

/** `epsilon` is added to the root that steps are divided by, in place of the optimiser's own. */
type Make = (rate: number, earlier?: Earlier, epsilon?: number) => Optimizer;

/** The numbers of an earlier run, or zeros. */
const kept = (earlier: Earlier | undefined, at: number, length: number): Float32Array =>
  Float32Array.from(earlier?.memory[at] ?? new Float32Array(length));

/** Steps along `mean(m, g, count)` over the root of the mean square; m and the mean square are running means. */
function moments(own: number, mean: (m: number, g: number, count: number) => number): Make {
  return (rate, earlier, epsilon = own) => {
    let [first, second]: Float32Array[] = [];
    let count = earlier?.step ?? 0;
    return {
      memory: () => (first && second ? [first, second] : []),
      step(parameters, gradient, next) {
        first ??= kept(earlier, 0, parameters.length);
        second ??= kept(earlier, 1, parameters.length);
        count++;
        const two = 1 / (1 - 0.999 ** count);
        // Both means are linear in m and g: two numbers a step serve all parameters.
        const ofFirst = rate * mean(1, 0, count);
        const ofGradient = rate * mean(0, 1, count);
        // Names of this call's own: those that outlive it would be looked up anew for each number.
        const [ofMean, ofSquare] = [first, second];
        for (let i = 0; i < parameters.length; i++) {
          const g = gradient[i]!;
          const m = 0.9 * ofMean[i]! + 0.1 * g;
          const v = 0.999 * ofSquare[i]! + 0.001 * g * g;
          ofMean[i] = m;
          ofSquare[i] = v;
          next[i] = parameters[i]! + (ofFirst * m + ofGradient * g) / (Math.sqrt(v * two) + epsilon);
        }
      },
    };
  };
}

/** The gradient itself times the rate. */
const plain: Make = (rate) => ({
  step(parameters, gradient, next) {
    for (let i = 0; i < parameters.length; i++) next[i] = parameters[i]! + rate * gradient[i]!;
  },
  memory: () => [],
});

/** Kingma and Ba 2014: beta 0.9 and 0.999, epsilon 1e-8. */
const adam: Make = moments(1e-8, (m, _g, count) => m / (1 - 0.9 ** count));

/** Dozat 2016 as Keras has it, with the schedule of its momentum; epsilon 1e-7. */
const nadam: Make = moments(1e-7, (m, g, count) => {
  const momentum = (step: number): number => 0.9 * (1 - 0.5 * 0.96 ** step);
  let product = 1;
  for (let step = 1; step <= count; step++) product *= momentum(step);
  const next = momentum(count + 1);
  return (next * m) / (1 - product * next) + ((1 - momentum(count)) * g) / (1 - product);
});

/** Tieleman and Hinton 2012, as Keras: rho 0.9, epsilon 1e-7. */
const rmsprop: Make = (rate, earlier, epsilon = 1e-7) => {
  let mean: Float32Array | undefined;
  return {
    memory: () => (mean ? [mean] : []),
    step(parameters, gradient, next) {
      mean ??= kept(earlier, 0, parameters.length);
      for (let i = 0; i < parameters.length; i++) {
        const g = gradient[i]!;
        mean[i] = 0.9 * mean[i]! + 0.1 * g * g;
        next[i] = parameters[i]! + (rate * g) / (Math.sqrt(mean[i]!) + epsilon);
      }
    },
  };
};

export const optimizers: Readonly<Record<OptimizerName, Make>> = {
  step: plain,
  adam,
  nadam,
  rmsprop,
};

export type Normalization = "none" | "rms" | "l2" | "pixel" | "mean";

/**
 * Divides each picture's gradient, in place, by its root mean square (`rms`, + 1e-5), its length (`l2`), its mean size
 * (`mean`, at least 1e-7), or at every pixel by the length over its channels (`pixel`), as the editions of the Keras
 * book do. Pictures lie one after another.
 */
export function normalize(
  gradient: Float32Array,
  { count, channels }: { readonly count: number; readonly channels: number },
  how: Normalization,
): void {
  if (how === "none") return;
  const size = gradient.length / count;
  for (let start = 0; start < gradient.length; start += size) {
    if (how === "pixel") {
      divideByPixel(gradient, start, size / channels, channels);
      continue;
    }
    const by =
      how === "rms"
        ? Math.sqrt(sumOf(gradient, start, size, square) / size) + 1e-5
        : how === "mean"
          ? Math.max(sumOf(gradient, start, size, Math.abs) / size, 1e-7)
          : rootOf(sumOf(gradient, start, size, square));
    for (let i = start; i < start + size; i++) gradient[i]! /= by;
  }
}

const square = (x: number): number => x * x;

/** Four sums, because one addition need not wait for another. */
function sumOf(values: Float32Array, start: number, size: number, of: (x: number) => number): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  const fours = start + size - (size % 4);
  for (let i = start; i < fours; i += 4) {
    a += of(values[i]!);
    b += of(values[i + 1]!);
    c += of(values[i + 2]!);
    d += of(values[i + 3]!);
  }
  for (let i = fours; i < start + size; i++) a += of(values[i]!);
  return a + b + (c + d);
}

function divideByPixel(gradient: Float32Array, start: number, area: number, channels: number): void {
  for (let i = start; i < start + area; i++) {
    let squares = 0;
    for (let c = 0; c < channels; c++) squares += gradient[i + c * area]! ** 2;
    const by = rootOf(squares);
    for (let c = 0; c < channels; c++) gradient[i + c * area]! /= by;
  }
}

/** TensorFlow's `l2_normalize`. */
const rootOf = (squares: number): number => Math.sqrt(Math.max(squares, 1e-12));
