/** What filters look for, and what a class looks like: pictures made by gradient ascent. */
import { ConvlensError } from "../../core/errors.ts";
import type { Layer } from "../../core/layers.ts";
import type { Picture } from "../../core/picture.ts";
import type { RunOptions } from "../../core/platform.ts";
import { random } from "../../core/random.ts";
import type { Images, MadeImage } from "../../core/result.ts";
import { float32, type Tensor } from "../../core/tensor.ts";
import type { Model, Target } from "../../model/model.ts";
import { mapLayers } from "../explain/layer-choice.ts";
import { type Method, type MethodInput, mustApply, originOf, resolveOptions } from "../method.ts";
import { type AscentJob, ascend, seedOf, toInput } from "./ascent.ts";
import { channelCount, channelObjective } from "./objectives.ts";
import { type CanvasSize, fourier, type Parameters, pixels } from "./parameters.ts";
import { type Preset, presets } from "./presets.ts";

export interface VisualizeOptions {
  readonly preset: string;
  /** Whose channels; empty: the last convolutional stage. */
  readonly layer: string;
  readonly channels: readonly number[];
  /** A class by index or name, in place of channels; empty: none. */
  readonly target: string | number;
  readonly steps: number;
  readonly size: number;
  readonly rate: number;
  readonly batch: number;
  readonly seed: number;
}

const ids = presets.map(({ id }) => id);

export const visualize: Method<VisualizeOptions, Images> = {
  id: "visualize",
  title: "What filters look for",
  summary:
    "Pictures made by gradient ascent: the pattern that excites a channel most, or the image that maximises a class.",
  paper: "Erhan et al. 2009; Olah et al. 2017, distill.pub/2017/feature-visualization",
  follows: "tensorflow/lucid; Deep Learning with Python 5.4.2",
  kind: "images",
  needs: ["graph", "gradient"],
  options: {
    preset: {
      type: "choice",
      default: "auto",
      choices: ["auto", ...ids, "lecture"],
      help: "lucid for channels, class for classes, chollet (lecture is the same) as the Keras book; auto: lucid or class",
    },
    layer: {
      type: "string",
      default: "",
      help: "the layer whose channels are drawn; default: the last convolutional stage",
    },
    channels: { type: "list", default: [], help: "channels by index; default: the first 16" },
    target: { type: "target", default: "", help: "a class in place of channels: its index or name, or top" },
    steps: {
      type: "integer",
      default: 0,
      min: 0,
      max: 100_000,
      help: "steps of the ascent; 0: as many as the preset has",
    },
    size: { type: "integer", default: 0, min: 0, max: 4096, help: "side of the picture in pixels; 0: the preset's" },
    rate: { type: "number", default: 0, min: 0, max: 1000, help: "length of a step; 0: the preset's" },
    batch: { type: "integer", default: 8, min: 1, max: 256, help: "pictures made at once; memory grows with it" },
    seed: { type: "integer", default: 0, min: 0, max: 2 ** 31 - 1, help: "seed of the start and the views" },
  },
  applies: (model) => model.opaque ?? (model.input.shape.length === 4 ? undefined : "its input is no picture"),
  async run(model, input, given = {}) {
    mustApply(visualize, model);
    const options = resolveOptions<VisualizeOptions>(visualize.options, given);
    const ofClass = options.target !== "";
    const wanted = options.preset === "auto" ? (ofClass ? "class" : "lucid") : options.preset;
    const preset = presets.find(({ id }) => id === (wanted === "lecture" ? "chollet" : wanted))!;
    const subject = ofClass ? await classSubject(model, options) : await channelSubject(model, options);
    const images: MadeImage[] = [];
    const notes = new Set<string>([...model.notes, ...subject.notes]);
    const groups = grouped(subject.keys, options.batch);
    for (const [g, keys] of groups.entries()) {
      const { onProgress, signal } = given as RunOptions;
      const made = await make(model, preset, subject, keys, options, {
        ...(signal ? { signal } : {}),
        onProgress: (done, total, what) => onProgress?.(g * total + done, groups.length * total, what),
      });
      images.push(...(await finished(model, input, subject, keys, made)));
      for (const note of made.notes) notes.add(note);
    }
    const across = Math.ceil(Math.sqrt(images.length));
    return {
      kind: "images",
      title: ofClass ? `The image that maximises ${subject.labels[0]}` : `What channels of ${subject.name} look for`,
      of: subject.name,
      images,
      grid: { across, order: preset.order },
      origin: await originOf(model, "visualize", { ...options, preset: preset.id }, input),
      notes: [...notes],
    };
  },
};

