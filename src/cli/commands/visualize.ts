/** `convlens visualize`: what filters and classes look for, as pictures made by gradient ascent. */
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { type Command, Option } from "commander";
import {
  type AscentState,
  ConvlensError,
  encodeApng,
  float32,
  type Images,
  imagesSheet,
  type MadeImage,
  type MethodInput,
  type Picture,
  pictureGrid,
  presets,
  reachedText,
  readNpy,
  type Tensor,
  toJson,
  visualize,
  writeNpy,
} from "../../index.ts";
import {
  collect,
  commonOptions,
  helpAndDefault,
  type InputFlags,
  inputOptions,
  methodOption,
  modelOptions,
  number,
  type OutputFlags,
  outputOptions,
  preprocessingHelp,
  readChannels,
  whole,
} from "../options.ts";
import { fileName, makeOutputs, wrote } from "../outputs.ts";
import { openRun, type Run } from "../run.ts";
import { clean, print, printJson } from "../terminal.ts";
import { readState, type SavedState, writeState } from "../visualize-state.ts";

interface Flags extends InputFlags, OutputFlags {
  readonly layer: string;
  readonly steps: number;
  readonly channel: readonly number[];
  readonly target: readonly string[];
  readonly position: readonly number[];
  readonly weights: readonly number[];
  readonly direction?: string;
  readonly grid?: { readonly down: number; readonly across: number };
  readonly start?: string;
  readonly frames?: number;
  readonly state?: boolean;
  readonly resume?: string;
}

/** The method's options that are flags of the same name. */
const plain = [
  "objective",
  "preset",
  "steps",
  "rate",
  "from",
  "optimizer",
  "parameters",
  "transforms",
  "normalize",
  "between",
  "power",
  "copies",
  "diversity",
  "l1",
  "l2",
  "tv",
  "blur",
  "boundary",
  "batch",
] as const;

export function define(command: Command): void {
  const { options } = visualize;
  const [layer, stage] = helpAndDefault(options.layer);
  const [position, middle] = helpAndDefault(options.position);
  command
    .argument("[files...]", "the network; a photograph tells how much of an activation is usual")
    .addOption(new Option("-l, --layer <name>", layer).default("", stage))
    .addOption(
      new Option("--channel <list|range>", "channels: 3,4,7,30 or 0:64")
        .argParser(readChannels)
        .default([], "the first 16"),
    )
    .addOption(
      new Option("-t, --target <index|name>", "a class in place of channels; repeat for more")
        .argParser(collect)
        .default([], "none"),
    );
  for (const name of plain) methodOption(command, name, options[name]);
  command
    .addOption(
      new Option("--weights <list>", options.weights.help).argParser(readNumbers("--weights")).default([], "none"),
    )
    .addOption(new Option("--position <row,column>", position).argParser(readNumbers("--position")).default([], middle))
    .option("--direction <file.npy>", "for --objective direction: a number for each channel of the layer")
    .addOption(new Option("--grid <RxC>", "rows and columns of the sheet").argParser(readGrid))
    .option("--start <file.npy>", "pictures to begin with, as --npy writes them, in place of noise");
  command
    .addOption(
      new Option("--frames <n>", "also write visualize.apng: the first batch at every n-th step").argParser(
        whole("--frames", 1),
      ),
    )
    .option("--state", "also write where it stopped, for --resume")
    .option("--resume <dir>", "go on where the run of that folder stopped, with its options; --steps in all");
  outputOptions(command, "where the pictures go (default: convlens-out)");
  command.option("--npy", "also write visualize.npy: [n, …] in the network's own units, before the picture rule");
  modelOptions(command);
  inputOptions(command);
  commonOptions(command);
  command
    .addHelpText(
      "after",
      `
--size is the size of the pictures, not that of the network's input.
Files: visualize.png, all pictures on one sheet; visualize.NAME.png, each alone at its own size; visualize.json. Ctrl-C keeps what
is there.

Presets (--preset):
${presetsHelp()}
${preprocessingHelp()}

Examples:
  $ convlens visualize                                             # channels of the demo network's last convolution
  $ convlens visualize vgg16.h5 --layer block3_conv1 --channel 0:64 --preset chollet --grid 8x8
  $ convlens visualize mobilenet.onnx --target 'bald eagle' --target 'tabby cat'
  $ convlens visualize resnet50.onnx owl.jpg --layer layer3 --channel 5 --copies 4 --diversity 1`,
    )
    .action(run);
}

