/**
 * What all attacks share: candidates judged in batches through the whole preprocessing, the budget, and what counts as
 * success: the picture, written as PNG and read back, gets the wanted answer.
 */
import { ConvlensError, throwIfCancelled } from "../../core/errors.ts";
import type { Picture } from "../../core/picture.ts";
import type { Attack, ChangedPixel } from "../../core/result.ts";
import { float32, type Tensor } from "../../core/tensor.ts";
import { decodeImage, encodePng } from "../../image/index.ts";
import { labelName } from "../../model/labels.ts";
import type { Model, ModelPrediction, Target } from "../../model/model.ts";
import { feedsOf, type Method, type MethodInput, mustApply, originOf } from "../method.ts";
import type { AttackRunOptions, SharedOptions } from "./attack.ts";
import { answerOf, type Goal, goalOf, reaches, type Standing, standing } from "./goal.ts";
import { type Change, type Subject, subjectOf } from "./subject.ts";

/** A picture that differs from the attacked one in these pixels. */
export type Candidate = readonly Change[];

export interface Judged extends Standing {
  readonly prediction: ModelPrediction;
}

export interface Search {
  readonly subject: Subject;
  readonly goal: Goal;
  readonly start: Judged;
  /** Whether nothing more is to be judged: the goal is reached (and `untilSuccess`), or the budget used up. */
  readonly isOver: boolean;
  /** Pictures that may still be judged. */
  readonly left: number;
  /** The best that was judged so far, by what candidates are compared; the original before the first. */
  readonly closest: Judged;
  /** Tells what the search may cost: pictures judged, and of how many of them there is also a gradient. Call once, before the first candidate. */
  announce(queries: number, gradients?: number): Promise<void>;
  /** In their order; fewer than were given where the search was over in between. */
  judge(candidates: readonly Candidate[]): Promise<readonly Standing[]>;
  /** The same for one whole picture, through PNG and back; no second pass where `known` is of the same tensor, and none past the budget. */
  judgePicture(picture: Picture, known?: Known): Promise<Judged | undefined>;
  /** The same for levels that need not be whole: on the way to a picture, never one that is found. */
  judgeLevels(levels: Float64Array): Promise<Judged>;
  /** Gradients by the levels, one a target, from one pass over one picture; it counts as a picture judged. */
  gradients(levels: Float64Array, targets: readonly Target[]): Promise<readonly Float64Array[]>;
  /** Ends the search: the first picture that reached the goal, else the best one that did, else the closest. `isWhole`: nothing is left to try, whatever the budget. */
  finish(more?: { readonly isWhole?: boolean; readonly notes?: readonly string[] }): Promise<Attack>;
}

export interface SearchSettings {
  /** End at the first picture that reaches the goal. */
  readonly untilSuccess: boolean;
  /** What makes a candidate better. */
  readonly by: keyof Standing;
  /** Candidates have one pixel and may come again: they are then answered from memory, which is no query. */
  readonly remembers?: boolean;
}

/** Batches give other last bits than single pictures: so close to success, a candidate is judged alone. */
const nearBy = 1e-3;
/** Of candidates that wait for being judged alone the best so many are kept: of a large picture there may be 100,000. */
const mostNear = 64;
/** Where a search would remember more candidates, it forgets all. */
const mostRemembered = 1 << 18;
/** A gradient costs about as much as so many more passes. */
const passesOfGradient = 2;

/** A judged tensor: a file that gives the same one needs no second pass. */
export interface Known {
  readonly tensor: Float32Array;
  readonly judged: Judged;
}

interface Near {
  readonly candidate: Candidate;
  /** By what candidates are compared. */
  readonly value: number;
}

interface Found {
  readonly picture: Picture;
  readonly judged: Judged;
}

