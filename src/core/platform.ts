/**
 * What a platform (Node, a browser) fills in. Everything outside `platform/` sees only these interfaces, so nothing
 * else asks where it runs.
 */
import type { Tensor } from "./tensor.ts";

/** A readable run of bytes with a name: a file on disk, a Blob, an array. Reads may be for any range. */
export interface ByteSource {
  /** File name without folder, as errors and results show it. */
  readonly name: string;
  readonly size: number;
  /** The path on disk, where there is one: engines map weights from it without copying. */
  readonly path?: string;
  /** Reads `length` bytes from `offset`; throws `file-truncated` when the source ends before. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** A file beside this one (external weights, a model card), by relative path; `undefined` when there is none. Refuses paths that leave the folder, links included, with `model-invalid`. */
  sibling(relativePath: string): Promise<ByteSource | undefined>;
}

/** A file that a graph's external initializers name by `location`. */
export interface ExternalFile {
  readonly location: string;
  readonly source: ByteSource;
}

/** What an engine makes a session of: a whole file, or a (small) graph whose weights lie in other files. */
export type EngineModel =
  | { readonly kind: "file"; readonly source: ByteSource }
  | { readonly kind: "graph"; readonly bytes: Uint8Array; readonly files: readonly ExternalFile[] };

export interface EngineOptions {
  /** Threads of one operator; 0 or absent: the engine's own choice. */
  readonly threads?: number;
  /** `cpu`, `wasm`, `webgpu` … ; absent: the platform's default. */
  readonly device?: string;
  /**
   * `false`: threads sleep as soon as they have nothing to do. By default they spin for a while, which is quick for the
   * next run of the same session and takes the processor from another's.
   */
  readonly spin?: false;
}

export interface AnswerOptions {
  /** The memory of the answers may be used again by the next such run of the same graph: whoever asks is done with them by then. */
  readonly transient?: true;
}

export interface EngineSession {
  readonly inputs: readonly {
    readonly name: string;
    readonly type: string;
    readonly dims: readonly (number | string)[];
  }[];
  readonly outputs: readonly string[];
  /** Runs once. All outputs of the session are computed whatever is fetched. Throws `engine-failed`. */
  run(
    feeds: Readonly<Record<string, Tensor>>,
    outputs?: readonly string[],
    options?: AnswerOptions,
  ): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
}

export interface Engine {
  /** Name and version, as results state it: "onnxruntime-node 1.30.0 (cpu)". */
  readonly name: string;
  createSession(model: EngineModel, options?: EngineOptions): Promise<EngineSession>;
  /** Engines of the same kind in threads of their own; absent where there are none (browsers, WASM). */
  readonly workers?: {
    /** How many of them this machine can run at once. */
    readonly cores: number;
    open(): WorkerEngine;
  };
}

export interface WorkerEngine extends Engine {
  /** Ends the thread; all its sessions must have been released. */
  close(): Promise<void>;
}

export interface Zlib {
  /** Inflates zlib data, given in parts, that hold exactly `size` bytes; `undefined` for any other. */
  inflate(parts: readonly Uint8Array[], size: number): Uint8Array | undefined;
  /** Packs bytes as zlib data beside the calling thread. */
  deflate(bytes: Uint8Array, level: number): Promise<Uint8Array>;
  crc32(bytes: Uint8Array): number;
}

/** A file on the network, and what tells that it came whole. */
export interface RemoteFile {
  /** Its name in the store. */
  readonly name: string;
  readonly address: string;
  readonly md5?: string;
  readonly sha256?: string;
  readonly bytes?: number;
}

/** Files that are downloaded once and kept. */
export interface FileStore {
  readonly folder: string;
  /** A file that is there, whole; `undefined` for any other. */
  find(name: string): Promise<ByteSource | undefined>;
  /** Downloads what is not there, goes on with what is there in part, and checks it. Progress counts bytes. Throws `network-failed`, `file-missing` (offline), `output-failed` and `cancelled`. */
  download(file: RemoteFile, options?: RunOptions): Promise<ByteSource>;
}

export interface Platform {
  readonly name: "node" | "web";
  /** Opens a path, a URL, bytes, a File or Blob, or Files that belong together (a model and its weights). */
  open(what: string | URL | Uint8Array | ArrayBuffer | Blob | readonly File[], name?: string): Promise<ByteSource>;
  /** A file that ships in the package's `models/` folder. */
  embedded(name: string): Promise<ByteSource>;
  /** The engine; made on first use. */
  engine(): Promise<Engine>;
  /** The compiled WASM of a picture codec; `undefined` where the codec finds its own file (browsers). */
  codec(name: "webp-decode" | "jpeg-encode"): Promise<WebAssembly.Module | undefined>;
  /** Native code for PNG; absent in browsers. */
  readonly zlib?: Zlib;
  /** Where downloads are kept; absent in browsers. */
  readonly store?: FileStore;
  /** SHA-256 of a whole source, lower-case hex, read piece by piece. */
  sha256(source: ByteSource): Promise<string>;
  /** Where notices go that no result carries ("native engine not installed, using WASM"). */
  notice(message: string): void;
}

/** What every call that may take over a second accepts. */
export interface RunOptions {
  readonly signal?: AbortSignal;
  /** `done` of `total` steps; `what` names the present one. */
  readonly onProgress?: (done: number, total: number, what: string) => void;
}
