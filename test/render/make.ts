/** Made-up layers, tensors and results for the tests of the renderers: the same numbers in every run. */
import type { Measure, NamedTensor, Prediction, Summary } from "../../src/core/result.ts";
import { float32 } from "../../src/core/tensor.ts";

export function tensor(
  name: string,
  className: string,
  dims: number[],
  data: ArrayLike<number>,
  part = "output",
): NamedTensor {
  const shape = part === "output" ? [null, ...dims.slice(1)] : dims;
  const layer = { name, class: className, output: name, layout: "NHWC", shape, inputs: [], weights: [] } as const;
  return { layer: { ...layer, parameters: 0, multiplyAdds: 0 }, part, tensor: float32(dims, data) };
}

/** `count` numbers from -1 to 1 (a linear congruential generator). */
export function noise(count: number, seed = 1): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** NHWC maps of one picture: a wave of another direction and wavelength in each channel, its negative half cut off. */
export function waves(height: number, width: number, channels: number): Float32Array {
  return Float32Array.from({ length: height * width * channels }, (_, i) => {
    const [c, x, y] = [i % channels, Math.floor(i / channels) % width, Math.floor(i / channels / width)];
    return Math.max(0, Math.sin(((x / width) * Math.cos(c) + (y / height) * Math.sin(c)) * (6 + c)));
  });
}

const base = {
  origin: { model: { name: "net", sha256: "0" }, method: "test", options: {}, engine: "none" },
  notes: [],
} as const;

export const prediction = (rows: readonly (readonly [string, number | null, number])[]): Prediction => ({
  ...base,
  kind: "prediction",
  predictions: rows.map(([label, probability, score], index) => ({ index, label, probability, score })),
  output: rows.map((row) => row[2]),
});

export const measure = (rows: readonly (readonly [string, number, number])[]): Measure => ({
  ...base,
  kind: "measure",
  title: "Sparsity by depth",
  columns: [
    { id: "zeros", title: "zeros", unit: "share" },
    { id: "dead", title: "dead channels", unit: "count" },
  ],
  rows: rows.map(([name, ...values]) => ({ name, values })),
});

export const summary = (layers: readonly NamedTensor["layer"][]): Summary => ({
  ...base,
  kind: "summary",
  title: "net.onnx",
  inputs: [{ name: "input", shape: [null, 150, 150, 3] }],
  layers,
  totals: {
    parameters: 3453121,
    trainable: 3453000,
    nonTrainable: 121,
    multiplyAdds: 333_000_000,
    activationBytes: 5_600_000,
  },
});