/** Judges the original and checks what is wanted. Throws `tensor-invalid`, `label-unknown`, `option-invalid`, `model-unsupported`. */
export async function openSearch<Options extends SharedOptions>(
  method: Method<Options, Attack>,
  model: Model,
  input: MethodInput,
  options: Options,
  given: AttackRunOptions,
  { untilSuccess, by, remembers = false }: SearchSettings,
): Promise<Search> {
  mustApply(method as Method, model);
  const started = performance.now();
  const subject = subjectOf(model, feedsOf(method, input));
  const { signal, onProgress, onPlan } = given;
  const size = subject.tensor.data.length;
  const sides = subject.tensor.dims.slice(1);

  let classes = Number.MAX_SAFE_INTEGER;
  const predict = async (data: Float32Array, count: number): Promise<readonly ModelPrediction[]> => {
    throwIfCancelled(signal);
    const rows = await model.predict(float32([count, ...sides], data), { top: classes });
    if (rows.length !== count)
      throw new ConvlensError(
        "model-unsupported",
        `"${model.name}" gives ${rows.length} answers for ${count} pictures; an attack needs one for each`,
      );
    return rows;
  };
  const [first] = await predict(subject.tensor.data, 1);
  classes = first!.predictions.length;
  if (classes < 2)
    throw new ConvlensError("model-unsupported", `"${model.name}" knows one class: there is no other to answer`);
  const goal = goalOf(model, options.to, first!);
  const judgedBy = (prediction: ModelPrediction): Judged => ({
    prediction,
    ...standing(prediction.predictions, goal),
  });
  const start = judgedBy(first!);

  let [queries, gradients, planned, told] = [0, 0, options.maxQueries, -1];
  const gradientNotes = new Set<string>();
  let found: Found | undefined;
  let closest: { readonly picture: () => Picture; readonly judged: Judged } | undefined;
  /** What a batch says is at the goal or next to it, not yet judged alone. */
  let near: Near[] = [];
  const best = (list: readonly Near[]): Near[] => list.toSorted((a, b) => a.value - b.value).slice(0, mostNear);
  const left = (): number =>
    (performance.now() - started) / 1000 < options.maxTime ? Math.max(0, options.maxQueries - queries) : 0;

  const progress = (): void => {
    // Twenty steps: without a terminal each is a line.
    const step = Math.floor((20 * queries) / planned);
    if (step === told || step >= 20) return;
    told = step;
    onProgress?.(
      queries - 1,
      planned,
      `pictures judged, closest margin ${(closest?.judged ?? start).margin.toFixed(3)}`,
    );
  };
  const consider = (judged: Judged, picture: () => Picture): void => {
    if (closest === undefined || judged[by] < closest.judged[by]) closest = { picture, judged };
  };
  const settle = (picture: Picture, judged: Judged | undefined): boolean => {
    if (judged === undefined || !reaches(judged.prediction.predictions, goal)) return false;
    if (found === undefined || judged[by] < found.judged[by]) found = { picture, judged };
    return true;
  };

  /** One picture through the whole pipeline, as a file; `undefined` where the budget is used up. `known`: what the network answered to this very tensor. */
  const judgeFile = async (picture: Picture, known?: Known): Promise<Judged | undefined> => {
    const { data } = await readBack(model, picture);
    if (known?.tensor.every((value, i) => value === data[i])) return known.judged;
    if (queries >= options.maxQueries) return undefined;
    queries++;
    return judgedBy((await predict(data, 1))[0]!);
  };

  let batch = new Float32Array(0);
  const judgeBatch = async (candidates: readonly Candidate[]): Promise<readonly Judged[]> => {
    const count = candidates.length;
    if (batch.length < count * size) {
      batch = new Float32Array(count * size);
      for (let i = 0; i < count; i++) batch.set(subject.tensor.data, i * size);
    }
    for (const [i, candidate] of candidates.entries())
      for (const change of candidate) subject.write(batch, i * size, change);
    queries += count;
    const rows = await predict(batch.subarray(0, count * size), count);
    const judged = rows.map(judgedBy);
    for (const [i, candidate] of candidates.entries()) {
      consider(judged[i]!, () => subject.changed(candidate));
      if (judged[i]!.margin > nearBy) continue;
      if (!untilSuccess) {
        near.push({ candidate, value: judged[i]![by] });
        if (near.length >= 2 * mostNear) near = best(near);
      } else if (found === undefined) {
        const known = count === 1 ? { tensor: batch.slice(0, size), judged: judged[0]! } : undefined;
        const picture = subject.changed(candidate);
        settle(picture, await judgeFile(picture, known));
      }
    }
    for (const [i, candidate] of candidates.entries())
      for (const { at } of candidate) subject.write(batch, i * size, { at, color: subject.colorAt(at) });
    return judged;
  };

  /** How candidates stand that were judged before, by their pixel's place and colour. */
  const remembered = new Map<number, Standing>();
  const judgeOnce = async (candidates: readonly Candidate[]): Promise<readonly Standing[]> => {
    if (remembered.size + candidates.length > mostRemembered) remembered.clear();
    const keys = candidates.map(keyOf);
    const fresh = new Map(keys.flatMap((key, i) => (remembered.has(key) ? [] : [[key, candidates[i]!] as const])));
    if (fresh.size === 0) {
      // The network gives no pause in which the search could be cancelled.
      await new Promise((resolve) => setTimeout(resolve));
      throwIfCancelled(signal);
    } else {
      const judged = (await judgeBatch([...fresh.values()])).values();
      for (const key of fresh.keys()) {
        const { margin, odds } = judged.next().value!;
        remembered.set(key, { margin, odds });
      }
    }
    return keys.map((key) => remembered.get(key)!);
  };

  const isOver = (): boolean => (untilSuccess && found !== undefined) || left() === 0;
  return {
    subject,
    goal,
    start,
    get isOver() {
      return isOver();
    },
    get left() {
      return left();
    },
    get closest() {
      return closest?.judged ?? start;
    },
    async announce(wanted, differentiated = 0) {
      planned = Math.max(1, Math.min(wanted, options.maxQueries));
      if (onPlan === undefined) return;
      const count = Math.min(8, options.batch, planned);
      const data = new Float32Array(count * size);
      for (let i = 0; i < count; i++) data.set(subject.tensor.data, i * size);
      const times: number[] = [];
      for (let i = 0; i < 2; i++) {
        const before = performance.now();
        await predict(data, count);
        times.push(performance.now() - before);
      }
      const passes = planned * (1 + (passesOfGradient * differentiated) / wanted);
      onPlan({ queries: planned, milliseconds: (Math.min(...times) / count) * passes });
    },
    async judge(candidates) {
      const answers: Standing[] = [];
      while (answers.length < candidates.length && !isOver()) {
        // One is kept for the picture that is found: it is judged alone.
        const most = Math.min(options.batch, Math.max(1, left() - 1));
        const part = candidates.slice(answers.length, answers.length + most);
        answers.push(...(await (remembers ? judgeOnce(part) : judgeBatch(part))));
        progress();
      }
      return answers;
    },
    async judgePicture(picture, known) {
      const judged = await judgeFile(picture, known);
      if (judged !== undefined) consider(judged, () => picture);
      settle(picture, judged);
      progress();
      return judged;
    },
    async judgeLevels(levels) {
      queries++;
      progress();
      return judgedBy((await predict(subject.tensorOf(levels).data, 1))[0]!);
    },
    async gradients(levels, targets) {
      throwIfCancelled(signal);
      queries++;
      gradients++;
      const { targets: found, notes: more } = await model.gradient(subject.tensorOf(levels), {
        targets,
        inTurns: true,
        ...(signal && { signal }),
      });
      for (const note of more) gradientNotes.add(note);
      return found.map((one) => subject.byLevel(one.gradients[model.input.name]!));
    },
    async finish({ isWhole = false, notes = [] } = {}) {
      const isCut = !isWhole && left() === 0;
      for (const { candidate } of best(near)) {
        const picture = subject.changed(candidate);
        if (settle(picture, await judgeFile(picture))) break;
      }
      const last = found ?? {
        picture: closest?.picture() ?? subject.picture,
        judged: closest?.judged ?? start,
      };
      const { to } = goal;
      const { pixels, distance } = difference(subject.picture, last.picture);
      const many = distance.pixels > mostListed;
      onProgress?.(planned, planned, "");
      return {
        kind: "attack",
        title: method.title,
        success: found !== undefined,
        targeted: to !== undefined,
        to: to === undefined ? null : { index: to, label: labelName(model.labels, to) },
        queries,
        gradients,
        ended: found !== undefined && untilSuccess ? "success" : isCut ? "budget" : "exhausted",
        margin: { before: start.margin, after: last.judged.margin },
        pixels: many ? [] : pixels,
        distance,
        before: answerOf(start.prediction.predictions, goal),
        after: answerOf(last.judged.prediction.predictions, goal),
        original: subject.picture,
        attacked: last.picture,
        origin: await originOf(model, method.id, options, input),
        notes: [
          ...model.notes,
          ...first!.notes,
          ...notes,
          ...gradientNotes,
          ...(many
            ? [
                `${distance.pixels.toLocaleString("en")} pixels changed: too many to list; the attacked picture shows them`,
              ]
            : []),
        ],
      };
    },
  };
}

