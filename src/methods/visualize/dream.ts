/**
 * DeepDream: ascent on a photograph at growing sizes. What shrinking takes from the photograph is put back at each size,
 * so that the dream keeps its detail.
 */
import type { RunOptions } from "../../core/platform.ts";
import { type Ascended, type AscentJob, ascend } from "./ascent.ts";
import { view } from "./views.ts";

export interface Octaves {
  readonly count: number;
  /** Of one size to the next. */
  readonly ratio: number;
}

interface Size {
  readonly height: number;
  readonly width: number;
}

/** Planes of another size, bilinear. */
export function resized(planes: Float32Array, from: Size, to: Size): Float32Array {
  return view([from.width / to.width, 0, 0, 0, from.height / to.height, 0], from, to, "reflect").apply(planes);
}

/** `job.start` is the photograph, at the job's size. Steps are counted over all octaves. */
export async function dream(
  job: AscentJob,
  { count, ratio }: Octaves,
  { signal, onProgress }: RunOptions = {},
): Promise<Ascended> {
  const sizes = Array.from({ length: count }, (_, i) => {
    const by = ratio ** (count - 1 - i);
    return {
      height: Math.max(1, Math.floor(job.size.height / by)),
      width: Math.max(1, Math.floor(job.size.width / by)),
    };
  });
  const losses: number[] = [];
  let canvas = resized(job.start, job.size, sizes[0]!);
  let made: Ascended | undefined;
  for (const [i, size] of sizes.entries()) {
    made = await ascend(
      {
        ...job,
        start: canvas,
        size: { ...job.size, ...size },
        sees: size,
        seed: job.seed + i,
        ...(job.onStep && {
          onStep: (step: number, some: readonly number[], now: Float32Array) =>
            job.onStep!(i * job.steps + step, [...losses, ...some], resized(now, size, job.size)),
        }),
      },
      {
        ...(signal ? { signal } : {}),
        onProgress: (done, total, what) => onProgress?.(i * total + done, count * total, what),
      },
    );
    losses.push(...made.losses);
    canvas = made.canvas;
    const next = sizes[i + 1];
    if (next === undefined || made.ended !== undefined) {
      canvas = resized(canvas, size, job.size);
      break;
    }
    const whole = resized(job.start, job.size, next);
    const shrunk = resized(resized(job.start, job.size, size), size, next);
    canvas = resized(canvas, size, next).map((x, k) => x + whole[k]! - shrunk[k]!);
  }
  return { ...made!, canvas, losses };
}
