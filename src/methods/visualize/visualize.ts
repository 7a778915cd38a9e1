/** What filters look for, and what a class looks like: pictures made by gradient ascent. */
import { ConvlensError } from "../../core/errors.ts";
import type { Picture } from "../../core/picture.ts";
import type { RunOptions } from "../../core/platform.ts";
import type { Images, MadeImage } from "../../core/result.ts";
import { float32, type Tensor, toFloat32 } from "../../core/tensor.ts";
import { isTensor } from "../../model/feeds.ts";
import type { Model } from "../../model/model.ts";
import { type Method, type MethodInput, mustApply, originOf, resolveOptions } from "../method.ts";
import { inWorkers } from "../workers.ts";
import { type Ascended, type AscentJob, type AscentState, ascend } from "./ascent.ts";
import { deadReason, whatFellOff, whatIsDead } from "./dead.ts";
import { dream, resized } from "./dream.ts";
import { chosenPreset, jobOf, joined, networkSize, type VisualizeInput, type VisualizeOptions } from "./job.ts";
import { optimizers } from "./optimizers.ts";
import { cropped, plainPicture, rowOf, rulePicture, undonePicture } from "./pictures.ts";
import { type Preset, presets } from "./presets.ts";
import { type Batch, subjectOf } from "./subject.ts";
import { transformForms } from "./transforms.ts";
import { toInput } from "./units.ts";

/** What one step of one batch looked like; batches take turns. */
export interface AscentStep {
  readonly batch: number;
  readonly step: number;
  readonly steps: number;
  /** The objective so far, averaged over the batch. */
  readonly losses: readonly number[];
  /** The pictures of the batch as they are; drawn when asked for. */
  pictures(): readonly Picture[];
}

export interface VisualizeRun extends RunOptions {
  readonly onStep?: (step: AscentStep) => void;
  /** Called at the end with where each batch stopped. */
  readonly onState?: (states: readonly AscentState[]) => void;
}

const ids = presets.map(({ id }) => id);
const penalty = (what: string) =>
  ({ type: "number", default: -1, min: -1, max: 1e9, help: `weight of ${what}; -1: the preset's` }) as const;

interface Visualize extends Method<VisualizeOptions, Images> {
  /** An aborted signal keeps what is there: the pictures of the batches that were begun, with a note. */
  run(model: Model, input: VisualizeInput, options?: Partial<VisualizeOptions> & VisualizeRun): Promise<Images>;
}

