/** Made-up layers, tensors and results for the tests of the renderers: the same numbers in every run. */
import type { Picture } from "../../src/core/picture.ts";
import type { Attribution, HeatMap, Measure, NamedTensor, Prediction, Summary } from "../../src/core/result.ts";
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

/** A photograph: soft stripes and a bright disc. */
export function photograph(width: number, height: number): Picture {
  const data = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let i = 0; i < width * height; i++) {
    const [x, y] = [(i % width) / width, Math.floor(i / width) / height];
    const disc = Math.hypot(x - 0.4, y - 0.45) < 0.2 ? 70 : 0;
    data[4 * i] = 90 + 60 * Math.sin(9 * x + 4 * y) + disc;
    data[4 * i + 1] = 100 + 50 * Math.sin(5 * y) + disc;
    data[4 * i + 2] = 80 + 60 * x;
  }
  return { width, height, data };
}

const explained = {
  title: "Grad-CAM",
  target: { index: 281, label: "tabby, tabby cat", of: "logit", score: 8.312, probability: 0.873 },
  signed: false,
} as const;

/** Two hills, the second of them negative where the map is signed. */
export function hills(height: number, width: number, signed = false): Float32Array {
  return Float32Array.from({ length: height * width }, (_, i) => {
    const [x, y] = [((i % width) + 0.5) / width, (Math.floor(i / width) + 0.5) / height];
    const hill = (cx: number, cy: number, size: number) => Math.exp(-((x - cx) ** 2 + (y - cy) ** 2) / size ** 2);
    const value = hill(0.4, 0.4, 0.18) + (signed ? -0.7 : 0.5) * hill(0.78, 0.75, 0.13);
    return 0.0231 * (signed || value > 0.02 ? value : 0);
  });
}

export const heatMap = (
  height: number,
  width: number,
  values: Float32Array = hills(height, width),
  more: Partial<HeatMap> = {},
): HeatMap => ({
  ...base,
  origin: { ...base.origin, method: "gradcam", input: "cat.png" },
  ...explained,
  kind: "map",
  layers: ["block5_conv3"],
  map: float32([height, width], values),
  ...more,
});

/** Noise under the hills: few large numbers among many small ones, as gradients are. */
export function attribution(height: number, width: number, more: Partial<Attribution> = {}): Attribution {
  const [under, random] = [hills(height, width), noise(3 * height * width, 5)];
  const values = random.map((v, i) => v ** 5 * (0.002 + under[i % (height * width)]!));
  return {
    ...base,
    origin: { ...base.origin, method: "ig", input: "cat.png" },
    ...explained,
    kind: "attribution",
    title: "Integrated gradients",
    signed: true,
    layout: "NCHW",
    channelReduce: "sum",
    values: float32([3, height, width], values),
    ...more,
  };
}