/** A number for each change of one pixel. */
function keyOf([change]: Candidate): number {
  const { at, color } = change!;
  return ((at * 256 + color[0]) * 256 + color[1]) * 256 + color[2];
}

/** The tensor of a picture that went into a PNG file and came back. */
async function readBack(model: Model, picture: Picture): Promise<Tensor<"float32">> {
  const file = encodePng(picture);
  return model.prepare((await decodeImage(file, { codec: async () => undefined })).picture).tensor;
}

/** The most changed pixels that a result lists. */
const mostListed = 1000;

/** The pixels in which two pictures of one size differ, row by row, and how far they are apart. */
function difference(before: Picture, after: Picture): { pixels: ChangedPixel[]; distance: Attack["distance"] } {
  const pixels: ChangedPixel[] = [];
  let [sum, max] = [0, 0];
  const colorOf = ({ data }: Picture, i: number): [number, number, number] => [data[i]!, data[i + 1]!, data[i + 2]!];
  for (let at = 0; at < before.width * before.height; at++) {
    const [from, to] = [colorOf(before, 4 * at), colorOf(after, 4 * at)];
    const steps = from.map((level, c) => Math.abs(to[c]! - level));
    if (steps.every((step) => step === 0)) continue;
    pixels.push({ x: at % before.width, y: Math.floor(at / before.width), from, to });
    for (const step of steps) {
      sum += step * step;
      max = Math.max(max, step);
    }
  }
  return { pixels, distance: { pixels: pixels.length, l2: Math.sqrt(sum), max } };
}
