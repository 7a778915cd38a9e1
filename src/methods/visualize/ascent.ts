/**
 * Gradient ascent on pictures: parameters make a canvas, a view of the canvas goes through the network, and the slope
 * of the objective comes back the same way.
 */
import { redirectedRelu } from "../../autodiff/overlays/redirected.ts";
import type { AnswerOptions, RunOptions } from "../../core/platform.ts";
import { type Random, random, sampled } from "../../core/random.ts";
import { float32, type Tensor } from "../../core/tensor.ts";
import type { Model, Target } from "../../model/model.ts";
import { type Normalization, normalize, type OptimizerName, optimizers } from "./optimizers.ts";
import type { CanvasSize, Parameters } from "./parameters.ts";
import { type Regularizers, regularize } from "./regularizers.ts";
import type { Looks } from "./transforms.ts";
import { fromInput, middleOf, type Noise, toInput, type Units } from "./units.ts";
import { type Affine, compose, gaussian, unchanged, type View, viewer } from "./views.ts";

export interface AscentJob {
  readonly model: Model;
  readonly target: Target;
  readonly size: CanvasSize;
  /** What is changed; absent: the canvas' own numbers, in the network's units. */
  readonly parameters?: Parameters;
  /** Where it begins, in place of noise: values of the parameters. */
  readonly start: Float32Array;
  readonly units: Units;
  readonly looks: Looks;
  /** Side lengths of what the network sees. */
  readonly sees: { readonly height: number; readonly width: number };
  /** Views that one step looks at; their slopes are averaged. */
  readonly views: number;
  readonly regularizers: Regularizers;
  readonly optimizer: OptimizerName;
  readonly rate: number;
  /** In place of the optimiser's own. */
  readonly epsilon?: number | undefined;
  readonly normalize: Normalization;
  /** Whether rectifiers that are off are redirected in the first steps. */
  readonly redirect: boolean;
  readonly steps: number;
  /** An objective above it ends the ascent. */
  readonly enough: number;
  readonly seed: number;
  /** A number for each picture that its own noise depends on, so that a picture of a batch equals the one made alone. */
  readonly keys: readonly number[];
  /** After each step: its number from 1, the objective so far, and the canvas that the step began with. */
  readonly onStep?: (step: number, losses: readonly number[], canvas: Float32Array) => void;
  /** Where an earlier ascent stopped. */
  readonly resume?: AscentState;
}

/** All that the next step depends on. */
export interface AscentState {
  readonly step: number;
  readonly parameters: Float32Array;
  /** The optimiser's own numbers. */
  readonly memory: readonly Float32Array[];
  /** Whether some picture's start got no slope at all: its units were off. */
  readonly dead: boolean;
  /** The most that each picture's objective was in any view. */
  readonly most: readonly number[];
}

export interface Ascended {
  /** `[count, channels, height, width]`, as the units say. */
  readonly canvas: Float32Array;
  /** The mean objective over the pictures, at each step. */
  readonly losses: readonly number[];
  readonly state: AscentState;
  /** Why it ended before its last step; `undefined` where it did not. */
  readonly ended: "stopped" | "exploded" | undefined;
}

/**
 * Raises the objective step by step. An aborted signal ends it after the present step; so do values beyond all bounds,
 * with the last parameters that were none. What a step draws depends on the seed and its number alone. Throws what
 * `model.gradient` throws.
 */
