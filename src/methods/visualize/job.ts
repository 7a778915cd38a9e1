/** One ascent, from what was asked for: sizes, starts, parameters, penalties. */
import { ConvlensError } from "../../core/errors.ts";
import { random, sampled } from "../../core/random.ts";
import { float32, type Tensor, toFloat32 } from "../../core/tensor.ts";
import { isTensor } from "../../model/feeds.ts";
import type { Model } from "../../model/model.ts";
import type { MethodInput } from "../method.ts";
import { type AscentJob, type AscentState, seedOf } from "./ascent.ts";
import { resized } from "./dream.ts";
import type { Normalization, OptimizerName } from "./optimizers.ts";
import { type CanvasSize, fourier, type Parameters, phases, photographSpectrum, pixels } from "./parameters.ts";
import type { Preset } from "./presets.ts";
import type { Batch, SubjectOptions } from "./subject.ts";
import { readTransforms } from "./transforms.ts";
import { fromInput } from "./units.ts";

export interface VisualizeOptions extends SubjectOptions {
  readonly preset: string;
  readonly steps: number;
  readonly size: readonly number[];
  readonly rate: number;
  readonly from: string;
  readonly optimizer: string;
  readonly parameters: string;
  readonly transforms: string;
  readonly normalize: string;
  readonly l1: number;
  readonly l2: number;
  readonly tv: number;
  readonly blur: number;
  readonly boundary: number;
  readonly seed: number;
}

/** What an ascent may be given beside a network. */
export interface VisualizeInput extends MethodInput {
  /** Where it begins in place of noise: `[n, …]`, the pictures in the network's own units and source layout. Pixels are then what is changed. */
  readonly start?: Tensor;
  /** Where each batch of an earlier run with the same options stopped. */
  readonly resume?: readonly AscentState[];
}

/** The network's own height and width, those of the preprocessing where it takes any. */
export function networkSize({ input, preprocessing }: Model): { readonly height: number; readonly width: number } {
  const [heightAt, widthAt] = input.layout === "NHWC" ? [1, 2] : [2, 3];
  return {
    height: input.shape[heightAt] ?? preprocessing.size[0],
    width: input.shape[widthAt] ?? preprocessing.size[1],
  };
}

function sidesOf({ size }: VisualizeOptions): { readonly height: number; readonly width: number } | undefined {
  const [height, width = height] = size;
  if (height === undefined || width === undefined) return undefined;
  const fits = size.length <= 2 && [height, width].every((n) => Number.isInteger(n) && n >= 1 && n <= 4096);
  if (fits) return { height, width };
  throw new ConvlensError(
    "option-invalid",
    `"size" is ${size.join(" x ")}; each side must be a whole number from 1 to 4096`,
  );
}

/** The preset with what stands in its place. Throws `option-invalid` where two options contradict each other. */
export function chosenPreset(preset: Preset, options: VisualizeOptions, { start }: VisualizeInput): Preset {
  const { parameters, transforms, optimizer, normalize, from } = options;
  const wrong = (message: string): never => {
    throw new ConvlensError("option-invalid", message);
  };
  if (start && from === "photograph")
    wrong("it begins either with the numbers of a file or with the photograph: leave out one of them");
  if (parameters !== "auto") {
    if (preset.canvas === "raw")
      wrong(
        `preset "${preset.id}" changes the network's own numbers: leave out parameters, or take another preset (lucid)`,
      );
    if (start || from === "photograph" || preset.canvas === "photograph")
      wrong("what begins with given pixels changes these pixels: leave out parameters");
  }
  const canvas = parameters === "auto" ? preset.canvas : (parameters as Preset["canvas"]);
  return {
    ...preset,
    canvas,
    // A canvas larger than what the network sees is for views that roam on it.
    ...(transforms !== "auto" && { looks: readTransforms(transforms), larger: 1 }),
    normalize: normalize === "auto" ? preset.normalize : (normalize as Normalization),
    // It belongs to the preset's own optimiser and to the size of its gradients.
    epsilon: optimizer === "auto" && normalize === "auto" ? preset.epsilon : undefined,
  };
}