/** What is drawn: one picture for each key. */
interface Subject {
  readonly name: string;
  readonly keys: readonly number[];
  readonly labels: readonly string[];
  readonly notes: readonly string[];
  readonly layer: Layer | undefined;
  target(keys: readonly number[]): Target;
}

async function channelSubject(model: Model, { layer: name, channels }: VisualizeOptions): Promise<Subject> {
  const { layers, notes } =
    name === "" ? await mapLayers(model, []) : { layers: await model.findLayers(name), notes: [] };
  if (layers.length > 1) throw new ConvlensError("option-invalid", `"${name}" means ${layers.length} layers: name one`);
  const layer = layers[0]!;
  const count = channelCount(layer, model.sourceLayout);
  const keys = channels.length > 0 ? channels : Array.from({ length: Math.min(16, count) }, (_, i) => i);
  channelObjective(layer, keys, count);
  return {
    name: layer.name,
    keys,
    labels: keys.map((channel) => `channel ${channel}`),
    notes,
    layer,
    target: (some) => channelObjective(layer, some, count),
  };
}

async function classSubject(model: Model, { target: what, layer, channels }: VisualizeOptions): Promise<Subject> {
  if (layer !== "" || channels.length > 0)
    throw new ConvlensError(
      "option-invalid",
      "a class and channels of a layer are two different pictures: leave out one of them",
    );
  if (what === "top")
    throw new ConvlensError("option-invalid", "name a class: there is no photograph whose top class it could be");
  const target = await model.findTarget(what);
  const index = "class" in target ? Number(target.class) : 0;
  const label = model.labels?.[index]?.name ?? `class ${index}`;
  return { name: "classes", keys: [index], labels: [label], notes: [], layer: undefined, target: () => target };
}

const grouped = (keys: readonly number[], size: number): readonly (readonly number[])[] =>
  Array.from({ length: Math.ceil(keys.length / size) }, (_, i) => keys.slice(i * size, (i + 1) * size));

interface Made {
  readonly canvas: Float32Array;
  readonly size: CanvasSize;
  readonly job: AscentJob;
  readonly contrast: number;
  readonly notes: readonly string[];
}

/** The network's own height and width, those of the preprocessing where it takes any. */
function networkSize({ input, preprocessing }: Model): { height: number; width: number } {
  const [heightAt, widthAt] = input.layout === "NHWC" ? [1, 2] : [2, 3];
  return {
    height: input.shape[heightAt] ?? preprocessing.size[0],
    width: input.shape[widthAt] ?? preprocessing.size[1],
  };
}

async function make(
  model: Model,
  preset: Preset,
  subject: Subject,
  keys: readonly number[],
  options: VisualizeOptions,
  run: RunOptions,
): Promise<Made> {
  const own = networkSize(model);
  const side = options.size || preset.size;
  // Views of a class picture cut the network's size out of a larger canvas.
  const larger = preset.transforms.length > 0 ? 8 / 7 : 1;
  const canvas =
    side !== undefined && (subject.layer !== undefined || options.size > 0)
      ? { height: side, width: side }
      : { height: Math.round(own.height * larger), width: Math.round(own.width * larger) };
  const channels = model.input.shape[model.input.layout === "NHWC" ? 3 : 1] ?? model.preprocessing.mean.length;
  const size: CanvasSize = { count: keys.length, channels, ...canvas };
  const raw = preset.canvas === "raw";
  const parameters: Parameters | undefined = raw
    ? undefined
    : preset.canvas === "pixels"
      ? pixels(size)
      : fourier(size);
  const job: AscentJob = {
    model,
    target: subject.target(keys),
    size,
    ...(parameters ? { parameters } : {}),
    start: joined(keys.map((key) => startOf(preset, size, parameters, seedOf(options.seed, key)))),
    units: { raw, preprocessing: model.preprocessing, layout: model.input.layout },
    transforms: preset.transforms,
    border: preset.border,
    sees: subject.layer === undefined ? own : canvas,
    noise: preset.noise,
    optimizer: preset.optimizer,
    rate: options.rate || preset.rate,
    normalize: preset.normalize,
    steps: options.steps || preset.steps,
    seed: options.seed,
    keys,
  };
  const { canvas: drawn, notes } = await ascend(job, run);
  return { canvas: drawn, size, job, contrast: preset.contrast, notes };
}

