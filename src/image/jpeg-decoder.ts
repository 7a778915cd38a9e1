/**
 * libjpeg-turbo in WASM with vector instructions (codecs/jpeg/): a JPEG to RGBA, strip by strip, so that only the
 * file and, of a progressive picture, its coefficients take memory there.
 */
import type { Picture } from "../core/picture.ts";
import { ImageProblem } from "./header.ts";

interface Exports {
  readonly memory: WebAssembly.Memory;
  /** Room for a file of that size. */
  room(size: number): number;
  /** Reads the header and starts; where the strips will lie. */
  begin(size: number): number;
  width(): number;
  height(): number;
  /** Fills the strip with the next rows; how many they are. */
  next(): number;
}

/** WASM memory grows and never shrinks: beyond this it is given back. */
const keptBytes = 64 * 2 ** 20;
let module: Promise<WebAssembly.Module> | undefined;
let kept: Exports | undefined;

async function compile(): Promise<WebAssembly.Module> {
  const { jpegDecoder } = await import("./jpeg-decoder.generated.ts");
  const text = atob(jpegDecoder);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return WebAssembly.compile(bytes);
}

function fail(noMemory: number): never {
  throw new ImageProblem(`cannot be decoded: ${noMemory ? "it takes too much memory" : "its data are damaged"}`);
}

/** The pixels of a JPEG whose header says `width` x `height`, as Pillow's `convert("RGB")` gives them. Throws `ImageProblem`. */
export async function decodeTurbo(bytes: Uint8Array, width: number, height: number): Promise<Picture> {
  module ??= compile();
  const compiled = await module;
  const decoder = kept ?? (new WebAssembly.Instance(compiled, { convlens: { fail } }).exports as unknown as Exports);
  // After a failure the instance is not to be trusted: it is kept again only at the end.
  kept = undefined;
  const data = new Uint8ClampedArray(width * height * 4);
  try {
    const at = decoder.room(bytes.length);
    new Uint8Array(decoder.memory.buffer).set(bytes, at);
    const strip = decoder.begin(bytes.length);
    if (decoder.width() !== width || decoder.height() !== height) fail(0);
    for (let to = 0; to < data.length; ) {
      const count = decoder.next() * width * 4;
      data.set(new Uint8Array(decoder.memory.buffer, strip, count), to);
      to += count;
    }
  } catch (error) {
    if (error instanceof ImageProblem) throw error;
    throw new ImageProblem("cannot be decoded: its data are damaged", { cause: error });
  }
  if (decoder.memory.buffer.byteLength <= keptBytes) kept = decoder;
  return { width, height, data };
}