export const visualize: Visualize = {
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
      help: "how they are made; auto: lucid for channels, class for classes; lecture is chollet",
    },
    layer: {
      type: "string",
      default: "",
      help: "whose channels are drawn: a name, a pattern (conv*) or all convolutions; default: the last convolutional stage",
    },
    objective: {
      type: "choice",
      default: "channel",
      choices: ["channel", "neuron", "layer", "direction"],
      help: "what of a layer is raised: a channel's mean, its value at one place, the square of all, a direction in channels",
    },
    channels: { type: "list", default: [], help: "channels by index; default: the first 16" },
    targets: { type: "list", default: [], help: "classes in place of channels: index or name of each" },
    weights: { type: "list", default: [], help: "one picture of all channels or classes, added up with these weights" },
    between: { type: "integer", default: 0, min: 0, max: 256, help: "that many pictures from one channel to another" },
    position: { type: "list", default: [], help: "row and column in the layer; default: the middle, for a neuron" },
    direction: { type: "list", default: [], help: "a number for each channel of the layer" },
    power: { type: "integer", default: 1, min: 0, max: 16, help: "power of the cosine, for a direction" },
    copies: { type: "integer", default: 1, min: 1, max: 256, help: "pictures of each, from different noise" },
    diversity: { type: "number", default: 0, min: 0, max: 1e9, help: "weight of the difference between copies" },
    steps: {
      type: "integer",
      default: 0,
      min: 0,
      max: 100_000,
      help: "steps of the ascent; 0: as many as the preset has",
    },
    size: {
      type: "list",
      default: [],
      help: "side of the picture in pixels, or height and width; default: the preset's",
    },
    rate: { type: "number", default: 0, min: 0, max: 1e6, help: "length of a step; 0: the preset's" },
    from: {
      type: "choice",
      default: "noise",
      choices: ["noise", "photograph"],
      help: "where it begins; from the photograph, its pixels are what is changed",
    },
    optimizer: {
      type: "choice",
      default: "auto",
      choices: ["auto", ...Object.keys(optimizers)],
      help: "how a step follows from the gradient; auto: the preset's",
    },
    parameters: {
      type: "choice",
      default: "auto",
      choices: ["auto", "pixels", "fourier", "phases"],
      help: "what is changed: pixels, frequencies, or phases alone (MACO); auto: the preset's",
    },
    transforms: {
      type: "string",
      default: "auto",
      help: `how each step sees the picture, for example pad:12,jitter:8,scale:0.9:1.1,rotate:10: ${transformForms.join(", ")}; auto: the preset's`,
    },
    normalize: {
      type: "choice",
      default: "auto",
      choices: ["auto", "none", "rms", "l2", "pixel", "mean"],
      help: "what the gradient is divided by: its root mean square, length, length at each pixel, mean size; auto: the preset's",
    },
    l1: penalty("the distance from grey"),
    l2: penalty("the square of the distance from grey"),
    tv: penalty("the steps from pixel to pixel"),
    blur: penalty("what a blur takes away"),
    boundary: penalty("what lies in the frame"),
    batch: {
      type: "integer",
      default: 4,
      min: 1,
      max: 256,
      help: "pictures of one pass; up to two such batches for each thread are under way at once, and memory grows with them",
    },
    seed: { type: "integer", default: 0, min: 0, max: 2 ** 31 - 1, help: "seed of the start and the views" },
  },
  applies: (model) => model.opaque ?? (model.input.shape.length === 4 ? undefined : "its input is no picture"),
  async run(model, input, given = {}) {
    mustApply(visualize, model);
    const options = resolveOptions<VisualizeOptions>(visualize.options, given);
    const preset = chosenPreset(presetOf(options), options, input);
    if (preset.octaves && input.resume)
      throw new ConvlensError("option-invalid", "a dream is short and starts anew: it cannot be gone on with");
    const subject = await subjectOf(model, preset, options);
    const { onProgress, signal, onStep, onState } = given;
    const { batches } = subject;
    const notes = new Set<string>([...model.notes, ...subject.notes]);
    const steps = options.steps || preset.steps;
    const firsts = batches.map((_, b) => batches.slice(0, b).reduce((sum, { items }) => sum + items.length, 0));
    const progress = batches.map(() => ({ done: 0, what: "" }));
    const draw = async (b: number, worker: Model, stop: AbortSignal): Promise<Drawn> => {
      const batch = batches[b]!;
      const job = jobOf(worker, preset, batch, options, input, firsts[b]!);
      const resume = input.resume?.[b];
      if (resume) mustFit(resume, job);
      const made = await ascended(
        {
          ...job,
          ...(resume && { resume }),
          ...(onStep && {
            onStep: (step, all, canvas) =>
              onStep({ batch: b, step, steps, losses: all, pictures: () => drawn(canvas, job, preset) }),
          }),
        },
        batch,
        preset,
        {
          signal: stop,
          onProgress: (done, total, what) => {
            progress[b] = { done, what };
            const first = progress.find((one) => one.done < total) ?? progress[b]!;
            const all = progress.reduce((sum, one) => sum + one.done, 0);
            onProgress?.(all, batches.length * total, first.what);
          },
        },
      );
      return { batch, made, images: await finished(worker, input, batch, made, job, preset) };
    };
    const all = await inWorkers(model, batches.length, signal, draw);
    const images = all.flatMap((one) => one.images);
    const left = batches.slice(all.length).reduce((sum, { items }) => sum + items.length, 0);
    if (left > 0) notes.add(`stopped: ${left} of ${left + images.length} pictures were not begun`);
    const endedAt = (how: Ascended["ended"]): readonly number[] =>
      all.flatMap(({ made }) => (made.ended === how ? [made.state.step] : []));
    const stopped = endedAt("stopped");
    if (stopped.length > 0)
      notes.add(`stopped at step ${rangeOf(stopped)} of ${steps}: the pictures are as they were then`);
    for (const step of endedAt("exploded"))
      notes.add(
        `the values grew beyond all bounds at step ${step + 1}: the picture is the last good one; a smaller rate may help`,
      );
    const fellOff = all.flatMap(({ batch, images: own }) =>
      own.filter((one, n) => one.reached === 0 && one.dead === null && !batch.items[n]!.avoids),
    );
    for (const note of whatIsDead(images, subject.name)) notes.add(note);
    for (const note of whatFellOff(fellOff, subject.name)) notes.add(note);
    if (preset.canvas === "raw" && !input.start) for (const note of outside(model, preset)) notes.add(note);
    if (!preset.octaves) onState?.(all.map(({ made }) => made.state));
    const across = subject.across ?? Math.ceil(Math.sqrt(images.length));
    return {
      kind: "images",
      title: subject.title,
      of: subject.name,
      images,
      grid: { across, ...preset.grid },
      losses: meanOf(all.map(({ made }) => made.losses)),
      origin: await originOf(
        model,
        "visualize",
        { ...options, preset: preset.id, steps, rate: options.rate || preset.rate },
        input,
      ),
      notes: [...notes],
    };
  },
};