const presetsHelp = (): string =>
  presets.map(({ id, title, source }) => `  ${id.padEnd(9)}${title}\n${" ".repeat(11)}${source}`).join("\n");

async function run(files: readonly string[], flags: Flags, command: Command): Promise<void> {
  const { size, ...rest } = flags;
  if (flags.resume !== undefined) mustBeResumable(command);
  if (flags.state && command.getOptionValue("preset") === "dream")
    throw new ConvlensError("option-invalid", "a dream is short and starts anew: leave out --state");
  const opened = await openRun(files, rest, "perhaps");
  const { model, terminal } = opened;
  const resumed = flags.resume === undefined ? undefined : await readState(flags.resume, await model.sha256());
  const start = flags.start === undefined ? resumed?.start : await readArray(flags.start);
  if (resumed) mustGoOn(flags, resumed.saved);
  const direction = flags.direction === undefined ? [] : Array.from((await readArray(flags.direction)).data, Number);
  const photo = await photographOf(opened);
  const stop = stopOnInterrupt(() => terminal.note("stopping after this step; Ctrl-C once more ends at once"));
  /** Of the batches under way: the first one's is shown. */
  const losses = new Map<number, readonly number[]>();
  let states: readonly AscentState[] = [];
  const frames: Picture[] = [];
  const given = Object.fromEntries(plain.map((name) => [name, flags[name as keyof Flags]]));
  const result = await terminal.time("visualize", () =>
    visualize.run(
      model,
      { ...photo, ...(start && { start }), ...(resumed && { resume: resumed.states }) },
      {
        ...given,
        layer: flags.layer,
        channels: flags.channel,
        targets: flags.target.map((word) => (/^\d+$/.test(word) ? Number(word) : word)),
        weights: flags.weights,
        position: flags.position,
        direction,
        size: size ?? [],
        seed: flags.seed,
        ...(resumed && { ...resumed.saved.options, ...(flags.steps > 0 && { steps: flags.steps }) }),
        onState: (all) => {
          states = all;
        },
        signal: stop.signal,
        onProgress: (done, total, what) => {
          // A bar moves with every step; lines are for every tenth of the way.
          if (process.stderr.isTTY || done % Math.ceil(total / 10) === 0)
            terminal.progress(done, total, `${what} ${curve(losses.values().next().value ?? [])}`);
        },
        onStep: (step) => {
          losses.set(step.batch, step.losses);
          if (step.step === step.steps) losses.delete(step.batch);
          if (flags.frames === undefined || step.batch > 0 || (step.step - 1) % flags.frames !== 0) return;
          const pictures = step.pictures();
          frames.push(pictureGrid(pictures, { across: Math.ceil(Math.sqrt(pictures.length)), order: "rows" }, 2));
        },
      },
    ),
  );
  stop.end();
  const shown = flags.grid ? gridded(result, flags.grid) : result;
  for (const note of shown.notes) terminal.note(`note: ${note}`);
  const folder = flags.out ?? "convlens-out";
  const stopped = stop.signal.aborted;
  const written = await write(folder, shown, flags, frames, flags.state || stopped ? states : [], start);
  if (flags.json) printJson(toJson(shown));
  else for (const made of shown.images) print(lineOf(made));
  terminal.note(wrote(written, folder));
}

/** What a resumed run takes from its folder cannot be given again. */
function mustBeResumable(command: Command): void {
  const own = [...plain, "layer", "channel", "target", "weights", "position", "direction", "size", "seed", "start"];
  const given = own.filter((name) => name !== "steps" && command.getOptionValueSource(name) === "cli");
  if (given.length > 0)
    throw new ConvlensError(
      "option-invalid",
      `--resume goes on with the options of its folder: leave out ${given.map((name) => `--${name}`).join(", ")}`,
    );
}

/** What is done already cannot be undone. */
function mustGoOn({ resume, steps }: Flags, saved: SavedState): void {
  const done = Math.min(...saved.batches.map(({ step }) => step));
  if (steps === 0 || steps >= done) return;
  throw new ConvlensError(
    "option-invalid",
    `--resume "${resume}" has done ${done} steps already: --steps, the number in all, cannot be ${steps}`,
  );
}

