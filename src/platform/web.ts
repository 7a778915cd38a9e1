/** A browser behind core's `Platform`: addresses, Files, Blobs and bytes; ONNX Runtime as WASM or WebGPU. */
import { ConvlensError } from "../core/errors.ts";
import type { Engine, Platform } from "../core/platform.ts";
import { addressSource } from "./address.ts";
import { ortEngine, webgpu } from "./ort.ts";
import { bytesLoader } from "./ort-web.ts";
import { memorySource, readAll } from "./source.ts";

export interface WebPlatformOptions {
  /** `wasm` (the default) or `webgpu`. */
  readonly device?: "wasm" | "webgpu";
  /** The folder from which ONNX Runtime's `.wasm` files are served; default: beside its own script. */
  readonly wasmFolder?: string;
  /** The folder from which the embedded networks are served; default: the package's own `models/`. */
  readonly modelsFolder?: string | URL;
  /** Threads of the WASM engine; more than 1 needs a cross-origin isolated page. */
  readonly threads?: number;
  /** Takes notices that no result carries; default: the console. */
  readonly notice?: (message: string) => void;
}

/** Makes the platform of a browser, of its pages and of its workers. */
export function createWebPlatform(options: WebPlatformOptions = {}): Platform {
  const models = new URL(options.modelsFolder ?? new URL("../../models/", import.meta.url), here());
  let engine: Promise<Engine> | undefined;
  return {
    name: "web",
    notice: options.notice ?? ((message) => console.warn(`convlens: ${message}`)),
    open: async (what, name) => {
      const inMemory = memorySource(what, name);
      if (inMemory) return inMemory;
      if ((typeof what === "string" || what instanceof URL) && URL.canParse(what, here()))
        return addressSource(new URL(what, here()), name);
      throw new ConvlensError("option-invalid", `"${String(what)}" is no address, File, Blob or bytes`);
    },
    embedded: (name) => addressSource(new URL(name, models)),
    engine: () => {
      engine ??= webEngine(options);
      return engine;
    },
    // The codecs' own scripts find their files in a browser.
    codec: async () => undefined,
    sha256: async (source) => {
      if (!globalThis.crypto?.subtle)
        throw new ConvlensError("engine-failed", "checksums need a secure page: serve it from https or from localhost");
      const hash = await crypto.subtle.digest("SHA-256", (await readAll(source)) as Uint8Array<ArrayBuffer>);
      return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    },
  };
}

/** The platform with its defaults. */
export const webPlatform: Platform = createWebPlatform();

/** The address of the page or worker, against which relative addresses are meant. */
function here(): string {
  return globalThis.location?.href ?? import.meta.url;
}

async function webEngine({ device = "wasm", wasmFolder, threads }: WebPlatformOptions): Promise<Engine> {
  const ort = device === "webgpu" ? await import("onnxruntime-web/webgpu") : await import("onnxruntime-web/wasm");
  ort.env.logLevel = "fatal";
  if (wasmFolder !== undefined) ort.env.wasm.wasmPaths = wasmFolder;
  if (threads !== undefined) ort.env.wasm.numThreads = threads;
  const offered = device === "webgpu" ? ["webgpu", "wasm"] : ["wasm"];
  return ortEngine(ort, `onnxruntime-web ${ort.env.versions.common} (${device})`, bytesLoader, (wanted = device) => {
    if (!offered.includes(wanted))
      throw new ConvlensError("option-invalid", `device "${wanted}" is not one of ${offered.join(", ")}`);
    return [wanted === "webgpu" ? webgpu : "wasm"];
  });
}