const rangeOf = (numbers: readonly number[]): string =>
  [...new Set([Math.min(...numbers), Math.max(...numbers)])].join(" to ");

/** A batch that was begun. */
interface Drawn {
  readonly batch: Batch;
  readonly made: Ascended;
  readonly images: readonly MadeImage[];
}

function presetOf({ preset, targets }: VisualizeOptions): Preset {
  const wanted = preset === "auto" ? (targets.length > 0 ? "class" : "lucid") : preset;
  return presets.find(({ id }) => id === (wanted === "lecture" ? "chollet" : wanted))!;
}

/** Throws `option-invalid` for a state of other pictures. */
function mustFit({ parameters }: AscentState, { start }: AscentJob): void {
  if (parameters.length === start.length) return;
  throw new ConvlensError(
    "option-invalid",
    `the state to go on from has ${parameters.length} numbers, but these pictures have ${start.length}: it is of other options, or damaged`,
  );
}

/** The ascent; what a layer refuses is told with the size of the pictures. */
async function ascended(job: AscentJob, { layer }: Batch, { octaves }: Preset, run: RunOptions): Promise<Ascended> {
  try {
    return await (octaves ? dream(job, octaves, run) : ascend(job, run));
  } catch (error) {
    if (
      !(error instanceof ConvlensError) ||
      !["engine-failed", "model-unsupported", "model-invalid"].includes(error.code) ||
      !layer
    )
      throw error;
    const { height, width } = job.sees;
    const own = networkSize(job.model);
    if (height === own.height && width === own.width) throw error;
    throw new ConvlensError(
      "option-invalid",
      `layer "${layer.name}" cannot be computed for pictures of ${height} x ${width}: they may be too small for it, or a dense layer before it fixes the size; the network's own is ${own.height} x ${own.width} (${error.message})`,
      { cause: error },
    );
  }
}

/** The pictures of a canvas. */
function drawn(canvas: Float32Array, { model, size, units }: AscentJob, preset: Preset): readonly Picture[] {
  const area = canvas.length / size.count;
  return Array.from({ length: size.count }, (_, n) => {
    const one = canvas.subarray(n * area, (n + 1) * area);
    if (preset.canvas === "raw") return cropped(rulePicture(one, size, preset.rule), preset.crop);
    const shown = units.raw ? undonePicture(one, size, model.preprocessing) : plainPicture(one, size);
    return cropped(shown, preset.crop);
  });
}

