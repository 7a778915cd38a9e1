/** Passes of a pixel method through the network: one picture, other inputs held fixed, variants of it in batches. */

import type { Overlay } from "../../../autodiff/rule.ts";
import { ConvlensError } from "../../../core/errors.ts";
import type { RunOptions } from "../../../core/platform.ts";
import { arrayTypes, float32, sizeOf, type Tensor, toFloat32 } from "../../../core/tensor.ts";
import type { Feeds, Gradients, Model, Target } from "../../../model/model.ts";

/** The first picture of the first input, and all inputs for any number of pictures. */
export interface Subject {
  /** Its numbers as the network gets them. */
  readonly x: Float32Array;
  /** Its shape without the batch axis, in source layout. */
  readonly dims: readonly number[];
  /** How many pictures were given. */
  readonly given: number;
  /** Feeds of `count` pictures whose numbers lie one after the other. */
  feeds(pictures: Float32Array, count: number): Readonly<Record<string, Tensor>>;
}

export function subjectOf(model: Model, feeds: Feeds): Subject {
  const { inputs, input } = model;
  const all: Readonly<Record<string, Tensor>> = isTensor(feeds) ? { [input.name]: feeds } : feeds;
  const first = all[input.name];
  if (!first)
    throw new ConvlensError(
      "tensor-invalid",
      `the network's input "${input.name}", the one that is explained, is not given`,
    );
  const dims = first.dims.slice(1);
  const size = sizeOf(dims);
  if (first.data.length < size || first.dims.length === 0)
    throw new ConvlensError("tensor-invalid", `input "${input.name}" holds no picture`);
  const isBatched = (name: string): boolean => {
    const axis = inputs.find((one) => one.name === name)?.shape[0];
    return axis === null || (axis === 1 && input.shape[0] === 1);
  };
  return {
    x: toFloat32(first).subarray(0, size),
    dims,
    given: first.dims[0] ?? 1,
    feeds: (pictures, count) =>
      Object.fromEntries(
        Object.entries(all).map(([name, tensor]) => {
          if (name === input.name) return [name, float32([count, ...dims], pictures.subarray(0, count * size))];
          return [name, isBatched(name) ? repeated(tensor, count) : tensor];
        }),
      ),
  };
}

const isTensor = (feeds: Feeds): feeds is Tensor => "dims" in feeds && Array.isArray(feeds.dims);

/** The first row of a batch, `count` times. */
function repeated({ type, dims, data }: Tensor, count: number): Tensor {
  const size = sizeOf(dims.slice(1));
  const out = new arrayTypes[type](size * count);
  const row = data.subarray(0, size);
  for (let i = 0; i < count; i++) (out as Float32Array).set(row as Float32Array, i * size);
  return { type, dims: [count, ...dims.slice(1)], data: out };
}

/** The gradient of one target's score at one variant of the picture. The array is reused: add it up, do not keep it. */
export type Take = (target: number, variant: number, gradient: Float32Array, score: number) => void;

export interface Passes {
  readonly subject: Subject;
  /** At the picture itself. */
  readonly first: Gradients;
  /** The targets, each with the class that the picture itself gave where it was the top one. */
  readonly targets: readonly Target[];
  /** At `count` variants, which `make` writes, in batches; every variant goes through all targets at once. */
  each(count: number, make: (variant: number, into: Float32Array) => void, take: Take): Promise<void>;
}

export interface PassOptions extends RunOptions {
  readonly batch: number;
  readonly overlay?: Overlay;
}

/** How a method may come by its passes in a way of its own. */
export type Start<Options> = (
  model: Model,
  subject: Subject,
  asked: readonly Target[],
  options: Options,
  run: RunOptions,
) => Promise<Passes>;

/** Runs the picture itself, which settles the classes, and gives the door for more passes. */
export async function startPasses(
  model: Model,
  subject: Subject,
  asked: readonly Target[],
  { batch, overlay, signal, onProgress }: PassOptions,
): Promise<Passes> {
  const { x, feeds } = subject;
  const name = model.input.name;
  // The bar counts variants of the picture; progress inside a call is not passed on.
  const shared = { ...(overlay ? { overlay } : {}), ...(signal ? { signal } : {}) };
  const first = await model.gradient(feeds(x, 1), { targets: asked, ...shared });
  const targets = asked.map((target, t): Target => {
    const found = first.targets[t]!.classes?.[0];
    return "class" in target && found !== undefined ? { ...target, class: found } : target;
  });
  const each: Passes["each"] = async (count, make, take) => {
    const buffer = new Float32Array(x.length * Math.min(batch, count));
    for (let start = 0; start < count; start += batch) {
      const n = Math.min(batch, count - start);
      onProgress?.(start, count, "sample");
      for (let i = 0; i < n; i++) make(start + i, buffer.subarray(i * x.length, (i + 1) * x.length));
      const found = await model.gradient(feeds(buffer, n), { targets, ...shared });
      found.targets.forEach(({ gradients, scores }, t) => {
        const { data } = gradients[name]!;
        for (let i = 0; i < n; i++) take(t, start + i, data.subarray(i * x.length, (i + 1) * x.length), scores[i]!);
      });
    }
    onProgress?.(count, count, "sample");
  };
  return { subject, first, targets, each };
}
