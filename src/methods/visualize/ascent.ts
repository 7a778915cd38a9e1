/**
 * Gradient ascent on pictures: parameters make a canvas, a view of the canvas goes through the network, and the slope
 * of the objective comes back the same way.
 */
import { redirectedRelu } from "../../autodiff/overlays/redirected.ts";
import { throwIfCancelled } from "../../core/errors.ts";
import type { RunOptions } from "../../core/platform.ts";
import { type Random, random } from "../../core/random.ts";
import { float32, type Tensor, transpose } from "../../core/tensor.ts";
import type { Preprocessing } from "../../model/card.ts";
import type { Model, Target } from "../../model/model.ts";
import { type Normalization, normalized, type OptimizerName, optimizers } from "./optimizers.ts";
import type { CanvasSize, Parameters } from "./parameters.ts";
import { type Affine, type Border, compose, type Transform, unchanged, view } from "./views.ts";

/** How a canvas of 0 to 1 in red, green, blue becomes what the network takes; `raw`: the canvas is that already. */
export interface Units {
  readonly raw: boolean;
  readonly preprocessing: Preprocessing;
  readonly layout: "NCHW" | "NHWC";
}

export interface AscentJob {
  readonly model: Model;
  readonly target: Target;
  readonly size: CanvasSize;
  /** What is changed; absent: the canvas' own numbers, in the network's units. */
  readonly parameters?: Parameters;
  /** Where it begins, in place of noise: values of the parameters. */
  readonly start: Float32Array;
  readonly units: Units;
  readonly transforms: readonly Transform[];
  readonly border: Border;
  /** Side lengths of what the network sees. */
  readonly sees: { readonly height: number; readonly width: number };
  /** Standard deviation of the noise that is added to each view, in parts of the range 0 to 1. */
  readonly noise: number;
  /** Adds to the slope of the canvas (0 to 1, `[count, channels, height, width]`): regularisers. */
  readonly regularize?: (canvas: Float32Array, slope: Float32Array) => void;
  readonly optimizer: OptimizerName;
  readonly rate: number;
  readonly normalize: Normalization;
  readonly steps: number;
  readonly seed: number;
  /** A number for each picture that its own noise depends on, so that a picture of a batch equals the one made alone. */
  readonly keys: readonly number[];
  /** After each step: its number from 1, the objective of each picture before it, and the parameters. */
  readonly onStep?: (step: number, scores: Float32Array, parameters: Float32Array) => void;
}

export interface Ascended {
  readonly parameters: Float32Array;
  /** `[count, channels, height, width]`, as the units say. */
  readonly canvas: Float32Array;
  /** The mean objective over the pictures, at each step. */
  readonly losses: readonly number[];
  readonly notes: readonly string[];
}

/** Throws `cancelled`, what `model.gradient` throws, and `option-invalid` when not one picture can be moved. */
export async function ascend(job: AscentJob, options: RunOptions = {}): Promise<Ascended> {
  const { model, target, size, parameters: way, units, steps, seed } = job;
  const anySize = "layer" in target || "reads" in target;
  const source = random(seed);
  const own = job.keys.map((key) => random(seedOf(seed, key)));
  const values = Float32Array.from(job.start);
  const optimizer = optimizers[job.optimizer](job.rate);
  const losses: number[] = [];
  let best = Float32Array.from(values);
  /** Whether some picture's start gets no slope at all: its units are off. */
  let dead = false;
  const slopes = async (input: Tensor<"float32">, redirect: boolean) => {
    const overlay = redirect ? { overlay: redirectedRelu } : {};
    const { targets } = await model.gradient(input, { targets: [target], anySize, ...overlay, ...pass(options) });
    return { scores: targets[0]!.scores, slope: Object.values(targets[0]!.gradients)[0]! };
  };
  for (let step = 0; step < steps; step++) {
    throwIfCancelled(options.signal);
    const canvas = way ? await run(model, way, "forward", { parameters: float32(way.dims, values) }) : values;
    const look = view(place(job.transforms, source), size, job.sees, job.border);
    const seen = withNoise(filled(look.apply(canvas), look.cover, size, job), job, own);
    const input = toInput(seen, size, job.sees, units);
    const redirect = dead && step < REDIRECTED_STEPS;
    const found = await slopes(input, redirect);
    dead ||= step === 0 && isDead(found.slope, size.count);
    const { scores, slope: fromNetwork } = dead && step === 0 ? await slopes(input, true) : found;
    const loss = scores.reduce((sum, score) => sum + score, 0) / scores.length;
    if (!Number.isFinite(loss)) return { ...(await finish(best)), losses, notes: [exploded(step)] };
    losses.push(loss);
    const slope = look.adjoint(fromInput(fromNetwork, size, units));
    job.regularize?.(canvas, slope);
    const back = way
      ? await run(model, way, "backward", {
          parameters: float32(way.dims, values),
          slope: float32([size.count, size.channels, size.height, size.width], slope),
        })
      : slope;
    best = Float32Array.from(values);
    optimizer.step(values, normalized(back, size.count, job.normalize));
    job.onStep?.(step + 1, scores, values);
    options.onProgress?.(step + 1, steps, `objective ${loss.toPrecision(4)}`);
  }
  return { ...(await finish(values)), losses, notes: [] };

  async function finish(parameters: Float32Array): Promise<Pick<Ascended, "parameters" | "canvas">> {
    const canvas = way
      ? await run(model, way, "forward", { parameters: float32(way.dims, parameters) })
      : Float32Array.from(parameters);
    return { parameters, canvas };
  }
}

