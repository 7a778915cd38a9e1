/**
 * Parameterisations: what gradient ascent really changes, and the graph that makes the picture of it. The gradient by
 * the parameters comes from the same differentiation as that of networks.
 */
import { type Emitter, emitter, GRADIENT } from "../../autodiff/emitter.ts";
import { gradient } from "../../autodiff/gradient.ts";
import { rules } from "../../autodiff/rules/index.ts";
import { ConvlensError } from "../../core/errors.ts";
import { type Random, sampled } from "../../core/random.ts";
import { float32 } from "../../core/tensor.ts";
import { builder, int } from "../../graph/builder.ts";
import type { Graph } from "../../graph/graph.ts";
import { withFacts } from "../../graph/infer.ts";

/** The size of what is drawn: `count` pictures of `channels` planes. */
export interface CanvasSize {
  readonly count: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

export interface Parameters {
  /** Shape of the parameters, the count of pictures first. */
  readonly dims: readonly number[];
  /** Where one picture starts, from noise. */
  start(random: Random): Float32Array;
  /** Inputs: `parameters`. Output: `picture` `[count, channels, height, width]`, 0 to 1 unless the parameters are raw. */
  readonly forward: Graph;
  /** Inputs: `parameters` and `slope`, of the picture's shape. Output: the gradient by the parameters. */
  readonly backward: Graph;
}

/**
 * Colours whose three axes vary independently over photographs (Lucid's `color.py`): rgb = C v, C the square root of
 * ImageNet's colour covariance over its largest column norm.
 */
export const colourMatrix: readonly (readonly number[])[] = [
  [0.26, 0.09, 0.02],
  [0.27, 0, -0.05],
  [0.27, -0.09, 0.03],
].map((row) => row.map((value) => value / 0.46195238));

/** Frequencies of a real 2-D transform, `[height, width / 2 + 1]`, in cycles a pixel. */
export function frequencies(height: number, width: number): Float64Array {
  const columns = Math.floor(width / 2) + 1;
  const out = new Float64Array(height * columns);
  for (let h = 0; h < height; h++) {
    const fy = (h < height / 2 ? h : h - height) / height;
    for (let k = 0; k < columns; k++) out[h * columns + k] = Math.hypot(fy, k / width);
  }
  return out;
}

/** Lucid's weights of frequencies: sqrt(w h) / max(f, 1 / max(w, h))^decay. */
export function spectrumScale(height: number, width: number, decay = 1): Float64Array {
  const lowest = 1 / Math.max(height, width);
  return frequencies(height, width).map((f) => Math.sqrt(width * height) / Math.max(f, lowest) ** decay);
}

interface FourierMatrices {
  readonly size: string;
  /** Along columns, complex: `[2 h, 2 h]`. */
  readonly down: Float32Array;
  /** Along rows, to real numbers: `[2 k, w]`. */
  readonly across: Float32Array;
}

/** Those of the last size: batches that are drawn side by side have one. */
let lastMatrices: FourierMatrices | undefined;

function fourierMatrices(height: number, width: number): FourierMatrices {
  const size = `${height} x ${width}`;
  if (lastMatrices?.size === size) return lastMatrices;
  const columns = Math.floor(width / 2) + 1;
  const down = new Float32Array(4 * height * height);
  for (let n = 0; n < height; n++)
    for (let h = 0; h < height; h++) {
      const angle = (2 * Math.PI * ((n * h) % height)) / height;
      const [c, s] = [Math.cos(angle), Math.sin(angle)];
      const at = (row: number, column: number): number => row * 2 * height + column;
      down[at(n, h)] = c;
      down[at(n, height + h)] = -s;
      down[at(height + n, h)] = s;
      down[at(height + n, height + h)] = c;
    }
  const across = new Float32Array(2 * columns * width);
  for (let k = 0; k < columns; k++) {
    // All but the first and the middle frequency stand for two, itself and its mirror image.
    const twice = k === 0 || 2 * k === width ? 1 : 2;
    for (let w = 0; w < width; w++) {
      const angle = (2 * Math.PI * ((k * w) % width)) / width;
      across[k * width + w] = (twice * Math.cos(angle)) / (height * width);
      across[(columns + k) * width + w] = (-twice * Math.sin(angle)) / (height * width);
    }
  }
  lastMatrices = { size, down, across };
  return lastMatrices;
}

/**
 * The inverse real 2-D Fourier transform as two matrix products: of `[rows, 2 h, k]` (real parts over imaginary ones)
 * to `[rows, h, w]`. Divides by h w, as NumPy's `irfft2`.
 */
export function inverseFourier(emit: Emitter, spectrum: string, height: number, width: number): string {
  const columns = Math.floor(width / 2) + 1;
  const { down, across } = fourierMatrices(height, width);
  const rows = emit.matMul(emit.constant(float32([2 * height, 2 * height], down)), spectrum);
  const parts = emit.reshape(rows, [-1, 2, height, columns]);
  const beside = emit.reshape(emit.transpose(parts, [0, 2, 1, 3]), [-1, height, 2 * columns]);
  return emit.matMul(beside, emit.constant(float32([2 * columns, width], across)));
}

/** Builds both graphs from the nodes that make a picture of `parameters`. */
function graphs(
  dims: readonly number[],
  size: CanvasSize,
  draw: (emit: Emitter, parameters: string) => string,
): Pick<Parameters, "forward" | "backward"> {
  const build = builder();
  const input = build.input("parameters", { type: "float32", shape: dims });
  const shape = [size.count, size.channels, size.height, size.width];
  build.input("slope", { type: "float32", shape });
  const drawing = emitter(withFacts(build.finish([]), {}), "draw/");
  const picture = drawing.op("Identity", [draw(drawing, input)]);
  const drawn = drawing.finish([picture]);
  const emit = emitter(withFacts(drawn, {}), GRADIENT);
  const [slope] = gradient(emit, { of: picture, seed: "slope", wrt: [input] }, rules);
  if (!slope) throw new ConvlensError("internal", "the picture does not depend on its parameters");
  const only = (graph: Graph, inputs: readonly string[]): Graph => ({ ...graph, inputs });
  return { forward: only(drawn, ["parameters"]), backward: only(emit.finish([slope]), ["parameters", "slope"]) };
}

const noise = (count: number, random: Random, deviation: number): Float32Array =>
  sampled(count, () => random.normal() * deviation);

/** Decorrelated axes to red, green and blue; pictures of other numbers of channels stay as they are. */
function coloured(
  emit: Emitter,
  planes: string,
  { count, channels, height, width }: CanvasSize,
  decorrelate: boolean,
): string {
  const flat = emit.reshape(planes, [count, channels, height * width]);
  const matrix = emit.constant(float32([3, 3], colourMatrix.flat()));
  const mixed = decorrelate && channels === 3 ? emit.matMul(matrix, flat) : flat;
  return emit.op("Sigmoid", [emit.reshape(mixed, [count, channels, height, width])]);
}

/** Lucid's Fourier parameterisation: real and imaginary parts from N(0, 0.01), weighted by 1/f, over 4 (its own constant). */
export function fourier(
  size: CanvasSize,
  options: { readonly decay?: number; readonly decorrelate?: boolean } = {},
): Parameters {
  const { count, channels, height, width } = size;
  const { decay = 1, decorrelate = true } = options;
  const columns = Math.floor(width / 2) + 1;
  const dims = [count, channels, 2, height, columns];
  const scale = Float32Array.from(spectrumScale(height, width, decay), (value) => value / 4);
  return {
    dims,
    start: (random) => noise(channels * 2 * height * columns, random, 0.01),
    ...graphs(dims, size, (emit, parameters) => {
      const weighted = emit.mul(parameters, emit.constant(float32([height, columns], scale)));
      const stacked = emit.reshape(weighted, [count * channels, 2 * height, columns]);
      return coloured(emit, inverseFourier(emit, stacked, height, width), size, decorrelate);
    }),
  };
}

/** Pixels behind a sigmoid, from N(0, 0.01), as Lucid's `pixel_image`. */
export function pixels(size: CanvasSize, options: { readonly decorrelate?: boolean } = {}): Parameters {
  const { count, channels, height, width } = size;
  const dims = [count, channels, height, width];
  return {
    dims,
    start: (random) => noise(channels * height * width, random, 0.01),
    ...graphs(dims, size, (emit, parameters) => coloured(emit, parameters, size, options.decorrelate ?? true)),
  };
}

/**
 * The mean spectrum of photographs in decorrelated colours, from the slopes of the one that xplique ships: 1/f^1.3 up to
 * 0.1 cycles a pixel, 1/f^2.1 to 0.3, then 1/f^6.7; all three colours alike but for 1, 1.06 and 0.9 times the size.
 */
export function photographSpectrum(height: number, width: number, channels: number): Float32Array {
  const slopes: readonly (readonly [until: number, slope: number])[] = [
    [0.1, 1.3],
    [0.3, 2.1],
    [Number.POSITIVE_INFINITY, 6.7],
  ];
  const lowest = 1 / Math.max(height, width);
  const one = frequencies(height, width).map((f) => {
    let [size, from] = [1, lowest];
    for (const [until, slope] of slopes) {
      const to = Math.max(from, Math.min(until, f));
      size *= (from / to) ** slope;
      from = to;
    }
    return size;
  });
  const sizes = channels === 3 ? [1, 1.06, 0.9] : Array.from({ length: channels }, () => 1);
  return Float32Array.from(sizes.flatMap((size) => Array.from(one, (value) => size * value)));
}

/**
 * MACO (Fel et al. 2023): the sizes of all frequencies are given, `[channels, height, width / 2 + 1]`, only the phases are
 * changed. They start from N(0, 1). Phases, and the picture before its colours, are standardised over each picture.
 */
export function phases(size: CanvasSize, spectrum: Float32Array): Parameters {
  const { count, channels, height, width } = size;
  const columns = Math.floor(width / 2) + 1;
  const dims = [count, channels, height, columns];
  return {
    dims,
    start: (random) => noise(channels * height * columns, random, 1),
    ...graphs(dims, size, (emit, parameters) => {
      const phase = standardized(emit, parameters);
      const sizes = emit.constant(float32([channels, height, columns], spectrum));
      const parts = ["Cos", "Sin"].map((part) =>
        emit.reshape(emit.mul(emit.op(part, [phase]), sizes), [count * channels, height, columns]),
      );
      const stacked = emit.op("Concat", parts, { axis: int(1) });
      const planes = inverseFourier(emit, stacked, height, width);
      return coloured(emit, standardized(emit, emit.reshape(planes, [count, channels, height, width])), size, true);
    }),
  };
}

/** (x - mean) / (std + 1e-5), over each picture. */
function standardized(emit: Emitter, value: string): string {
  const axes = [1, 2, 3];
  const off = emit.sub(value, emit.mean(value, axes));
  return emit.div(off, emit.add(emit.op("Sqrt", [emit.mean(emit.mul(off, off), axes)]), 1e-5));
}
