/** A network's workers compute what it computes itself, in threads of their own. */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { float32 } from "../../src/core/tensor.ts";
import type { Model } from "../../src/model/model.ts";
import { createNodePlatform, openModel } from "../../src/node.ts";

let alone: Model;
let model: Model;
let workers: readonly Model[];
beforeAll(async () => {
  [alone, model] = (await Promise.all([1, 2].map((threads) => openModel("cifar10", { threads })))) as [Model, Model];
  workers = model.workers(3);
});
afterAll(() => Promise.all([alone, model, ...workers].map((one) => one.release())));

/** A view of a part of its memory: numbers before and after it must not travel for its own. */
const pictures = (count: number, seed = 0) => {
  const size = count * 3 * 32 * 32;
  const all = Float32Array.from({ length: size + 20 }, (_, i) => Math.sin(i * 0.37 + seed));
  return float32([count, 3, 32, 32], all.subarray(10, size + 10));
};
const top = { targets: [{ class: "top" }] } as const;

describe("workers", () => {
  it("there are as many as asked for, and two for each thread at most", () => {
    expect(workers).toHaveLength(3);
    expect(model.workers(1)).toEqual([]);
    expect(alone.workers(3)).toEqual([]);
  });

  it("give the same numbers of all types, whatever ran before and at the same time", async () => {
    const feeds = [pictures(2), pictures(5, 1), pictures(1, 2)];
    const wanted = [];
    for (const feed of feeds) wanted.push(await alone.gradient(feed, top));
    for (let round = 0; round < 2; round++) {
      const found = await Promise.all(feeds.map((feed, i) => workers[(i + round) % 3]!.gradient(feed, top)));
      expect(found).toEqual(wanted);
    }
  });

  it("transient answers last until the next ones of the same graph, others for ever", async () => {
    const [worker] = workers as [Model];
    const of = async (seed: number, options: { transient?: true }) =>
      Object.values((await worker.gradient(pictures(1, seed), { ...top, ...options })).targets[0]!.gradients)[0]!.data;
    const lasting = await of(1, {});
    const kept = lasting.slice();
    const transient = await of(1, { transient: true });
    expect(transient).toEqual(kept);
    const other = await of(2, { transient: true });
    expect(other).not.toEqual(kept);
    expect(lasting).toEqual(kept);
    expect(await of(2, {})).toEqual(other);
  });

  it("fail in the same words", async () => {
    const platform = createNodePlatform();
    const engine = await platform.engine();
    const worker = engine.workers!.open();
    const source = await platform.open(new TextEncoder().encode("no model"), "bad.onnx");
    const error = (one: Pick<typeof engine, "createSession">): Promise<Error> =>
      one.createSession({ kind: "file", source }).then(
        () => new Error("it opened"),
        (reason: Error) => reason,
      );
    expect(await error(worker)).toEqual(await error(engine));
    await worker.close();
    expect((await error(worker)).message).toContain("the engine's thread has ended");
  });

  it("there are none where the engine has no threads, nor on another device", async () => {
    const elsewhere = await openModel("cifar10", { threads: 2, device: "webgpu" });
    expect(elsewhere.workers(4)).toEqual([]);
    vi.stubEnv("CONVLENS_ENGINE", "wasm");
    const wasm = await openModel("cifar10", { threads: 2 }, createNodePlatform());
    vi.unstubAllEnvs();
    expect(wasm.workers(4)).toEqual([]);
  });
});
