/** Optimisers, as they raise an objective: each changes parameters in place along a gradient. */

export interface Optimizer {
  /** One step; the same arrays, or arrays of the same length, at every call. */
  step(parameters: Float32Array, gradient: Float32Array): void;
}

export type OptimizerName = "step" | "adam" | "nadam" | "rmsprop";

/** The gradient itself times the rate. */
const plain = (rate: number): Optimizer => ({
  step(parameters, gradient) {
    for (let i = 0; i < parameters.length; i++) parameters[i]! += rate * gradient[i]!;
  },
});

/** Kingma and Ba 2014: beta 0.9 and 0.999, epsilon 1e-8. With `nesterov` Dozat 2016, in Keras' form without schedule. */
const adam =
  (nesterov: boolean) =>
  (rate: number): Optimizer => {
    let [first, second] = [new Float32Array(0), new Float32Array(0)];
    let count = 0;
    return {
      step(parameters, gradient) {
        if (count === 0) [first, second] = [new Float32Array(parameters.length), new Float32Array(parameters.length)];
        count++;
        const [one, two] = [1 - 0.9 ** count, 1 - 0.999 ** count];
        const ahead = 1 - 0.9 ** (count + 1);
        for (let i = 0; i < parameters.length; i++) {
          const g = gradient[i]!;
          const m = 0.9 * first[i]! + 0.1 * g;
          const v = 0.999 * second[i]! + 0.001 * g * g;
          first[i] = m;
          second[i] = v;
          const mean = nesterov ? (0.9 * m) / ahead + (0.1 * g) / one : m / one;
          parameters[i]! += (rate * mean) / (Math.sqrt(v / two) + 1e-8);
        }
      },
    };
  };

/** Tieleman and Hinton 2012, as Keras: rho 0.9, epsilon 1e-7. */
const rmsprop = (rate: number): Optimizer => {
  let mean = new Float32Array(0);
  return {
    step(parameters, gradient) {
      if (mean.length !== parameters.length) mean = new Float32Array(parameters.length);
      for (let i = 0; i < parameters.length; i++) {
        const g = gradient[i]!;
        mean[i] = 0.9 * mean[i]! + 0.1 * g * g;
        parameters[i]! += (rate * g) / (Math.sqrt(mean[i]!) + 1e-7);
      }
    },
  };
};

export const optimizers: Readonly<Record<OptimizerName, (rate: number) => Optimizer>> = {
  step: plain,
  adam: adam(false),
  nadam: adam(true),
  rmsprop,
};

export type Normalization = "none" | "rms" | "l2";

/**
 * Divides each picture's gradient by its root mean square (+ 1e-5, as the first edition of the Keras book) or by its
 * length (+ 1e-7). `count` pictures lie one after another.
 */
export function normalized(gradient: Float32Array, count: number, how: Normalization): Float32Array {
  if (how === "none") return gradient;
  const size = gradient.length / count;
  const out = new Float32Array(gradient.length);
  for (let picture = 0; picture < count; picture++) {
    let squares = 0;
    for (let i = picture * size; i < (picture + 1) * size; i++) squares += gradient[i]! * gradient[i]!;
    const by = how === "rms" ? Math.sqrt(squares / size) + 1e-5 : Math.sqrt(squares) + 1e-7;
    for (let i = picture * size; i < (picture + 1) * size; i++) out[i] = gradient[i]! / by;
  }
  return out;
}
