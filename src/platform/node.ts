/** Node behind core's `Platform`: files, addresses and bytes, ONNX Runtime native or WASM, the codecs' files. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { crc32, deflate, inflateSync } from "node:zlib";
import { ConvlensError } from "../core/errors.ts";
import type { Engine, Platform, Zlib } from "../core/platform.ts";
import { addressSource, httpAddress } from "./address.ts";
import { fileSource } from "./node-files.ts";
import { sha256 } from "./node-hash.ts";
import { nodeStore, type StoreOptions } from "./node-store.ts";
import { memorySource } from "./source.ts";

const codecFiles = {
  "jpeg-encode": "@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm",
  "webp-decode": "@jsquash/webp/codec/dec/webp_dec.wasm",
} as const;

/** The package's `models/` folder, from `src/platform/` and from `dist/platform/` alike. */
const modelsFolder = new URL("../../models/", import.meta.url);

export interface NodePlatformOptions extends StoreOptions {
  /** Takes notices that no result carries; default: a line on stderr. */
  readonly notice?: (message: string) => void;
}

const packed = promisify<Uint8Array, { level: number }, Uint8Array>(deflate);

const zlib: Zlib = {
  deflate: (bytes, level) => packed(bytes, { level }),
  crc32: (bytes) => crc32(bytes),
  inflate: (parts, size) => {
    try {
      // One byte of room more than is wanted: a full buffer would ask for another.
      const bytes = inflateSync(Buffer.concat(parts), { chunkSize: size + 1, maxOutputLength: size + 1 });
      return bytes.length === size ? bytes : undefined;
    } catch {
      return undefined;
    }
  },
};

/** Makes the platform of Node. `CONVLENS_ENGINE=wasm` in the environment chooses the WASM engine. */
export function createNodePlatform(options: NodePlatformOptions = {}): Platform {
  const notice = options.notice ?? ((message: string) => void process.stderr.write(`convlens: ${message}\n`));
  let engine: Promise<Engine> | undefined;
  const codecs = new Map<string, Promise<WebAssembly.Module>>();
  return {
    name: "node",
    notice,
    open: async (what, name) => {
      const url = httpAddress(what);
      if (url) return addressSource(url, name);
      const inMemory = memorySource(what, name);
      if (inMemory) return inMemory;
      if (typeof what === "string") return fileSource(what.startsWith("file://") ? fileURLToPath(what) : what);
      if (what instanceof URL && what.protocol === "file:") return fileSource(fileURLToPath(what));
      throw new ConvlensError("option-invalid", `"${String(what)}" is no path, http(s) address or bytes`);
    },
    embedded: (name) => fileSource(fileURLToPath(new URL(name, modelsFolder))),
    engine: () => {
      engine ??= import("./node-engine.ts").then(({ nodeEngine }) => nodeEngine(notice));
      return engine;
    },
    codec: (name) => {
      const known = codecs.get(name);
      if (known) return known;
      const file = createRequire(import.meta.url).resolve(codecFiles[name]);
      const compiled = readFile(file).then((bytes) => WebAssembly.compile(bytes));
      codecs.set(name, compiled);
      return compiled;
    },
    zlib,
    store: nodeStore(options),
    sha256,
  };
}

/** The platform with its defaults. */
export const nodePlatform: Platform = createNodePlatform();