/** `0.5,-1` as numbers. */
const readNumbers =
  (flag: string) =>
  (text: string): readonly number[] =>
    text.split(",").map((part) => number(flag)(part));

function readGrid(text: string): { readonly down: number; readonly across: number } {
  const match = /^(\d{1,4})x(\d{1,4})$/i.exec(text);
  const [down, across] = [Number(match?.[1]), Number(match?.[2])];
  if (match !== null && down > 0 && across > 0) return { down, across };
  throw new ConvlensError("option-invalid", `--grid "${text}" is no grid: write ROWSxCOLUMNS, for example 8x8`);
}

const readArray = async (path: string): Promise<Tensor> =>
  readNpy(await readFile(path).catch(missing(path)), basename(path));

const missing = (path: string) => (cause: unknown) => {
  throw new ConvlensError("tensor-invalid", `"${path}" cannot be read: there is no such file, or no permission`, {
    cause,
  });
};

/** The first photograph, where one is named. */
async function photographOf({ inputs, terminal }: Run): Promise<MethodInput> {
  const [first, ...more] = inputs;
  if (!first) return {};
  if (more.length > 0) terminal.note(`note: activations are compared with those of ${first.name} alone`);
  const { feeds, picture } = await first.load();
  return { feeds, name: first.name, isPicture: picture !== undefined };
}

/** The first Ctrl-C asks to stop, the second is the usual one. */
function stopOnInterrupt(tell: () => void): { readonly signal: AbortSignal; end(): void } {
  const control = new AbortController();
  const usual = process.listeners("SIGINT");
  const restore = (): void => {
    process.removeAllListeners("SIGINT");
    for (const listener of usual) process.on("SIGINT", listener);
  };
  process.removeAllListeners("SIGINT");
  process.on("SIGINT", () => {
    restore();
    tell();
    control.abort();
  });
  return { signal: control.signal, end: restore };
}

/** The objective so far as a line of blocks. */
function curve(losses: readonly number[]): string {
  const count = Math.min(24, losses.length);
  if (count < 2) return "";
  const points = Array.from({ length: count }, (_, i) => losses[Math.floor(((i + 1) * losses.length) / count) - 1]!);
  const [low, high] = [Math.min(...points), Math.max(...points)];
  return points.map((p) => "▁▂▃▄▅▆▇█"[Math.floor(((p - low) / (high - low || 1)) * 7.99)]).join("");
}

function gridded(result: Images, { down, across }: { readonly down: number; readonly across: number }): Images {
  const count = result.images.length;
  if (down * across < count)
    throw new ConvlensError(
      "option-invalid",
      `--grid ${down}x${across} has ${down * across} places, but there are ${count} pictures`,
    );
  return { ...result, grid: { ...result.grid, down, across } };
}

const lineOf = (made: MadeImage): string => clean(`${made.label}  ${made.dead ?? reachedText(made)}`);

async function write(
  folder: string,
  result: Images,
  { npy }: Flags,
  frames: readonly Picture[],
  states: readonly AscentState[],
  start: Tensor | undefined,
): Promise<readonly string[]> {
  const outputs = makeOutputs();
  const at = (name: string): string => join(folder, name);
  await outputs.writePicture(at("visualize.png"), imagesSheet(result));
  const part = (label: string): string => fileName(label.replaceAll(" ", "-"));
  for (const made of result.images) await outputs.writePicture(at(`visualize.${part(made.label)}.png`), made.picture);
  await outputs.write(at("visualize.json"), `${JSON.stringify(toJson(result), undefined, 1)}\n`);
  if (npy) await outputs.write(at("visualize.npy"), writeNpy(stacked(result.images)));
  if (frames.length > 0) await outputs.write(at("visualize.apng"), encodeApng(frames, 100));
  if (states.length > 0) await writeState(outputs, folder, result, states, start);
  return outputs.commit();
}

/** All pictures as one array. */
function stacked(images: readonly MadeImage[]): Tensor {
  const { dims, data } = images[0]!.values;
  const all = new Float32Array(images.length * data.length);
  for (const [n, { values }] of images.entries()) all.set(values.data, n * data.length);
  return float32([images.length, ...dims], all);
}
