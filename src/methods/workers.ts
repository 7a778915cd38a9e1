/** Work in independent parts, of which several are done at once where the platform has threads for it. */
import type { Model } from "../model/model.ts";

/**
 * Does `count` parts, in their order, on workers of the network or, where there are none, on the network itself. The
 * answers come in the same order. Once `signal` is aborted no other part is begun (the first always is); one that throws
 * stops the others, through the signal they are given, and its error is thrown.
 */
export async function inWorkers<T>(
  model: Model,
  count: number,
  signal: AbortSignal | undefined,
  part: (index: number, worker: Model, stop: AbortSignal) => Promise<T>,
): Promise<readonly T[]> {
  const failed = new AbortController();
  const stop = AbortSignal.any(signal ? [signal, failed.signal] : [failed.signal]);
  const answers: T[] = [];
  let next = 0;
  const serve = async (worker: Model): Promise<void> => {
    while (next < count && (next === 0 || !stop.aborted)) {
      const index = next++;
      answers[index] = await part(index, worker, stop);
    }
  };
  const workers = model.workers(count);
  try {
    const serving = workers.length > 0 ? workers : [model];
    await Promise.all(serving.map((worker) => serve(worker).catch((error) => failed.abort({ error }))));
    if (failed.signal.aborted) throw failed.signal.reason.error;
    return answers;
  } finally {
    await Promise.all(workers.map((worker) => worker.release()));
  }
}
