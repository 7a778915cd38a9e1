/** What a network is given: photographs, or the ready tensors of `--tensor`. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import {
  type ByteSource,
  ConvlensError,
  decodeImage,
  type Feeds,
  isTensor,
  type Model,
  type Picture,
  type Platform,
  type Prepared,
  readNpy,
  type Tensor,
} from "../index.ts";
import type { Terminal } from "./terminal.ts";

/** One photograph, or the ready tensors of `--tensor`. */
export interface Input {
  /** As results name it. */
  readonly name: string;
  /** Where its files go: the output folder, or one of its own where there are several pictures. */
  readonly folder: string;
  load(): Promise<Loaded>;
}

export interface Loaded {
  readonly feeds: Feeds;
  /** The photograph; absent with `--tensor`. */
  readonly picture?: Picture;
  /** Where the network's input lies on the photograph. */
  readonly region?: Prepared["region"];
  /** The photograph's file. */
  readonly bytes?: Uint8Array;
}

/** Where a photograph comes from. */
export interface Place {
  readonly name: string;
  open(): Promise<ByteSource>;
}

export function pictureInput(
  { model, terminal, platform, exif }: { model: Model; terminal: Terminal; platform: Platform; exif: boolean },
  { name, open }: Place,
  folder: string,
): Input {
  return {
    name,
    folder,
    async load() {
      const source = await open();
      const bytes = await source.read(0, source.size);
      const { picture, notes } = await terminal.time(`decoding ${name}`, () =>
        decodeImage(bytes, { codec: platform.codec, zlib: platform.zlib, name, exif }),
      );
      for (const note of notes) terminal.note(`note: ${name}: ${note}`);
      const { tensor, region } = model.prepare(picture);
      return { feeds: tensor, picture, region, bytes };
    },
  };
}

export function tensorInput(model: Model, specs: readonly string[], folder: string): Input {
  const named = specs.map((spec) => {
    const at = spec.indexOf("=");
    const plain = at < 0 || existsSync(spec);
    return { input: plain ? undefined : spec.slice(0, at), path: plain ? spec : spec.slice(at + 1) };
  });
  return {
    name: named.map(({ path }) => basename(path)).join(", "),
    folder,
    async load() {
      const feeds: Record<string, Tensor> = {};
      for (const { input = freeName(model, feeds), path } of named) {
        if (input in feeds) throw new ConvlensError("option-invalid", `--tensor names the input "${input}" twice`);
        feeds[input] = readNpy(await readBytes(path), basename(path));
      }
      return { feeds };
    },
  };
}

/** The input that an unnamed `--tensor` is for: the next one in the network's order. */
function freeName(model: Model, feeds: Readonly<Record<string, Tensor>>): string {
  const input = model.inputs.find(({ name }) => !(name in feeds));
  if (input !== undefined) return input.name;
  const names = model.inputs.map(({ name }) => name).join(", ");
  throw new ConvlensError(
    "option-invalid",
    `more --tensor than inputs: the network has ${model.inputs.length} (${names})`,
  );
}

/** Throws `file-missing` and `file-unreadable`. */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "does not exist" : code === "EISDIR" ? "is a folder" : `cannot be read (${code})`;
    throw new ConvlensError(code === "ENOENT" ? "file-missing" : "file-unreadable", `"${path}" ${why}`);
  }
}

/** The network with the outputs of its last pass kept: methods that follow on the same tensors share that pass. */
export function keepingPass(model: Model): Model {
  let feeds: Feeds | undefined;
  let kept: Readonly<Record<string, Tensor<"float32">>> = {};
  return {
    ...model,
    async run(given, options = {}) {
      const { outputs } = options;
      if (given === feeds && outputs?.every((name) => Object.hasOwn(kept, name)))
        return Object.fromEntries(outputs.map((name) => [name, kept[name]!]));
      const results = await model.run(given, options);
      [feeds, kept] = [given, results];
      return results;
    },
  };
}

/** Splits a batch into its pictures, each with a batch axis of 1; as it is where a network's batch is fixed. */
export function batchRows(model: Model, feeds: Feeds): readonly Feeds[] {
  const named = isTensor(feeds) ? { [model.input.name]: feeds } : feeds;
  const count = Object.values(named)[0]?.dims[0] ?? 1;
  const free = model.inputs.every(({ name, shape }) => shape[0] === null && named[name]?.dims.length === shape.length);
  if (!free || count < 2 || Object.values(named).some((tensor) => tensor.dims[0] !== count)) return [feeds];
  return Array.from({ length: count }, (_, row) =>
    Object.fromEntries(Object.entries(named).map(([name, tensor]) => [name, rowOf(tensor, row)])),
  );
}

function rowOf(tensor: Tensor, row: number): Tensor {
  const size = tensor.data.length / tensor.dims[0]!;
  const data = tensor.data.subarray(row * size, (row + 1) * size) as typeof tensor.data;
  return { type: tensor.type, dims: [1, ...tensor.dims.slice(1)], data };
}