export function jobOf(
  model: Model,
  preset: Preset,
  { layer, items, target }: Batch,
  options: VisualizeOptions,
  input: VisualizeInput,
  first: number,
): AscentJob {
  const start =
    input.start ?? (options.from === "photograph" || preset.canvas === "photograph" ? photographOf(input) : undefined);
  const own = networkSize(model);
  // Layers of maps are computed for any size; what stands behind a dense layer sees views of the network's own.
  const free = layer?.shape.length === 4;
  const larger = { height: Math.round(own.height * preset.larger), width: Math.round(own.width * preset.larger) };
  const given = sidesOf(options) ?? (start ? startSize(model, start) : undefined);
  if (given && !free && !preset.looks.parts && (given.height < own.height || given.width < own.width))
    throw new ConvlensError(
      "option-invalid",
      `${layer ? `layer "${layer.name}"` : "a class"} needs the whole network, which takes ${own.height} x ${own.width}: pictures of ${given.height} x ${given.width} are too small for it, larger ones are possible`,
    );
  const preferred =
    preset.size === undefined || (!free && !preset.looks.parts)
      ? undefined
      : { height: preset.size, width: preset.size };
  const canvas = given ?? preferred ?? (free ? own : larger);
  const channels = model.input.shape[model.input.layout === "NHWC" ? 3 : 1] ?? model.preprocessing.mean.length;
  const size: CanvasSize = { count: items.length, channels, ...canvas };
  const raw = preset.canvas === "raw" || start !== undefined;
  const { looks } = preset;
  const framed = { height: canvas.height + looks.frame, width: canvas.width + looks.frame };
  const units = { raw, preprocessing: model.preprocessing, layout: model.input.layout };
  const parameters = raw ? undefined : parametersOf(preset, size);
  return {
    model,
    target,
    size,
    ...(parameters ? { parameters } : {}),
    start: start
      ? startRows(model, start, size, first, units)
      : joined(items.map(({ key }) => noiseOf(preset, size, parameters, seedOf(options.seed, key)))),
    units,
    looks,
    sees: free && !looks.parts ? framed : own,
    views: preset.views,
    regularizers: penalties(preset, options),
    optimizer: options.optimizer === "auto" ? preset.optimizer : (options.optimizer as OptimizerName),
    rate: (options.rate || preset.rate) * (raw && preset.canvas !== "raw" ? halfRange(model) : 1),
    epsilon: preset.epsilon,
    normalize: preset.normalize,
    redirect: preset.redirect,
    enough: preset.enough ?? Number.POSITIVE_INFINITY,
    steps: options.steps || preset.steps,
    seed: options.seed,
    keys: items.map(({ key }) => key),
  };
}

/** The photograph as a start. */
function photographOf({ feeds }: VisualizeInput): Tensor {
  if (feeds === undefined)
    throw new ConvlensError("option-invalid", "a photograph is what it starts from: give one, or --start FILE.npy");
  return isTensor(feeds) ? feeds : Object.values(feeds)[0]!;
}

/** Half of what lies between black and white in the network's numbers. */
const halfRange = ({ preprocessing: { scale, std } }: Model): number => (127.5 * scale) / (std[0] ?? 1);

function penalties({ regularizers }: Preset, options: VisualizeOptions): AscentJob["regularizers"] {
  const names = ["l1", "l2", "tv", "blur", "boundary"] as const;
  return Object.fromEntries(names.map((name) => [name, options[name] < 0 ? (regularizers[name] ?? 0) : options[name]]));
}

function parametersOf({ canvas, decay }: Preset, size: CanvasSize): Parameters {
  if (canvas === "pixels") return pixels(size);
  if (canvas === "fourier") return fourier(size, { decay });
  return phases(size, photographSpectrum(size.height, size.width, size.channels));
}

function noiseOf(preset: Preset, size: CanvasSize, parameters: Parameters | undefined, seed: number): Float32Array {
  const source = random(seed);
  if (parameters) return parameters.start(source);
  const { middle, spread } = preset.start;
  return sampled(size.channels * size.height * size.width, () => spread * source.uniform() + middle);
}

/** Height and width of pictures to begin with. */
function startSize({ input }: Model, { dims }: Tensor): { readonly height: number; readonly width: number } {
  const [heightAt, widthAt, channelsAt] = input.layout === "NHWC" ? [1, 2, 3] : [2, 3, 1];
  const channels = input.shape[channelsAt];
  const [height, width] = [dims[heightAt], dims[widthAt]];
  if (
    dims.length === 4 &&
    height &&
    width &&
    (channels === null || channels === undefined || dims[channelsAt] === channels)
  )
    return { height, width };
  const wanted =
    input.layout === "NHWC"
      ? `[n, height, width, ${channels ?? "channels"}]`
      : `[n, ${channels ?? "channels"}, height, width]`;
  throw new ConvlensError(
    "tensor-invalid",
    `the start has the shape [${dims.join(", ")}]; this network takes ${wanted}`,
  );
}

/** The rows of a start that belong to a batch; one row serves all pictures. */
function startRows(
  model: Model,
  start: Tensor,
  size: CanvasSize,
  first: number,
  { layout }: AscentJob["units"],
): Float32Array {
  const rows = start.dims[0]!;
  if (rows !== 1 && rows < first + size.count)
    throw new ConvlensError(
      "tensor-invalid",
      `the start has ${rows} pictures: give 1, or one for each picture that is made`,
    );
  const own = startSize(model, start);
  const all = toFloat32(start);
  const area = all.length / rows;
  const picked = joined(
    Array.from({ length: size.count }, (_, n) => {
      const row = rows === 1 ? 0 : first + n;
      return all.slice(row * area, (row + 1) * area);
    }),
  );
  const tensor = float32([size.count, ...start.dims.slice(1)], picked);
  const planes = fromInput(tensor, size, { raw: true, preprocessing: model.preprocessing, layout });
  return own.height === size.height && own.width === size.width ? planes : resized(planes, own, size);
}

export function joined(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