/** The pictures, and what each objective reached in the end, on the picture itself. */
async function finished(
  model: Model,
  input: MethodInput,
  { layer, items, plain, target }: Batch,
  { canvas, state }: Ascended,
  job: AscentJob,
  preset: Preset,
): Promise<readonly MadeImage[]> {
  const pictures = drawn(canvas, job, preset);
  const inUnits = toInput(canvas, job.size, job.size, job.units);
  const ofLayer = "reads" in plain;
  // The ascent's own session serves where it fits: a pass back costs less than one more session.
  const scoresOf = async (feeds: Tensor, isSeen: boolean): Promise<Float32Array> => {
    const forwardOnly = isSeen && target === plain ? {} : { wrt: [] };
    return (await model.gradient(feeds, { targets: [plain], ...forwardOnly, anySize: ofLayer })).targets[0]!.scores;
  };
  // A file of 8 bits holds grey or three colours; other inputs are scored as they are.
  const isColour = [1, 3].includes(job.size.channels);
  const photo = input.feeds && (isTensor(input.feeds) ? input.feeds : Object.values(input.feeds)[0]);
  // A layer of numbers stands behind a dense layer, which takes the network's own size alone.
  const own = networkSize(model);
  const asSeen = (): Tensor => toInput(resized(canvas, job.size, own), job.size, own, job.units);
  const reached = ofLayer ? await scoresOf(layer?.shape.length === 4 ? inUnits : asSeen(), true) : undefined;
  const references = photo && ofLayer ? await scoresOf(repeated(photo, items.length), false) : undefined;
  return Promise.all(
    items.map(async (item, n) => {
      const feeds = (): Tensor => (isColour ? model.prepare(pictures[n]!).tensor : oneOf(asSeen(), n));
      const shown = item.class === null ? undefined : await classScore(model, feeds(), item.class);
      const score = reached?.[n] ?? shown?.score ?? Number.NaN;
      const dead = score === 0 && state.most[n]! <= 0 && !item.avoids;
      const tried = { steps: state.step, redirected: job.redirect, reference: references?.[n] };
      return {
        label: item.label,
        picture: dead ? flat(pictures[n]!) : pictures[n]!,
        values: rowOf(inUnits, n),
        // -0 of what is avoided is 0.
        reached: score + 0,
        probability: shown?.probability ?? null,
        reference: references?.[n] ?? null,
        dead: dead ? await deadReason(model, layer, item.channel, tried) : null,
      };
    }),
  );
}

/** One picture of a tensor, with its batch axis. */
function oneOf(tensor: Tensor, row: number): Tensor<"float32"> {
  const { dims, data } = rowOf(float32(tensor.dims, toFloat32(tensor)), row);
  return float32([1, ...dims], data);
}

/** The first picture of a tensor, so many times. */
function repeated(tensor: Tensor, count: number): Tensor<"float32"> {
  const one = rowOf(float32(tensor.dims, toFloat32(tensor)), 0);
  return float32([count, ...one.dims], joined(Array.from({ length: count }, () => one.data)));
}

const flat = ({ width, height }: Picture): Picture => ({
  width,
  height,
  data: new Uint8ClampedArray(width * height * 4).map((_, i) => (i % 4 === 3 ? 255 : 128)),
});

/** What the network says of a class for one input. */
async function classScore(
  model: Model,
  feeds: Tensor,
  index: number,
): Promise<{ readonly score: number; readonly probability: number | null } | undefined> {
  const [answer] = await model.predict(feeds, { top: 1_000_000 });
  return answer?.predictions.find((entry) => entry.index === index);
}

/** Whether the book's raw numbers lie outside what the network is used to. */
function outside({ preprocessing: { scale, mean, std } }: Model, { start, id }: Preset): readonly string[] {
  const at = (level: number): number => (level * scale - (mean[0] ?? 0)) / (std[0] ?? 1);
  const [low, high] = [at(0), at(255)];
  const most = start.middle + start.spread;
  if (most <= high + (high - low) && start.middle >= low) return [];
  const short = (x: number): string => String(Math.round(x * 100) / 100);
  return [
    `preset ${id} starts at raw numbers from ${start.middle} to ${most}, as the book does; this network's photographs lie between ${short(low)} and ${short(high)}`,
  ];
}

/** Mean by step over batches of perhaps different lengths. */
const meanOf = (losses: readonly (readonly number[])[]): readonly number[] =>
  Array.from({ length: Math.max(0, ...losses.map(({ length }) => length)) }, (_, step) => {
    const there = losses.filter(({ length }) => length > step);
    return there.reduce((sum, all) => sum + all[step]!, 0) / there.length;
  });
