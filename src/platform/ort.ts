/**
 * ONNX Runtime behind core's `Engine`: the same few lines for the native library, WASM and WebGPU. Calls are queued,
 * because the web engines fail when two overlap ("Session already started").
 */
import type { InferenceSession, Tensor as OrtTensor } from "onnxruntime-common";
import { ConvlensError } from "../core/errors.ts";
import type { AnswerOptions, Engine, EngineModel, EngineOptions, EngineSession } from "../core/platform.ts";
import type { ElementType, Tensor } from "../core/tensor.ts";
import { arrayTypes } from "../core/tensor.ts";

/** The part of an onnxruntime package that is used here. */
export interface Runtime {
  readonly InferenceSession: typeof InferenceSession;
  readonly Tensor: typeof OrtTensor;
}

/** What a run is told; `transient` is for workers alone. */
type Settings = InferenceSession.RunOptions & Pick<AnswerOptions, "transient">;

/** How one platform turns a model into what `InferenceSession.create` takes. */
export type Loader = (
  model: EngineModel,
) => Promise<{ model: string | Uint8Array; options: InferenceSession.SessionOptions }>;

/** WebGPU with the layout that graphs have; left to itself ONNX Runtime puts transposes around each convolution. */
export const webgpu: InferenceSession.ExecutionProviderConfig = { name: "webgpu", preferredLayout: "NCHW" };

/** Makes an engine of a runtime. `providers` gives ONNX Runtime's execution providers for a device's name. */
export function ortEngine(
  runtime: Runtime,
  name: string,
  load: Loader,
  providers: (device: string | undefined) => InferenceSession.ExecutionProviderConfig[],
): Engine {
  let last: Promise<unknown> = Promise.resolve();
  const queued = <T>(work: () => Promise<T>): Promise<T> => {
    const next = last.then(work, work);
    last = next.catch(() => undefined);
    return next;
  };
  return {
    name,
    createSession: (model, options = {}) =>
      queued(async () => {
        const loaded = await load(model);
        const executionProviders = providers(options.device);
        const what = model.kind === "file" ? `"${model.source.name}"` : "the model";
        const session = await failing(`${what} cannot be loaded`, () =>
          // `create` has an overload for each kind of model; a union fits none of them.
          runtime.InferenceSession.create(loaded.model as Uint8Array, {
            ...sessionOptions(options),
            executionProviders,
            ...loaded.options,
            ...(options.spin === false ? { extra: sleeping(loaded.options.extra) } : {}),
          }),
        );
        return wrap(runtime, session, queued);
      }),
  };
}

/** Session settings with threads that do not spin. */
const sleeping = (extra: Record<string, unknown> = {}): Record<string, unknown> => ({
  ...extra,
  session: { ...(extra.session as object | undefined), intra_op: { allow_spinning: "0" } },
});

const sessionOptions = (options: EngineOptions): InferenceSession.SessionOptions => ({
  ...(options.threads ? { intraOpNumThreads: options.threads, interOpNumThreads: 1 } : {}),
  // Only fatal messages: errors come as exceptions, and warnings about a user's file are nothing he can act on.
  logSeverityLevel: 4,
});

function wrap(
  runtime: Runtime,
  session: InferenceSession,
  queued: <T>(work: () => Promise<T>) => Promise<T>,
): EngineSession {
  let released: Promise<void> | undefined;
  return {
    inputs: session.inputMetadata.map((input) => ({
      name: input.name,
      type: input.isTensor ? input.type : "no tensor",
      dims: input.isTensor ? input.shape : [],
    })),
    outputs: session.outputNames,
    run: (feeds, outputs, { transient } = {}) =>
      queued(async () => {
        const given = Object.entries(feeds).map(([name, tensor]) => [name, toOrt(runtime, name, tensor)] as const);
        const results = await failing("the model cannot be run", () =>
          session.run(Object.fromEntries(given), outputs ?? session.outputNames, {
            logSeverityLevel: 4,
            transient,
          } as Settings),
        );
        return Object.fromEntries(Object.entries(results).map(([name, value]) => [name, fromOrt(name, value)]));
      }),
    release: () => {
      released ??= queued(() => session.release());
      return released;
    },
  };
}

function toOrt(runtime: Runtime, name: string, tensor: Tensor): OrtTensor {
  if (tensor.type === "bfloat16")
    throw new ConvlensError(
      "engine-failed",
      `input "${name}" is bfloat16, which ONNX Runtime's JavaScript cannot feed`,
    );
  return new runtime.Tensor(tensor.type, tensor.data as Float32Array, [...tensor.dims]);
}

function fromOrt(name: string, value: OrtTensor): Tensor {
  const type = value.type as ElementType;
  const array = arrayTypes[type];
  if (!array) throw new ConvlensError("engine-failed", `output "${name}" holds ${value.type}, not numbers`);
  const data = value.data as Tensor["data"];
  // Newer JavaScript engines give half precision as Float16Array; its bits are what a Tensor holds.
  const same = data instanceof (array as unknown as new () => object);
  return { type, dims: value.dims, data: same ? data : new array(data.buffer, data.byteOffset, data.length) };
}

/** Runs an engine call; its errors, plain text with C++ paths, become one line with the code `engine-failed`. */
async function failing<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new ConvlensError("engine-failed", `${what}: ${plainText(text)}${advice(text)}`, { cause: error });
  }
}

/** What to do about an operator that the engine does not have. */
function advice(message: string): string {
  if (/is not a registered function\/op|No Op registered for/.test(message))
    return "; Convlens runs the operators of ONNX and com.microsoft: export the network without this one";
  if (/Could not find an implementation for/.test(message))
    return "; the engine lacks it for this type of numbers (float64 and bfloat16, mostly): export the network as float32";
  return "";
}

/** ONNX Runtime's message without source positions, signatures and line ends. */
export function plainText(message: string): string {
  // Names in a message may be as long as a file makes them; the patterns below would take minutes over them.
  const text = message
    .slice(0, 2000)
    .replace(/\s+/g, " ")
    .replace(/^Error: |^failed to call OrtRun\(\)\. |^Can.t create a session\. /g, "")
    .replace(/^ERROR_CODE: \d+, ERROR_MESSAGE: /, "")
    .replace(
      /\S*\.(cc|h|cpp|hpp):\d+ (virtual |static )?[^()]*\([^()]*(\([^()]*\)[^()]*)*\)( const)?( \[with .*?\])? ?/g,
      "",
    )
    .replace(/\S*\/(onnxruntime|onnxruntime_src)\/\S+|\S*<lambda\(\)>/g, "")
    .replace(/Load model from \S+ failed: ?/, "")
    .replace(
      /Non-zero status code returned while running (\S+) node\. Name:'([^']*)' Status Message: ?/,
      '$1 node "$2": ',
    )
    .replace(/ +/g, " ")
    .trim();
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
}
