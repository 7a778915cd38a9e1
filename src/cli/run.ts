/** What every verb does first: find the model and the pictures among the arguments, open them, say what was chosen. */
import { basename, join } from "node:path";
import { ConvlensError, embeddedModels, type Model, type OpenOptions } from "../index.ts";
import { createNodePlatform, openModel } from "../node.ts";
import { partNames, sortFiles } from "./files.ts";
import { type Input, type Loaded, pictureInput, tensorInput } from "./inputs.ts";
import type { InputFlags, ModelFlags, OutputFlags } from "./options.ts";
import { makeTerminal, oneLine, type Terminal } from "./terminal.ts";

export interface Run {
  readonly model: Model;
  /** As it was named; absent: the embedded one. */
  readonly modelFile: string | undefined;
  readonly terminal: Terminal;
  readonly inputs: readonly Input[];
  readonly several: boolean;
}

/** Opens what a command line names. `needs` says whether an input is wanted besides the model; `perhaps`: it may be left out. */
export async function openRun(
  files: readonly string[],
  flags: (ModelFlags | InputFlags) & OutputFlags,
  needs: "model" | "image" | "perhaps",
): Promise<Run> {
  const terminal = makeTerminal(flags);
  const platform = createNodePlatform({ notice: (message) => terminal.note(`note: ${message}`) });
  const { modelFile, pictures } = await sortFiles(files, flags.model, needs === "model" ? "model" : "image");
  const tensors = "tensor" in flags ? flags.tensor : [];
  if (tensors.length > 0 && pictures.length > 0)
    throw new ConvlensError(
      "option-invalid",
      `--tensor takes the place of a picture: leave out "${pictures[0]}" or --tensor`,
    );
  if (modelFile === undefined) terminal.note("no --model: the demo network");
  const model = await terminal.time("opening the model", () =>
    openModel(modelFile ?? "cats-and-dogs", { ...modelChoices(flags), pictures: tensors.length === 0 }, platform),
  );
  // Every result carries the file's hash: of a large one it is worked out while the engine opens it.
  model.sha256().catch(() => {});
  const folder = flags.out ?? "convlens-out";
  const inputs: Input[] = [];
  if (needs !== "model") {
    if (model.inputs.length > Math.max(1, tensors.length))
      throw new ConvlensError(
        "option-invalid",
        `the network has ${model.inputs.length} inputs (${model.inputs.map(({ name }) => name).join(", ")}): give each with --tensor NAME=FILE.npy`,
      );
    const opening = { model, terminal, platform, exif: "exif" in flags ? flags.exif : true };
    if (tensors.length > 0) inputs.push(tensorInput(model, tensors, folder));
    else if (pictures.length > 0) {
      const parts = partNames(pictures);
      for (const [i, path] of pictures.entries()) {
        const place = { name: basename(path), open: () => platform.open(path) };
        inputs.push(pictureInput(opening, place, pictures.length > 1 ? join(folder, parts[i]!) : folder));
      }
    } else if (modelFile === undefined || embeddedModels.includes(modelFile)) {
      terminal.note("no image: the demo photograph");
      const place = { name: "chelsea.png", open: () => platform.embedded("photographs/chelsea.png") };
      inputs.push(pictureInput(opening, place, folder));
    } else if (needs === "image")
      throw new ConvlensError("option-invalid", "no picture is named: give photographs, or --tensor FILE.npy");
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

/** The flags as options of `openModel`; absent ones stay absent. */
function modelChoices(flags: ModelFlags): OpenOptions {
  const {
    architecture,
    labels,
    preprocess: preprocessing,
    resize,
    fit,
    size,
    head,
    activation,
    threads,
    device,
  } = flags;
  return present({ architecture, labels, preprocessing, head, activation, threads, device, fit, size, ...resize });
}

/** Without the entries that are undefined. */
const present = <T extends object>(entries: T): { [K in keyof T]-?: NonNullable<T[K]> } =>
  Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]-?: NonNullable<T[K]>;
  };
