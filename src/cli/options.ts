/** The options that verbs share, each declared once, and the readers of their values. */
import { extname } from "node:path";
import { type Command, Option } from "commander";
import { ConvlensError, type OptionSpec, type Preprocessing, preprocessingModes } from "../index.ts";

export interface CommonOptions {
  readonly quiet?: boolean;
  readonly timing?: boolean;
  readonly debug?: boolean;
  readonly seed: number;
}

export interface ModelFlags extends CommonOptions {
  readonly model?: string;
  readonly architecture?: string;
  readonly labels?: string;
  readonly preprocess?: string;
  readonly resize?: Pick<Preprocessing, "resize" | "resizeLibrary">;
  readonly fit?: Preprocessing["fit"];
  readonly size?: readonly [number, number];
  readonly head?: string;
  readonly activation?: "softmax" | "sigmoid" | "none";
  readonly threads?: number;
  readonly device?: string;
}

export interface InputFlags extends ModelFlags {
  readonly tensor: readonly string[];
  readonly exif: boolean;
}

export interface OutputFlags {
  readonly out?: string;
  readonly json?: boolean;
  readonly npy?: boolean;
}

export function commonOptions(command: Command): void {
  command
    .addOption(new Option("--seed <n>", "seed of everything random").argParser(whole("--seed", 0)).default(0))
    .option("--quiet", "no progress and no notes on stderr")
    .option("--timing", "durations on stderr")
    .option("--debug", "the stack of an internal error");
}

export function modelOptions(command: Command): void {
  command
    .option("-m, --model <file|id>", "the network: a file, an address, or an id (convlens models ls)")
    .option("--architecture <file>", "the network of a file that holds weights alone: JSON of Keras' model.to_json()")
    .option("--labels <file|id>", "class names: a text or JSON file, or imagenet, imagenet-1001, cifar10")
    .option("--preprocess <mode|file>", "how a picture becomes numbers: a mode (below) or FILE.json")
    .addOption(
      new Option(
        "--resize <mode>",
        "nearest, bilinear, bicubic, lanczos or box as Pillow does it; opencv:MODE, tensorflow:MODE as they do",
      ).argParser(readResize),
    )
    .addOption(
      new Option("--fit <how>", "to the network's input: stretch, crop (the centre) or pad (with black)").choices([
        "stretch",
        "crop",
        "pad",
      ]),
    )
    .addOption(new Option("--size <HxW>", "input size, where the network takes several").argParser(readSize))
    .option("--head <name>", "the output that is meant, where there are several")
    .addOption(
      new Option("--activation <rule>", "how scores become probabilities").choices(["softmax", "sigmoid", "none"]),
    )
    .addOption(new Option("--threads <n>", "threads of the engine").argParser(whole("--threads", 1)))
    .option("--device <name>", "where the engine runs: cpu, webgpu, cuda …");
}

export function inputOptions(command: Command): void {
  command
    .addOption(
      new Option("--tensor <[input=]file.npy>", "a ready input tensor instead of a picture; repeat for more inputs")
        .argParser(collect)
        .default([], "none"),
    )
    .option("--no-exif", "do not turn photographs upright by their EXIF orientation");
}

/** A spec's help and its default in words: an empty one is told in the help, after "; default: ". */
export function helpAndDefault(spec: OptionSpec): readonly [string, string] {
  const [help = "", words = "none"] = spec.help.split("; default: ");
  return [help, [spec.default].flat().join(" ") || words];
}

export function layerOption(command: Command, spec: OptionSpec): void {
  const [help, otherwise] = helpAndDefault(spec);
  command.addOption(
    new Option("-l, --layer <name>", `${help}; repeat for more`).argParser(collect).default([], otherwise),
  );
}

export function outputOptions(command: Command, folder: string): void {
  command.option("-o, --out <dir>", folder).option("--json", "one JSON document on stdout, nothing else there");
}

/** The flag of a method's option: `channelReduce` is `--channel-reduce`. */
export const flagOf = (name: string): string => `--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`;

/** A flag made from a method's option; without a default in `spec` it has none. */
export function methodOption(command: Command, name: string, spec: OptionSpec): void {
  const flag = flagOf(name);
  if (spec.type === "boolean")
    command.addOption(new Option(flag, spec.help).default(spec.default === true || undefined));
  else {
    const value = { integer: "n", number: "number", list: "value" }[spec.type as string] ?? "value";
    const option = new Option(`${flag} <${value}>`, spec.type === "list" ? `${spec.help}; repeat for more` : spec.help);
    if (spec.default !== undefined) option.default(spec.default);
    if (spec.type === "integer") option.argParser(whole(flag, spec.min, spec.max));
    else if (spec.type === "number") option.argParser(number(flag, spec.min, spec.max));
    else if (spec.type === "list") option.argParser((text, before) => collect(text, (before as string[]) ?? []));
    else if (spec.choices !== undefined) option.choices(spec.choices);
    command.addOption(option);
  }
}

