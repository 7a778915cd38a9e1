/**
 * Engine sessions: one for each wanted set of outputs (fetching fewer outputs of a session computes no less), kept
 * within a bound, and the batch of files that fix it at 1.
 */
import { ConvlensError, throwIfCancelled } from "../core/errors.ts";
import type { AnswerOptions, Engine, EngineOptions, EngineSession, RunOptions } from "../core/platform.ts";
import { arrayTypes, type Tensor } from "../core/tensor.ts";
import type { ModelFile } from "../formats/format.ts";
import { encodeGraph } from "../formats/onnx/write.ts";
import type { Graph } from "../graph/graph.ts";
import { subgraph } from "../graph/subgraph.ts";
import { identity } from "./identity.ts";

/** How much is kept: each session holds its own copy of the weights it uses. */
const MOST_SESSIONS = 8;
const MOST_BYTES = 2 ** 30;

type Values = Readonly<Record<string, Tensor>>;

/** A graph made from the file's own: its session is kept under the key. */
export interface Plan {
  readonly key: string;
  build(base: Graph): Graph;
  /** Whether it takes turns with the network's own sessions: its threads then leave the processor to theirs. */
  readonly beside?: boolean;
}

export interface Sessions {
  /** Values of the graph for inputs of the right shapes and types. Throws `model-unsupported` for inner values of opaque files. */
  run(feeds: Values, outputs: readonly string[], options?: RunOptions): Promise<Record<string, Tensor>>;
  /** The graph that plans are built on. */
  readonly base: Graph;
  /** What belongs to a plan, made once and kept under its key. */
  known<T>(key: string, make: () => T): T;
  /** The outputs of a graph that is made from the file's graph. The file must not be opaque. */
  runPlan(
    plan: Plan,
    feeds: Values,
    outputs: readonly string[],
    options?: RunOptions & AnswerOptions,
  ): Promise<Record<string, Tensor>>;
  /** The outputs of a graph that has nothing to do with the file. The file must not be opaque. */
  compute(graph: Graph, feeds: Values, options?: AnswerOptions): Promise<Record<string, Tensor>>;
  /** Frees all sessions; a later run makes new ones. */
  release(): Promise<void>;
}

interface Entry {
  readonly session: Promise<EngineSession>;
  readonly bytes: number;
  users: number;
}

/** `note` takes what a user must know of the runs: that a batch is fed one by one. */
export function makeSessions(
  file: ModelFile,
  engine: Engine,
  engineOptions: EngineOptions,
  note: (text: string) => void,
): Sessions {
  const entries = new Map<string, Entry>();
  /** Whether several pictures at once give what each gives alone; `undefined`: not known yet. */
  let batches = file.graph.inputs.some((name) => isFixed(file.graph, name)) ? undefined : true;

  const facts = new Map<string, unknown>();

  const make = (plan: Plan, freed: boolean): Entry => {
    if (file.opaque !== undefined) {
      const session = engine.createSession({ kind: "file", source: file.source }, engineOptions);
      return { session, bytes: file.source.size, users: 0 };
    }
    const graph = plan.build(freed ? freeBatch(file.graph) : file.graph);
    const options = plan.beside ? { ...engineOptions, spin: false as const } : engineOptions;
    return { session: engine.createSession(encodeGraph(graph), options), bytes: constantBytes(graph), users: 0 };
  };

  const pass = async (
    plan: Plan,
    feeds: Values,
    outputs: readonly string[],
    freed: boolean,
    options: AnswerOptions = {},
  ): Promise<Record<string, Tensor>> => {
    const key = file.opaque === undefined ? `${freed} ${plan.key}` : "";
    const entry = entries.get(key) ?? make(plan, freed);
    // Moved to the end: the map's order is the order of last use.
    entries.delete(key);
    entries.set(key, entry);
    entry.users++;
    try {
      const session = await entry.session;
      const used = Object.fromEntries(session.inputs.flatMap(({ name }) => (feeds[name] ? [[name, feeds[name]]] : [])));
      return await session.run(used, outputs, options);
    } catch (error) {
      if (!(await settles(entry.session))) entries.delete(key);
      throw error;
    } finally {
      entry.users--;
      await evict(entries);
    }
  };

  /** One by one, the results joined along the first axis. */
  const loop = async (
    plan: Plan,
    feeds: Values,
    outputs: readonly string[],
    count: number,
    { signal, onProgress }: RunOptions,
  ) => {
    const rows: Record<string, Tensor>[] = [];
    for (let i = 0; i < count; i++) {
      throwIfCancelled(signal);
      onProgress?.(i, count, "picture");
      rows.push(await pass(plan, picture(feeds, i, count), outputs, false));
    }
    return Object.fromEntries(outputs.map((name) => [name, join(rows.map((row) => row[name]!))]));
  };

  /** Frees a fixed batch where the first two pictures give together what they give alone. */
  const canBatch = async (plan: Plan, feeds: Values, outputs: readonly string[], count: number): Promise<boolean> => {
    if (file.opaque !== undefined) return false;
    try {
      const pair = await pass(plan, picture(feeds, 0, count, 2), outputs, true);
      const alone = await Promise.all([0, 1].map((i) => pass(plan, picture(feeds, i, count), outputs, false)));
      return outputs.every((name) => near(pair[name]!, join(alone.map((row) => row[name]!))));
    } catch (error) {
      // The engine refuses, or shapes that hold the batch of 1 contradict a larger one.
      if (error instanceof ConvlensError && /^(engine-failed|model-)/.test(error.code)) return false;
      throw error;
    }
  };

  const runPlan: Sessions["runPlan"] = async (plan, feeds, outputs, options = {}) => {
    throwIfCancelled(options.signal);
    // Only an input that the file fixes at one picture says how many there are: others may have a first axis of their own.
    const fixed = file.graph.inputs.filter((name) => isFixed(file.graph, name));
    const count = Math.max(1, ...fixed.map((name) => feeds[name]?.dims[0] ?? 1));
    if (count === 1) return pass(plan, feeds, outputs, false, options);
    if (batches === undefined) {
      batches = await canBatch(plan, feeds, outputs, count);
      if (!batches) note(`"${file.source.name}" takes one picture at a time: batches are fed one by one`);
    }
    return batches ? pass(plan, feeds, outputs, true, options) : loop(plan, feeds, outputs, count, options);
  };

  return {
    base: file.graph,
    known<T>(key: string, make: () => T): T {
      const value = facts.has(key) ? (facts.get(key) as T) : make();
      facts.set(key, value);
      return value;
    },
    runPlan,
    compute: (graph, feeds, options) =>
      pass({ key: `own ${identity(graph)}`, build: () => graph, beside: true }, feeds, graph.outputs, false, options),
    run: async (feeds, outputs, options = {}) => {
      const computed = outputs.filter((name) => !file.graph.inputs.includes(name));
      const given = Object.fromEntries(outputs.flatMap((name) => (feeds[name] ? [[name, feeds[name]]] : [])));
      const inner = computed.find((output) => !file.graph.outputs.includes(output));
      if (inner !== undefined && file.opaque !== undefined)
        throw new ConvlensError(
          "model-unsupported",
          `"${inner}" cannot be computed, only the outputs of "${file.source.name}": ${file.opaque}`,
        );
      throwIfCancelled(options.signal);
      if (computed.length === 0) return given;
      const plan = { key: JSON.stringify(computed), build: (graph: Graph) => subgraph(graph, computed) };
      return { ...given, ...(await runPlan(plan, feeds, computed, options)) };
    },
    release: async () => {
      const all = [...entries.values()];
      entries.clear();
      for (const { session } of all) if (await settles(session)) await (await session).release();
    },
  };
}

