/** What every verb does first: find the model and the pictures among the arguments, open them, say what was chosen. */
import { existsSync } from "node:fs";
import { open, readFile, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import {
  type ByteSource,
  ConvlensError,
  decodeImage,
  type Feeds,
  formats,
  type Model,
  type OpenOptions,
  type Picture,
  pictureKind,
  readNpy,
  type Tensor,
} from "../index.ts";
import { openModel, platform } from "../node.ts";
import type { InputFlags, ModelFlags, OutputFlags } from "./options.ts";
import { fileName } from "./outputs.ts";
import { makeTerminal, oneLine, type Terminal } from "./terminal.ts";

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
  /** The photograph's file. */
  readonly bytes?: Uint8Array;
}

export interface Run {
  readonly model: Model;
  /** As it was named; absent: the embedded one. */
  readonly modelFile: string | undefined;
  readonly terminal: Terminal;
  readonly inputs: readonly Input[];
  readonly several: boolean;
}

/** Opens what a command line names. `needs` says whether an input is wanted besides the model. */
export async function openRun(
  files: readonly string[],
  flags: (ModelFlags | InputFlags) & OutputFlags,
  needs: "model" | "image",
): Promise<Run> {
  const terminal = makeTerminal(flags);
  const { modelFile, pictures } = await sortFiles(files, flags.model, needs);
  const tensors = "tensor" in flags ? flags.tensor : [];
  if (tensors.length > 0 && pictures.length > 0)
    throw new ConvlensError(
      "option-invalid",
      `--tensor takes the place of a picture: leave out "${pictures[0]}" or --tensor`,
    );
  if (modelFile === undefined) terminal.note("no --model: the demo network");
  const model = await terminal.time("opening the model", () =>
    openModel(modelFile ?? "cats-and-dogs", modelChoices(flags)),
  );
  const exif = "exif" in flags ? flags.exif : true;
  const folder = flags.out ?? "convlens-out";
  const inputs: Input[] = [];
  if (needs === "image") {
    if (tensors.length > 0) inputs.push(tensorInput(model, tensors, folder));
    else if (pictures.length > 0) {
      const parts = partNames(pictures);
      for (const [i, path] of pictures.entries())
        inputs.push(
          pictureInput(
            model,
            terminal,
            { name: basename(path), open: () => platform.open(path) },
            exif,
            pictures.length > 1 ? join(folder, parts[i]!) : folder,
          ),
        );
    } else if (modelFile === undefined) {
      terminal.note("no image: the demo photograph");
      inputs.push(pictureInput(model, terminal, photograph, exif, folder));
    } else {
      throw new ConvlensError("option-invalid", "no picture is named: give photographs, or --tensor FILE.npy");
    }
  }
  return { model, modelFile, terminal, inputs, several: inputs.length > 1 };
}

/**
 * Runs an action for each input. One that is broken ends the run; of several it is reported, the others are done, and
 * the exit code tells.
 */
export async function forEachInput(run: Run, action: (input: Input, loaded: Loaded) => Promise<void>): Promise<void> {
  let failed = 0;
  for (const [i, input] of run.inputs.entries()) {
    if (run.several) run.terminal.progress(i, run.inputs.length, input.name);
    try {
      await action(input, await input.load());
    } catch (error) {
      if (!run.several || !(error instanceof ConvlensError) || error.code === "output-failed") throw error;
      run.terminal.progress(run.inputs.length, run.inputs.length, "");
      process.stderr.write(`convlens: ${oneLine(error.message)}\n`);
      failed++;
    }
  }
  if (run.several) run.terminal.progress(run.inputs.length, run.inputs.length, "");
  if (failed > 0) {
    process.stderr.write(`convlens: ${failed} of ${run.inputs.length} pictures failed\n`);
    process.exitCode = 2;
  }
}