export const collect = (text: string, before: readonly string[]): readonly string[] => [...before, text];

/** The name of a file of one kind; another kind's ending would mislead, or stand for a file that was meant to be read. */
export const fileEndingIn =
  (ending: string, kind: string) =>
  (path: string): string => {
    const given = extname(path);
    if (given === "" || ending.startsWith(given.toLowerCase())) return path;
    throw new ConvlensError("option-invalid", `--out "${path}": ${kind} is written, so its name ends in ${ending}`);
  };

export const number =
  (flag: string, least: number = Number.NEGATIVE_INFINITY, most: number = Number.POSITIVE_INFINITY) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isFinite(value))
      throw new ConvlensError("option-invalid", `${flag} "${text}" is no number`);
    if (value >= least && value <= most) return value;
    const range = Number.isFinite(most) ? `between ${least} and ${most}` : `at ${least} or above`;
    throw new ConvlensError("option-invalid", `${flag} "${text}" must lie ${range}`);
  };

export const whole =
  (flag: string, least: number = Number.MIN_SAFE_INTEGER, most: number = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = number(flag)(text);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
    throw new ConvlensError("option-invalid", `${flag} "${text}" must be a whole number ${range}`);
  };

function readSize(text: string): readonly [number, number] {
  const match = /^(\d{1,5})(?:x(\d{1,5}))?$/i.exec(text);
  const [height, width] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
  if (match !== null && height > 0 && width > 0) return [height, width];
  throw new ConvlensError("option-invalid", `--size "${text}" is no size: write HEIGHTxWIDTH, for example 224x224`);
}

const resizeModes: readonly Preprocessing["resize"][] = ["nearest", "bilinear", "bicubic", "lanczos", "box"];
const resizeLibraries: readonly Preprocessing["resizeLibrary"][] = ["pil", "opencv", "tensorflow"];

/** `bilinear`, or `opencv:bilinear`. */
function readResize(text: string): Pick<Preprocessing, "resize" | "resizeLibrary"> {
  const [mode, library = "pil"] = text.split(":").reverse();
  const resize = resizeModes.find((known) => known === mode);
  const resizeLibrary = resizeLibraries.find((known) => known === library);
  if (resize !== undefined && resizeLibrary !== undefined) return { resize, resizeLibrary };
  throw new ConvlensError(
    "option-invalid",
    `--resize "${text}" is not known: write ${resizeModes.join(", ")}, or opencv:MODE or tensorflow:MODE`,
  );
}

/** `90`, `90s` or `5m` as milliseconds. */
export function readDuration(text: string, flag = "--budget"): number {
  const match = /^(\d+(?:\.\d+)?)(s|m)?$/.exec(text);
  const value = Number(match?.[1]) * (match?.[2] === "m" ? 60_000 : 1000);
  if (match !== null && value > 0) return value;
  throw new ConvlensError("option-invalid", `${flag} "${text}" is no time: write 30s or 5m`);
}

/** `3,4,7,30`, `0:64` or a mixture, as numbers; a range leaves its end out, as in Python. */
export function readChannels(text: string): readonly number[] {
  const channels = text.split(",").flatMap((part) => {
    const match = /^\s*(\d{1,6})(?::(\d{1,6}))?\s*$/.exec(part);
    const [first, end] = [Number(match?.[1]), Number(match?.[2] ?? Number(match?.[1]) + 1)];
    if (match === null || end <= first)
      throw new ConvlensError(
        "option-invalid",
        `--channel "${text}": write a list or a range, for example 3,4,7,30 or 0:64`,
      );
    return Array.from({ length: end - first }, (_, i) => first + i);
  });
  return [...new Set(channels)];
}

/** What the preprocessing modes mean, for the help of every verb that takes a picture. */
export function preprocessingHelp(): string {
  const rows = preprocessingModes.map(
    ({ id, formula, networks }) => `  ${id.padEnd(7)}${formula}\n${" ".repeat(9)}${networks}`,
  );
  return `
Preprocessing (--preprocess; x is a pixel's value, 0 to 255):
${rows.join("\n")}
  keras:NETWORK  the mode of a network of keras.applications, for example keras:vgg16
  FILE.json      a "preprocessing" object as in a model card (convlens models card writes one)`;
}