function startOf(preset: Preset, size: CanvasSize, parameters: Parameters | undefined, seed: number): Float32Array {
  const source = random(seed);
  if (parameters) return parameters.start(source);
  const { middle, spread } = preset.start;
  return Float32Array.from(
    { length: size.channels * size.height * size.width },
    () => spread * source.uniform() + middle,
  );
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** The pictures, and what each objective reached in the end, on the picture itself. */
async function finished(
  model: Model,
  input: MethodInput,
  subject: Subject,
  keys: readonly number[],
  { canvas, size, job, contrast }: Made,
): Promise<readonly MadeImage[]> {
  const plane = size.height * size.width;
  const area = size.channels * plane;
  const inUnits = toInput(canvas, size, size, job.units);
  const references = await photographReferences(model, input, subject, keys);
  const reached = subject.layer
    ? (await model.gradient(inUnits, { targets: [job.target], anySize: true })).targets[0]!.scores
    : undefined;
  const images: MadeImage[] = [];
  for (const [n, key] of keys.entries()) {
    const one = canvas.subarray(n * area, (n + 1) * area);
    const picture = toPicture(one, size, job.units.raw ? contrast : undefined);
    const score = reached ? reached[n]! : await classProbability(model, picture, key);
    images.push({
      label: subject.labels[subject.keys.indexOf(key)]!,
      picture,
      values: rowOf(inUnits, n),
      reached: score,
      reference: references?.[n] ?? null,
      dead: reached && score === 0 ? "nothing that was tried switches it on" : null,
    });
  }
  return images;
}

/** The class's probability for the 8-bit picture, after the network's own preprocessing. */
async function classProbability(model: Model, picture: Picture, index: number): Promise<number> {
  const [{ predictions } = { predictions: [] }] = await model.predict(model.prepare(picture).tensor, { top: 100_000 });
  const found = predictions.find((entry) => entry.index === index);
  return found?.probability ?? found?.score ?? Number.NaN;
}

/** What a real photograph gives: the mean of each channel over its map. */
async function photographReferences(
  model: Model,
  { feeds }: MethodInput,
  { layer }: Subject,
  keys: readonly number[],
): Promise<readonly number[] | undefined> {
  if (!feeds || !layer) return undefined;
  const tensor = (await model.run(feeds, { outputs: [layer.name] }))[layer.name]!;
  const axis = tensor.dims.length === 4 && model.sourceLayout === "NCHW" ? 1 : tensor.dims.length - 1;
  const inner = tensor.dims.slice(axis + 1).reduce((a, b) => a * b, 1);
  const count = tensor.dims[axis]!;
  return keys.map((key) => {
    const own = tensor.data.filter((_, i) => Math.floor(i / inner) % count === key);
    return own.reduce((sum, value) => sum + value, 0) / own.length;
  });
}

const rowOf = ({ dims, data }: Tensor<"float32">, row: number): Tensor<"float32"> => {
  const size = data.length / dims[0]!;
  return float32(dims.slice(1), data.slice(row * size, (row + 1) * size));
};

/**
 * 8-bit colours: of 0 to 1 by rounding; of raw numbers by the Keras book's rule, (x - mean) / (std + 1e-5) * contrast +
 * 0.5, clipped, times 255, cut off.
 */
export function toPicture(
  planes: Float32Array,
  { channels, height, width }: Omit<CanvasSize, "count">,
  contrast: number | undefined,
): Picture {
  const area = height * width;
  const data = new Uint8ClampedArray(area * 4).fill(255);
  const mean = planes.reduce((sum, x) => sum + x, 0) / planes.length;
  const deviation = Math.sqrt(planes.reduce((sum, x) => sum + (x - mean) ** 2, 0) / planes.length);
  const level = (x: number): number => {
    if (contrast === undefined) return Math.round(255 * Math.min(1, Math.max(0, x)));
    return Math.floor(255 * Math.min(1, Math.max(0, ((x - mean) / (deviation + 1e-5)) * contrast + 0.5)));
  };
  for (let c = 0; c < 3; c++) {
    const from = Math.min(c, channels - 1) * area;
    for (let i = 0; i < area; i++) data[4 * i + c] = level(planes[from + i]!);
  }
  return { width, height, data };
}