const settles = (promise: Promise<unknown>): Promise<boolean> =>
  promise.then(
    () => true,
    () => false,
  );

/** Releases the sessions used longest ago that nobody uses now, until the rest is within the bounds. */
async function evict(entries: Map<string, Entry>): Promise<void> {
  const total = () => [...entries.values()].reduce((sum, entry) => sum + entry.bytes, 0);
  for (const [key, entry] of entries) {
    if (entries.size <= MOST_SESSIONS && (total() <= MOST_BYTES || entries.size === 1)) return;
    if (entry.users > 0) continue;
    entries.delete(key);
    await (await entry.session).release();
  }
}

const isFixed = (graph: Graph, input: string): boolean => graph.values.get(input)?.shape[0] === 1;

/** The graph with a free first axis in each input that fixes it at 1; what was known of inner shapes is forgotten. */
export function freeBatch(graph: Graph): Graph {
  const values = new Map(
    [...graph.values].flatMap(([name, info]) => {
      if (!graph.inputs.includes(name))
        return graph.outputs.includes(name) ? [[name, { ...info, shape: [] }] as const] : [];
      return [[name, isFixed(graph, name) ? { ...info, shape: [null, ...info.shape.slice(1)] } : info] as const];
    }),
  );
  return { ...graph, values };
}

const constantBytes = (graph: Graph): number =>
  [...graph.constants.values()].reduce(
    (sum, constant) => sum + ("stored" in constant ? constant.stored.length : constant.data.byteLength),
    0,
  );

/** `length` pictures from `index` of every feed that holds `count`. */
function picture(feeds: Values, index: number, count: number, length = 1): Record<string, Tensor> {
  const part = (tensor: Tensor): Tensor => {
    if (tensor.dims[0] !== count) return tensor;
    const size = tensor.data.length / count;
    return {
      ...tensor,
      dims: [length, ...tensor.dims.slice(1)],
      data: tensor.data.slice(index * size, (index + length) * size),
    };
  };
  return Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, part(tensor)]));
}

function join(parts: readonly Tensor[]): Tensor {
  const { type, dims } = parts[0]!;
  const data = new arrayTypes[type](parts.reduce((sum, part) => sum + part.data.length, 0));
  let at = 0;
  for (const part of parts) {
    (data as Float32Array).set(part.data as Float32Array, at);
    at += part.data.length;
  }
  return { type, dims: [parts.reduce((sum, part) => sum + (part.dims[0] ?? 1), 0), ...dims.slice(1)], data };
}

/** Equal within float32 round-off of the largest element. */
function near(a: Tensor, b: Tensor): boolean {
  if (a.data.length !== b.data.length || a.dims.length !== b.dims.length) return false;
  let [largest, difference] = [0, 0];
  for (let i = 0; i < a.data.length; i++) {
    const [x, y] = [Number(a.data[i]), Number(b.data[i])];
    largest = Math.max(largest, Math.abs(y));
    difference = Math.max(difference, Math.abs(x - y));
  }
  return difference <= 1e-4 * largest + 1e-6;
}
