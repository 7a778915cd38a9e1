/**
 * Runs the WASM picture codecs. An instance is kept for the next picture, except after a failure (its heap is then
 * not to be trusted) or a large picture (WASM memory grows and never shrinks).
 */
import { ConvlensError } from "../core/errors.ts";
import type { Platform } from "../core/platform.ts";
import { ImageProblem } from "./header.ts";

export type CodecName = Parameters<Platform["codec"]>[0];

interface FactoryOptions {
  readonly noInitialRun: boolean;
  readonly print: (line: string) => void;
  readonly printErr: (line: string) => void;
  readonly instantiateWasm?: (
    imports: WebAssembly.Imports,
    done: (instance: WebAssembly.Instance) => void,
  ) => WebAssembly.Exports;
}
/** The default export of an Emscripten glue file. */
export type CodecFactory<T> = (options: FactoryOptions) => Promise<T>;

const keptPixels = 16e6;
const kept = new Map<CodecName, Promise<unknown>>();

async function instantiate<T>(
  name: CodecName,
  load: () => Promise<CodecFactory<T>>,
  codec: Platform["codec"],
): Promise<T> {
  const [factory, compiled] = await Promise.all([load(), codec(name)]);
  const silent = { noInitialRun: true, print: () => {}, printErr: () => {} };
  if (!compiled) return factory(silent);
  return factory({
    ...silent,
    instantiateWasm(imports, done) {
      const instance = new WebAssembly.Instance(compiled, imports);
      done(instance);
      return instance.exports;
    },
  });
}

/** Calls `work`, which must not wait for anything, with an instance of the codec. `pixels`: the size of the picture it will handle. Throws `ImageProblem` when `work` fails. */
export async function withCodec<T, R>(
  name: CodecName,
  load: () => Promise<CodecFactory<T>>,
  codec: Platform["codec"],
  pixels: number,
  work: (instance: T) => R,
): Promise<R> {
  const instance = (kept.get(name) as Promise<T> | undefined) ?? instantiate(name, load, codec);
  kept.delete(name);
  const ready = await instance.catch((cause: unknown) => {
    throw new ConvlensError("network-failed", `the picture codec "${name}" could not be loaded`, { cause });
  });
  let result: R;
  try {
    result = work(ready);
  } catch (error) {
    throw new ImageProblem("cannot be decoded: its data are damaged", { cause: error });
  }
  if (pixels <= keptPixels) kept.set(name, instance);
  return result;
}
