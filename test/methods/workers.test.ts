/** Independent parts of a work: all done, in order, stopped together, and every worker released. */
import { describe, expect, it } from "vitest";
import { inWorkers } from "../../src/methods/workers.ts";
import type { Model } from "../../src/model/model.ts";

const withWorkers = (count: number) => {
  let open = 0;
  const worker = (): Model => {
    open++;
    return { release: async () => void open-- } as unknown as Model;
  };
  const model = { workers: (wanted: number) => Array.from({ length: Math.min(count, wanted) }, worker) };
  return { model: model as unknown as Model, open: () => open };
};
const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe.each([0, 1, 3])("with %i workers", (count) => {
  it("does all parts, each worker one at a time, and answers in their order", async () => {
    const { model, open } = withWorkers(count);
    const busy = new Set<Model>();
    let most = 0;
    const answers = await inWorkers(model, 7, undefined, async (index, worker) => {
      expect(busy.has(worker)).toBe(false);
      busy.add(worker);
      most = Math.max(most, busy.size);
      await later(index % 2 === 0 ? 8 : 1);
      busy.delete(worker);
      return index;
    });
    expect(answers).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(most).toBe(Math.max(1, count));
    expect(open()).toBe(0);
  });

  it("begins no other part once it is told to stop, but always the first", async () => {
    const { model, open } = withWorkers(count);
    const control = new AbortController();
    const begun: number[] = [];
    const part = async (index: number, _: Model, stop: AbortSignal): Promise<boolean> => {
      begun.push(index);
      await later(1);
      control.abort();
      return stop.aborted;
    };
    const answers = await inWorkers(model, 7, control.signal, part);
    expect(begun).toEqual([0, 1, 2].slice(0, Math.max(1, count)));
    expect(answers).toEqual(begun.map(() => true));
    expect(await inWorkers(model, 7, control.signal, part)).toEqual([true]);
    expect(open()).toBe(0);
  });

  it("stops the others where one fails, and throws its error", async () => {
    const { model, open } = withWorkers(count);
    const stopped: number[] = [];
    const work = inWorkers(model, 7, undefined, async (index, _, stop) => {
      if (index === 1) throw new Error("part 1");
      while (!stop.aborted && index > 1) await later(1);
      await later(5);
      if (stop.aborted) stopped.push(index);
    });
    await expect(work).rejects.toThrow("part 1");
    expect(stopped).toEqual(count === 3 ? [0, 2] : []);
    expect(open()).toBe(0);
  });
});
