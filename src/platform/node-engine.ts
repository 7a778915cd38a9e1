/** ONNX Runtime in Node: the native library where it is installed, else the WASM engine. */
import { availableParallelism } from "node:os";
import { ConvlensError } from "../core/errors.ts";
import type { Engine, EngineModel } from "../core/platform.ts";
import { workerRuntime } from "./node-workers.ts";
import type { Loader, Runtime } from "./ort.ts";
import { ortEngine, webgpu } from "./ort.ts";
import { bytesLoader } from "./ort-web.ts";
import { readAll } from "./source.ts";

/** The engine: native, or WASM where `CONVLENS_ENGINE=wasm` asks for it or the native package is not installed. */
export async function nodeEngine(notice: (message: string) => void): Promise<Engine> {
  const wanted = process.env.CONVLENS_ENGINE ?? "";
  if (!["", "native", "wasm"].includes(wanted))
    throw new ConvlensError("option-invalid", `CONVLENS_ENGINE is "${wanted}": it may be "native" or "wasm"`);
  if (wanted === "wasm") return wasmEngine();
  try {
    return await nativeEngine();
  } catch (error) {
    if (wanted === "native")
      throw new ConvlensError("engine-failed", `onnxruntime-node cannot be loaded: ${firstLine(error)}`, {
        cause: error,
      });
    const absent = (error as { code?: unknown }).code === "ERR_MODULE_NOT_FOUND";
    notice(
      `the native engine, onnxruntime-node, ${absent ? "is not installed" : `cannot be loaded (${firstLine(error)})`}: ` +
        "using the slower WASM engine. For the native one: npm install onnxruntime-node@1.30.0 --ignore-scripts",
    );
    return wasmEngine();
  }
}

const firstLine = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split("\n")[0]!;

async function nativeEngine(): Promise<Engine> {
  // From 1.30 the native library keeps an id and a log of events under the home folder, to be sent to its makers.
  process.env.ORT_DISABLE_TELEMETRY = "1";
  const ort = await import("onnxruntime-node");
  ort.env.logLevel = "fatal";
  const engineOf = (runtime: Runtime): Engine =>
    ortEngine(runtime, `onnxruntime-node ${ort.env.versions.common} (cpu)`, nativeLoader, (device = "cpu") => {
      const known = ort.listSupportedBackends().map(({ name }) => name);
      if (!known.includes(device))
        throw new ConvlensError("option-invalid", `device "${device}" is not one of ${known.join(", ")}`);
      return [device === "webgpu" ? webgpu : device];
    });
  return {
    ...engineOf(ort),
    workers: {
      cores: availableParallelism(),
      open: () => {
        const { runtime, close } = workerRuntime();
        return { ...engineOf(runtime), close };
      },
    },
  };
}

async function wasmEngine(): Promise<Engine> {
  const ort = await import("onnxruntime-web");
  ort.env.logLevel = "fatal";
  // Worker threads would keep a process alive that has nothing left to do.
  ort.env.wasm.numThreads = 1;
  return ortEngine(ort, `onnxruntime-web ${ort.env.versions.common} (wasm)`, bytesLoader, (device = "wasm") => {
    if (device !== "wasm" && device !== "cpu")
      throw new ConvlensError("option-invalid", `device "${device}" is not one of wasm, cpu`);
    return ["wasm"];
  });
}

/**
 * From this many bytes of weights on, packing them for the engine's matrix products costs more than it saves: it copies
 * what was mapped, half of the time until VGG16's first answer; single pictures never use it, four at once save 7 %.
 */
const LARGE = 2 ** 28;

/** Files go by path; weights of built graphs are mapped from the user's files where all lie under one folder. */
const nativeLoader: Loader = async (model) => {
  if (model.kind === "file") return { model: model.source.path ?? (await readAll(model.source)), options: {} };
  if (model.files.length === 0) return { model: model.bytes, options: {} };
  const folder = commonFolder(model);
  if (folder === undefined) return bytesLoader(model);
  const isLarge = model.files.reduce((sum, { source }) => sum + source.size, 0) >= LARGE;
  const session = {
    model_external_initializers_file_folder_path: folder,
    ...(isLarge ? { disable_prepacking: "1" } : {}),
  };
  return { model: model.bytes, options: { extra: { session } } };
};

/** The folder from which every location leads to its file's own path (links and archives have none). */
function commonFolder(model: EngineModel & { kind: "graph" }): string | undefined {
  const folders = model.files.map(({ location, source }) => {
    const path = source.path?.replaceAll("\\", "/");
    return path?.endsWith(`/${location}`) ? path.slice(0, -location.length - 1) : undefined;
  });
  return folders.every((folder) => folder === folders[0]) && folders[0] !== undefined ? folders[0] || "/" : undefined;
}
