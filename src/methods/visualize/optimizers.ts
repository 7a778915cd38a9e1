/** Optimisers, as they raise an objective: each changes parameters in place along a gradient. */

export interface Optimizer {
  /** One step; the same arrays, or arrays of the same length, at every call. */
  step(parameters: Float32Array, gradient: Float32Array): void;
  /** Its own numbers, for going on later. */
  memory(): readonly Float32Array[];
}

/** Where an earlier run stopped: steps done, and what `memory` gave. */
interface Earlier {
  readonly step: number;
  readonly memory: readonly Float32Array[];
}

export type OptimizerName = "step" | "adam" | "nadam" | "rmsprop";

type Make = (rate: number, earlier?: Earlier) => Optimizer;

/** The numbers of an earlier run, or zeros. */
const kept = (earlier: Earlier | undefined, at: number, length: number): Float32Array =>
  Float32Array.from(earlier?.memory[at] ?? new Float32Array(length));

/** Steps along `mean(m, g, count)` over the root of the mean square; m and the mean square are running means. */
function moments(epsilon: number, mean: (m: number, g: number, count: number) => number): Make {
  return (rate, earlier) => {
    let [first, second]: Float32Array[] = [];
    let count = earlier?.step ?? 0;
    return {
      memory: () => (first && second ? [first, second] : []),
      step(parameters, gradient) {
        first ??= kept(earlier, 0, parameters.length);
        second ??= kept(earlier, 1, parameters.length);
        count++;
        const two = 1 - 0.999 ** count;
        // Both means are linear in m and g: two numbers a step serve all parameters.
        const [ofFirst, ofGradient] = [mean(1, 0, count), mean(0, 1, count)];
        for (let i = 0; i < parameters.length; i++) {
          const g = gradient[i]!;
          const m = 0.9 * first[i]! + 0.1 * g;
          const v = 0.999 * second[i]! + 0.001 * g * g;
          first[i] = m;
          second[i] = v;
          parameters[i]! += (rate * (ofFirst * m + ofGradient * g)) / (Math.sqrt(v / two) + epsilon);
        }
      },
    };
  };
}

/** The gradient itself times the rate. */
const plain: Make = (rate) => ({
  step(parameters, gradient) {
    for (let i = 0; i < parameters.length; i++) parameters[i]! += rate * gradient[i]!;
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
const rmsprop: Make = (rate, earlier) => {
  let mean: Float32Array | undefined;
  return {
    memory: () => (mean ? [mean] : []),
    step(parameters, gradient) {
      mean ??= kept(earlier, 0, parameters.length);
      for (let i = 0; i < parameters.length; i++) {
        const g = gradient[i]!;
        mean[i] = 0.9 * mean[i]! + 0.1 * g * g;
        parameters[i]! += (rate * g) / (Math.sqrt(mean[i]!) + 1e-7);
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
 * Divides each picture's gradient by its root mean square (`rms`, + 1e-5), its length (`l2`), its mean size (`mean`, at
 * least 1e-7), or at every pixel by the length over its channels (`pixel`), as the editions of the Keras book do.
 * Pictures lie one after another.
 */
export function normalized(
  gradient: Float32Array,
  { count, channels }: { readonly count: number; readonly channels: number },
  how: Normalization,
): Float32Array {
  if (how === "none") return gradient;
  const size = gradient.length / count;
  const out = new Float32Array(gradient.length);
  for (let start = 0; start < gradient.length; start += size) {
    if (how === "pixel") {
      const area = size / channels;
      for (let i = start; i < start + area; i++) {
        let squares = 0;
        for (let c = 0; c < channels; c++) squares += gradient[i + c * area]! ** 2;
        for (let c = 0; c < channels; c++) out[i + c * area] = gradient[i + c * area]! / rootOf(squares);
      }
      continue;
    }
    let [squares, sizes] = [0, 0];
    for (let i = start; i < start + size; i++) {
      squares += gradient[i]! * gradient[i]!;
      sizes += Math.abs(gradient[i]!);
    }
    const by =
      how === "rms"
        ? Math.sqrt(squares / size) + 1e-5
        : how === "mean"
          ? Math.max(sizes / size, 1e-7)
          : rootOf(squares);
    for (let i = start; i < start + size; i++) out[i] = gradient[i]! / by;
  }
  return out;
}

/** TensorFlow's `l2_normalize`. */
const rootOf = (squares: number): number => Math.sqrt(Math.max(squares, 1e-12));
