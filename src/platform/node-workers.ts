/**
 * ONNX Runtime's native library in a worker thread: what it computes leaves the calling thread, and other workers, free.
 * Numbers go through memory that both threads share and use again at every run, for fresh memory costs more than the
 * copies do.
 */
import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import { arrayTypes, type ElementType } from "../core/tensor.ts";
import type { Runtime } from "./ort.ts";

/** Where the numbers of a tensor lie in shared memory; `array` is the name of their class. */
interface Place {
  readonly name: string;
  readonly type: string;
  readonly dims: readonly number[];
  readonly array: string;
  readonly offset: number;
  readonly length: number;
}

/** A tensor as both sides have it; strings have no numbers. */
interface Plain {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: Float32Array | readonly string[];
}

/** Puts tensors into shared memory, larger one where they need it, and says where. The thread has this function too. */
function share(
  tensors: readonly (readonly [string, Plain])[],
  memory: SharedArrayBuffer,
): { readonly memory: SharedArrayBuffer; readonly places: readonly Place[] } {
  let bytes = 0;
  const places = tensors.map(([name, { type, dims, data }]) => {
    const place = { name, type, dims, array: data.constructor.name, offset: bytes, length: data.length };
    // Numbers of 8 bytes begin at multiples of 8.
    if (ArrayBuffer.isView(data)) bytes += Math.ceil(data.byteLength / 8) * 8;
    return place;
  });
  const large = bytes > memory.byteLength ? new SharedArrayBuffer(bytes) : memory;
  for (const [i, [, { data }]] of tensors.entries())
    if (ArrayBuffer.isView(data))
      new Uint8Array(large, places[i]!.offset, data.byteLength).set(
        new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      );
  return { memory: large, places };
}

/** What a thread is doing, in a number that both sides see. */
const [IDLE, BUSY, ENDING] = [0, 1, 2];

/**
 * As text, so that it needs no file of its own in bundles. Calls come one after the other: `ortEngine` queues them. The
 * library takes no shared memory: the feeds are copied once more.
 */
const thread = `
const { parentPort, workerData } = require("node:worker_threads");
const ort = require(workerData.module);
const { state } = workerData;
ort.env.logLevel = "fatal";
const share = ${share.toString()};
const sessions = new Map();
const calls = {
  create: async (id, model, options) => {
    const session = await ort.InferenceSession.create(model, options);
    sessions.set(id, { session, own: new Uint8Array(0), answers: new SharedArrayBuffer(0) });
    return { inputMetadata: session.inputMetadata, outputNames: session.outputNames };
  },
  run: async (id, { memory, places }, outputs, options) => {
    const kept = sessions.get(id);
    if (kept.own.length < memory.byteLength) kept.own = new Uint8Array(memory.byteLength);
    kept.own.set(new Uint8Array(memory));
    const feeds = places.map(({ name, type, dims, array, offset, length }) =>
      [name, new ort.Tensor(type, new globalThis[array](kept.own.buffer, offset, length), dims)]);
    const results = await kept.session.run(Object.fromEntries(feeds), outputs, options);
    const shared = share(Object.entries(results), kept.answers);
    kept.answers = shared.memory;
    return shared;
  },
  release: async (id) => {
    await sessions.get(id).session.release();
    sessions.delete(id);
  },
};
parentPort.on("message", async ([what, ...given]) => {
  if (what === "end") return parentPort.close();
  if (Atomics.compareExchange(state, 0, ${IDLE}, ${BUSY}) !== ${IDLE}) return;
  let answer;
  try {
    answer = { value: await calls[what](...given) };
  } catch (error) {
    answer = { error: error instanceof Error ? error.message : String(error) };
  }
  Atomics.store(state, 0, ${IDLE});
  Atomics.notify(state, 0);
  parentPort.postMessage(answer);
});
`;

/** The states of all threads that live. */
const living = new Set<Int32Array<SharedArrayBuffer>>();

/** Milliseconds: a thread that died may never say that it is done. */
const PATIENCE = 60_000;

/** A process that ends in the middle of a call aborts with a message from the library: it waits for the present one. */
function waitForCalls(): void {
  for (const state of living)
    while (Atomics.compareExchange(state, 0, IDLE, ENDING) === BUSY)
      if (Atomics.wait(state, 0, BUSY, PATIENCE) === "timed-out") break;
}

export interface WorkerRuntime {
  readonly runtime: Runtime;
  /** Ends the thread. Its sessions should have been released. */
  close(): Promise<void>;
}

/** Starts a thread. It does not keep the process alive while it has nothing to do. */
export function workerRuntime(): WorkerRuntime {
  const module = createRequire(import.meta.url).resolve("onnxruntime-node");
  const state = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(thread, { eval: true, workerData: { module, state } });
  worker.unref();
  if (living.size === 0) process.on("exit", waitForCalls);
  living.add(state);
  const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  let failure: Error | undefined;
  let pending: { resolve(value: unknown): void; reject(error: Error): void } | undefined;
  const settle = (use: (waiting: NonNullable<typeof pending>) => void): void => {
    const waiting = pending;
    pending = undefined;
    worker.unref();
    if (waiting) use(waiting);
  };
  const fail = (error: Error): void => {
    failure ??= error;
    settle(({ reject }) => reject(error));
  };
  worker.on("error", fail);
  worker.on("exit", () => {
    living.delete(state);
    if (living.size === 0) process.off("exit", waitForCalls);
    fail(new Error("the engine's thread has ended"));
  });
  worker.on("message", ({ value, error }: { value?: unknown; error?: string }) =>
    settle(({ resolve, reject }) => (error === undefined ? resolve(value) : reject(new Error(error)))),
  );
  const call = <T>(...message: readonly unknown[]): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      if (failure) return reject(failure);
      pending = { resolve: resolve as (value: unknown) => void, reject };
      worker.ref();
      worker.postMessage(message);
    });

  let sessions = 0;
  const create = async (model: unknown, options: unknown): Promise<unknown> => {
    const id = sessions++;
    const made = await call<object>("create", id, model, options);
    let feeds = new SharedArrayBuffer(0);
    /** What transient answers are written into, by name. */
    const memory = new Map<string, Plain["data"]>();
    return {
      ...made,
      run: async (given: Record<string, Plain>, outputs: readonly string[], options: { transient?: boolean }) => {
        const shared = share(Object.entries(given), feeds);
        feeds = shared.memory;
        const answers = await call<ReturnType<typeof share>>("run", id, shared, outputs, options);
        return Object.fromEntries(
          answers.places.map(({ name, type, dims, offset, length }) => {
            const array = arrayTypes[type as ElementType];
            if (!array) return [name, { type, dims, data: [] }];
            const known = memory.get(name);
            const data = options.transient && known?.length === length ? (known as Float32Array) : new array(length);
            if (options.transient) memory.set(name, data as Float32Array);
            (data as Float32Array).set(new array(answers.memory, offset, length) as Float32Array);
            return [name, { type, dims, data }];
          }),
        );
      },
      // What a thread held is gone with it.
      release: async () => void (failure ?? (await call("release", id))),
    };
  };
  return {
    runtime: { InferenceSession: { create }, Tensor: PlainTensor } as unknown as Runtime,
    close: async () => {
      worker.ref();
      worker.postMessage(["end"]);
      await ended;
    },
  };
}

class PlainTensor implements Plain {
  readonly type: string;
  readonly data: Float32Array;
  readonly dims: readonly number[];
  constructor(type: string, data: Float32Array, dims: readonly number[]) {
    this.type = type;
    this.data = data;
    this.dims = dims;
  }
}