export async function ascend(job: AscentJob, { signal, onProgress }: RunOptions = {}): Promise<Ascended> {
  const { model, target, size, parameters: way, units, steps, seed } = job;
  const anySize = "layer" in target || "reads" in target;
  let values = (job.resume?.parameters ?? job.start).slice();
  const optimizer = optimizers[job.optimizer](job.rate, job.resume, job.epsilon);
  const losses: number[] = [];
  const most = [...(job.resume?.most ?? new Array<number>(size.count).fill(Number.NEGATIVE_INFINITY))];
  /** The parameters of the last step that nothing was wrong with. */
  let good = values.slice();
  let dead = job.resume?.dead ?? false;
  const sightOf = sights(job);
  const noise = noises(job);
  // One memory for all steps: new arrays of this size cost more than what is done with them.
  const length = size.count * size.channels * job.sees.height * job.sees.width;
  const [fed, returned] = [new Float32Array(length), new Float32Array(length)];
  /** What it gives lasts until the next look. */
  const look = async (canvas: Float32Array, { seen, soft }: Sight, drawn: number, redirect: boolean) => {
    const sharp = filled(seen, canvas, job);
    const input = toInput(soft ? soft.apply(sharp) : sharp, size, job.sees, units, fed, noise(drawn));
    const overlay = redirect ? { overlay: redirectedRelu } : {};
    const { targets } = await model.gradient(input, { targets: [target], anySize, ...brief, ...overlay });
    const fromNetwork = Object.values(targets[0]!.gradients)[0]!;
    const slope = fromInput(fromNetwork, size, units, returned);
    return {
      scores: targets[0]!.scores,
      isDead: isDead(fromNetwork, size.count),
      slope: seen.adjoint(soft ? soft.adjoint(slope) : slope),
    };
  };
  let ended: Ascended["ended"];
  let step = job.resume?.step ?? 0;
  for (; step < steps; step++) {
    if (signal?.aborted) {
      ended = "stopped";
      break;
    }
    const canvas = way ? await run(model, way, "forward", { parameters: float32(way.dims, values) }) : values;
    let slope: Float32Array = new Float32Array(0);
    let loss = 0;
    for (let v = 0; v < job.views; v++) {
      const drawn = seedOf(seed, step * job.views + v);
      const sight = sightOf(random(drawn), step / steps);
      let found = await look(canvas, sight, drawn, dead && step < REDIRECTED_STEPS);
      if (job.redirect && step === 0 && found.isDead) {
        dead = true;
        found = await look(canvas, sight, drawn, true);
      }
      for (const [n, score] of found.scores.entries()) {
        loss += score / found.scores.length / job.views;
        most[n] = Math.max(most[n]!, score);
      }
      if (v === 0) slope = job.views > 1 ? found.slope.slice() : found.slope;
      else for (let i = 0; i < slope.length; i++) slope[i]! += found.slope[i]!;
    }
    if (job.views > 1) for (let i = 0; i < slope.length; i++) slope[i]! /= job.views;
    if (!Number.isFinite(loss)) {
      ended = "exploded";
      break;
    }
    losses.push(loss);
    if (loss > job.enough) break;
    job.onStep?.(step + 1, losses, canvas);
    regularize(canvas, slope, size, middleOf(units), size.count, job.regularizers);
    const back = way
      ? await run(model, way, "backward", {
          parameters: float32(way.dims, values),
          slope: float32([size.count, size.channels, size.height, size.width], slope),
        })
      : slope;
    normalize(back, size, job.normalize);
    optimizer.step(values, back, good);
    [values, good] = [good, values];
    onProgress?.(step + 1, steps, `objective ${loss.toPrecision(4)}`);
  }
  if (!values.every(Number.isFinite)) ended = "exploded";
  const parameters = ended === "exploded" ? good : values;
  const canvas = way
    ? (await run(model, way, "forward", { parameters: float32(way.dims, parameters) })).slice()
    : parameters;
  return { canvas, losses, state: { step, parameters, memory: optimizer.memory(), dead, most }, ended };
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

/** For what a step is done with when it ends. */
const brief: AnswerOptions = { transient: true };

/** What it gives lasts until the next run of the same graph. */
async function run(
  model: Model,
  way: Parameters,
  which: "forward" | "backward",
  feeds: Readonly<Record<string, Tensor>>,
): Promise<Float32Array> {
  const graph = way[which];
  return (await model.compute(graph, feeds, brief))[graph.outputs[0]!]!.data as Float32Array;
}

/** How a step sees the canvas: a view, and perhaps a blur of it. */
interface Sight {
  readonly seen: View;
  readonly soft?: ReturnType<typeof gaussian>;
}

/** Draws how a step sees the canvas; what it gives lasts until the next one. */
function sights({ looks, size, sees }: AscentJob): (source: Random, progress: number) => Sight {
  const viewed = viewer(size, sees, looks.border);
  const [least, most] = looks.blur;
  return (source, progress) => {
    const moment = { progress, canvas: size, sees };
    const place = looks.transforms
      .map((transform) => transform(source, moment))
      .reduce((outer: Affine, inner) => compose(outer, inner), unchanged);
    const seen = viewed(place);
    return most === 0 ? { seen } : { seen, soft: gaussian(least + (most - least) * source.uniform(), sees) };
  };
}

/** The view of a canvas; what lies beside the canvas is middle grey. */
function filled(seen: View, canvas: Float32Array, { looks, units }: AscentJob): Float32Array {
  const planes = seen.apply(canvas);
  if (looks.border !== "empty" || planes === canvas) return planes;
  const grey = middleOf(units);
  const { cover } = seen;
  const area = cover.length;
  for (let i = 0; i < area; i++) {
    const bare = 1 - cover[i]!;
    if (bare < 1e-6) continue;
    for (let at = i; at < planes.length; at += area) planes[at]! += grey * bare;
  }
  return planes;
}

/** Numbers in the row of noise; a power of two. */
const ROW = 2 ** 18;

/**
 * Gaussian noise for what is seen, of each picture its own. It is read from one long row of normal numbers, from another
 * place for each picture and view: to draw all of them anew took longer than the views themselves.
 */
function noises({ looks, units, seed, keys }: AscentJob): (drawn: number) => Noise | undefined {
  if (looks.noise === 0) return () => undefined;
  const source = random(seed);
  const deviation = looks.noise * (units.raw ? 255 : 1);
  const row = sampled(ROW, () => deviation * source.normal());
  return (drawn) => ({ row, from: keys.map((key) => random(seedOf(drawn, key)).integer(ROW)) });
}

/** The seed of one picture's own noise. */
export const seedOf = (seed: number, key: number): number => (Math.imul(seed, 1_000_003) + key + 1) | 0;