/** Splits a batch into its pictures, each with a batch axis of 1; as it is where a network's batch is fixed. */
export function batchRows(model: Model, feeds: Feeds): readonly Feeds[] {
  const named = isTensor(feeds) ? { [model.input.name]: feeds } : feeds;
  const count = Object.values(named)[0]?.dims[0] ?? 1;
  const free = model.inputs.every((input) => input.shape[0] === null);
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

const isTensor = (feeds: Feeds): feeds is Tensor => "dims" in feeds && Array.isArray(feeds.dims);

/** The flags as options of `openModel`; absent ones stay absent. */
function modelChoices(flags: ModelFlags): OpenOptions {
  const { labels, preprocess: preprocessing, resize, fit, size, head, activation, threads, device } = flags;
  return present({
    labels,
    preprocessing,
    head,
    activation,
    threads,
    device,
    overrides: present({ ...resize, fit, size }),
  });
}

/** Without the entries that are undefined. */
const present = <T extends object>(entries: T): { [K in keyof T]-?: NonNullable<T[K]> } =>
  Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]-?: NonNullable<T[K]>;
  };

/** Which positional file is the model, and which are pictures: by content, else by extension. */
async function sortFiles(
  files: readonly string[],
  named: string | undefined,
  needs: "model" | "image",
): Promise<{ modelFile: string | undefined; pictures: readonly string[] }> {
  const pictures: string[] = [];
  let modelFile = named;
  for (const file of files) {
    if (needs === "image" && !(await isModel(file))) pictures.push(file);
    else if (modelFile === undefined) modelFile = file;
    else
      throw new ConvlensError(
        "option-invalid",
        `two networks are named: "${modelFile}" and "${file}"; one run takes one`,
      );
  }
  return { modelFile, pictures };
}

const modelExtensions = new Set([
  ".onnx",
  ".ort",
  ".h5",
  ".hdf5",
  ".keras",
  ".tflite",
  ".pt",
  ".pth",
  ".pb",
  ".json",
  ".safetensors",
]);

async function isModel(path: string): Promise<boolean> {
  const byName = modelExtensions.has(extname(path).toLowerCase());
  const head = await firstBytes(path);
  if (head === undefined) return byName || (existsSync(path) && (await stat(path)).isDirectory());
  if (pictureKind(head) !== undefined) return false;
  return byName || formats.some((format) => format.match(head, basename(path)));
}

/** Up to 4 KiB of a file; `undefined` for folders, addresses and what cannot be read (opening it will say why). */
async function firstBytes(path: string): Promise<Uint8Array | undefined> {
  const handle = await open(path).catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    const { bytesRead, buffer } = await handle.read(new Uint8Array(4096), 0, 4096, 0);
    return buffer.subarray(0, bytesRead);
  } catch {
    return undefined;
  } finally {
    await handle.close();
  }
}

/** Where a photograph comes from. */
interface Place {
  readonly name: string;
  open(): Promise<ByteSource>;
}

const photograph: Place = { name: "chelsea.png", open: () => platform.embedded("photographs/chelsea.png") };

function pictureInput(model: Model, terminal: Terminal, { name, open }: Place, exif: boolean, folder: string): Input {
  return {
    name,
    folder,
    async load() {
      const source = await open();
      const bytes = await source.read(0, source.size);
      const { picture, notes } = await terminal.time(`decoding ${name}`, () =>
        decodeImage(bytes, { codec: platform.codec, name, exif }),
      );
      for (const note of notes) terminal.note(`note: ${name}: ${note}`);
      return { feeds: model.prepare(picture).tensor, picture, bytes };
    },
  };
}

function tensorInput(model: Model, specs: readonly string[], folder: string): Input {
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

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "does not exist" : code === "EISDIR" ? "is a folder" : `cannot be read (${code})`;
    throw new ConvlensError(code === "ENOENT" ? "file-missing" : "file-unreadable", `"${path}" ${why}`);
  }
}

/** A folder name for each of several pictures: the file's name without extension, or more of the path where two agree. */
function partNames(paths: readonly string[]): readonly string[] {
  const unique = (names: readonly string[]) => new Set(names).size === names.length;
  const stems = paths.map((path) => basename(path, extname(path)));
  if (unique(stems)) return stems.map(fileName);
  const names = paths.map((path) => basename(path));
  return (unique(names) ? names : paths).map(fileName);
}