/** As Lucid: rectifiers are redirected in the first 16 steps at most. */
const REDIRECTED_STEPS = 16;

/** Whether the slope of one of the pictures is 0 everywhere. */
function isDead({ data }: Tensor<"float32">, count: number): boolean {
  const size = data.length / count;
  for (let picture = 0; picture < count; picture++)
    if (data.subarray(picture * size, (picture + 1) * size).every((value) => value === 0)) return true;
  return false;
}

const exploded = (step: number): string =>
  `the values grew beyond all bounds at step ${step + 1}: the picture is the one before it; a smaller --rate may help`;

const pass = ({ signal }: RunOptions): RunOptions => (signal ? { signal } : {});

async function run(
  model: Model,
  way: Parameters,
  which: "forward" | "backward",
  feeds: Readonly<Record<string, Tensor>>,
): Promise<Float32Array> {
  const graph = way[which];
  return (await model.compute(graph, feeds))[graph.outputs[0]!]!.data as Float32Array;
}

const place = (transforms: readonly Transform[], source: Random): Affine =>
  transforms.map((transform) => transform(source)).reduce((outer, inner) => compose(outer, inner), unchanged);

/** What lies beside the canvas is middle grey. */
function filled(
  seen: Float32Array,
  cover: Float32Array,
  { count, channels }: CanvasSize,
  { border, units }: AscentJob,
): Float32Array {
  if (border !== "empty") return seen;
  const grey = units.raw ? 0 : 0.5;
  for (let plane = 0; plane < count * channels; plane++)
    for (let i = 0; i < cover.length; i++) seen[plane * cover.length + i]! += grey * (1 - cover[i]!);
  return seen;
}

function withNoise(seen: Float32Array, { noise, units }: AscentJob, own: readonly Random[]): Float32Array {
  if (noise === 0) return seen;
  const [range, size] = [units.raw ? 255 : 1, seen.length / own.length];
  for (const [n, source] of own.entries())
    for (let i = n * size; i < (n + 1) * size; i++) seen[i]! += source.normal() * noise * range;
  return seen;
}

/** The seed of one picture's own noise. */
export const seedOf = (seed: number, key: number): number => (Math.imul(seed, 1_000_003) + key + 1) | 0;

/** Position in the network's channels of each of red, green, blue. */
const order = ({ channels }: Preprocessing, count: number): readonly number[] =>
  channels === "BGR" && count === 3 ? [2, 1, 0] : Array.from({ length: count }, (_, c) => c);

/** Planes of a canvas as the network's tensor. */
export function toInput(
  planes: Float32Array,
  { count, channels }: CanvasSize,
  { height, width }: { height: number; width: number },
  { raw, preprocessing, layout }: Units,
): Tensor<"float32"> {
  const area = height * width;
  const out = new Float32Array(planes.length);
  for (let n = 0; n < count; n++)
    order(preprocessing, channels).forEach((from, c) => {
      const [gain, shift] = unitsOf(preprocessing, raw, c);
      const [source, to] = [(n * channels + (raw ? c : from)) * area, (n * channels + c) * area];
      for (let i = 0; i < area; i++) out[to + i] = planes[source + i]! * gain + shift;
    });
  const tensor = float32([count, channels, height, width], out);
  return layout === "NHWC" ? transpose(tensor, [0, 2, 3, 1]) : tensor;
}

/** The adjoint of `toInput`. */
export function fromInput(
  slope: Tensor<"float32">,
  { count, channels }: CanvasSize,
  { raw, preprocessing, layout }: Units,
): Float32Array {
  const { data } = layout === "NHWC" ? transpose(slope, [0, 3, 1, 2]) : slope;
  const area = data.length / (count * channels);
  const out = new Float32Array(data.length);
  for (let n = 0; n < count; n++)
    order(preprocessing, channels).forEach((from, c) => {
      const [gain] = unitsOf(preprocessing, raw, c);
      const [source, to] = [(n * channels + c) * area, (n * channels + (raw ? c : from)) * area];
      for (let i = 0; i < area; i++) out[to + i] = data[source + i]! * gain;
    });
  return out;
}

/** x = (255 p scale - mean) / std as gain and shift of p. */
function unitsOf({ scale, mean, std }: Preprocessing, raw: boolean, channel: number): readonly [number, number] {
  if (raw) return [1, 0];
  const [m, s] = [mean[channel] ?? mean[0] ?? 0, std[channel] ?? std[0] ?? 1];
  return [(255 * scale) / s, -m / s];
}
