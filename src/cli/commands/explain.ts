/** `convlens explain`: which places of a photograph speak for an answer, by any method, as pictures and numbers. */
import { join } from "node:path";
import { type Command, Option } from "commander";
import {
  type Attribution,
  barePicture,
  type ComparisonRow,
  ConvlensError,
  colorMapNames,
  comparisonRow,
  comparisonSheet,
  type ExplanationMode,
  type ExplanationOptions,
  encodeJpeg,
  explanationBoxes,
  explanationModes,
  explanationPicture,
  type HeatMap,
  lecturePicture,
  type Model,
  type PaletteName,
  type Placed,
  paletteName,
  percent,
  preprocessingDoubt,
  shapeText,
  short,
  type Tensor,
  toJson,
  writeNpy,
} from "../../index.ts";
import { platform } from "../../node.ts";
import { readBackground } from "../background.ts";
import {
  type Explanation,
  explanationOptions,
  explanations,
  methodsDocument,
  methodsText,
  optionsFor,
  readMethods,
} from "../explanations.ts";
import { batchRows, type Loaded } from "../inputs.ts";
import { makeNotes } from "../notes.ts";
import {
  collect,
  commonOptions,
  type InputFlags,
  inputOptions,
  modelOptions,
  number,
  type OutputFlags,
  outputOptions,
  preprocessingHelp,
} from "../options.ts";
import { fileName, makeOutputs, type Outputs, pageName, wrote } from "../outputs.ts";
import { forEachInput, openRun, type Run } from "../run.ts";
import { clean, print, printJson, terminalWidth } from "../terminal.ts";

interface Flags extends InputFlags, OutputFlags {
  readonly method: string;
  readonly methods?: boolean;
  readonly target: readonly string[];
  readonly layer: readonly string[];
  readonly background?: string;
  readonly mode: ExplanationMode;
  readonly colormap?: PaletteName;
  readonly opacity?: number;
  readonly fade: boolean;
  readonly clip?: number;
  readonly threshold: number;
  readonly bare?: boolean;
}

type Result = HeatMap | Attribution;

export function define(command: Command): void {
  command
    .argument("[files...]", "photographs (PNG, JPEG, WebP); a model file counts as --model")
    .option("--method <id,id>", "one method or several, separated by commas (--methods lists them)", "gradcam")
    .option("--methods", "list the methods and end")
    .addOption(
      new Option("-t, --target <index|name>", "the class that is explained; repeat for more")
        .argParser(collect)
        .default([], "the network's own answer"),
    )
    .addOption(
      new Option(
        "-l, --layer <name>",
        "where a class activation map is taken: name, pattern (conv*) or all convolutions; repeat for more",
      )
        .argParser(collect)
        .default([], "the last convolutional stage"),
    );
  explanationOptions(command);
  command
    .option(
      "--background <folder|npy>",
      "photographs that expected-gradients compares with, in place of baselines it makes up",
    )
    .addOption(
      new Option("--mode <how>", "how it is drawn (below)")
        .choices(explanationModes.map(({ id }) => id))
        .default("overlay"),
    )
    .addOption(
      new Option("--colormap <name>", "inferno, viridis, turbo … (below); with _r at its end turned round").argParser(
        paletteName,
      ),
    )
    .addOption(
      new Option("--opacity <number>", "of the colours over the photograph, 0 to 1").argParser(
        number("--opacity", 0, 1),
      ),
    )
    .option("--no-fade", "colours lie evenly on everything, also where the map is near 0")
    .addOption(
      new Option(
        "--clip <percentile>",
        "colours end at this percentile of the values' sizes (default: 100; pixels: 99.5)",
      ).argParser(number("--clip", 0, 100)),
    )
    .addOption(
      new Option("--threshold <share>", "of the largest value, above which boxes are drawn")
        .argParser(number("--threshold", 0, 1))
        .default(0.15),
    )
    .option("--bare", "the picture alone at the photograph's own size: no title, no colour bar");
  outputOptions(command, "where the pictures go (default: convlens-out)");
  command.option("--npy", "also write METHOD.npy: raw values, before any picture is made of them");
  modelOptions(command);
  inputOptions(command);
  commonOptions(command);
  command.addHelpText("after", help()).action((files, flags) => run(files, flags, command));
}

const help = (): string => `
Files: METHOD.png and METHOD.json; where there are several, METHOD.LAYER.TARGET.png, a folder for each photograph, and
explain.png: all of them on one sheet.

Methods (--method):
${explanations.map(({ id, title }) => `  ${id.padEnd(22)}${title}`).join("\n")}

Modes (--mode):
${explanationModes.map(({ id, help: text }) => `  ${id.padEnd(9)}${text}`).join("\n")}

Colour maps (--colormap): ${colorMapNames.join(", ")}
${preprocessingHelp()}

Examples:
  $ convlens explain                                            # the demo network and photograph
  $ convlens explain resnet50.onnx dog.jpg --target 'tabby cat' --target 243
  $ convlens explain resnet50.onnx a.jpg b.jpg --method gradcam,layercam,ig --npy
  $ convlens explain vgg16.onnx owl.jpg --layer all             # the strip of all convolutions
  $ convlens explain cat.jpg --mode boxes --json`;

async function run(files: readonly string[], flags: Flags, command: Command): Promise<void> {
  if (flags.methods) return flags.json ? printJson(methodsDocument()) : print(methodsText(terminalWidth()));
  const named = readMethods(flags.method);
  // What no method takes is told before a network is opened.
  optionsFor(named, command);
  const opened = await openRun(files, flags, "image");
  const { model, terminal, inputs } = opened;
  const background = await backgroundOf(named, flags, opened);
  const methods = applicable(named, model, (note) => terminal.note(note));
  const options = optionsFor(methods, command);
  const targets = flags.target.length > 0 ? [...new Set(flags.target)] : ["top"];
  const choice = { targets, ...(flags.layer.length > 0 ? { layers: flags.layer } : {}) };
  const look = lookOf(flags);
  const rows: ComparisonRow[] = [];
  const documents: object[] = [];
  const notes = makeNotes(terminal, model.notes);
  let several = opened.several;
  await forEachInput(opened, async (input, loaded) => {
    const place = inputs.indexOf(input);
    const batch = batchRows(model, loaded.feeds);
    several ||= batch.length > 1;
    const photo = photoOf(loaded);
    if (photo === undefined && flags.mode !== "overlay" && flags.mode !== "map")
      terminal.note(`note: without a photograph the map is drawn alone, not as ${flags.mode}`);
    for (const [row, feeds] of batch.entries()) {
      const name = batch.length > 1 ? `${input.name}[${row}]` : input.name;
      const made: Named[] = [];
      for (const [m, method] of methods.entries()) {
        const onProgress = (done: number, total: number): void => {
          // Never a whole step: the next one is announced when it begins.
          const share = m + 0.99 * Math.min(1, done / Math.max(1, total));
          if (opened.several) terminal.progress(place + share / methods.length, inputs.length, input.name);
          else terminal.progress(share, methods.length, method.id);
        };
        onProgress(0, 1);
        const given = { feeds, name, isPicture: photo !== undefined, ...(background && { background }) };
        const results = await terminal.time(`${method.id} of ${name}`, () =>
          withAdvice(method, model, () => method.runMany(model, given, choice, { ...options[m], onProgress })),
        );
        for (const result of results) mustHaveScore(result, name);
        made.push(...namesOf(results, targets));
      }
      if (!opened.several) terminal.progress(1, 1, "");
      const own = made.flatMap(({ result }) => result.notes);
      if (photo !== undefined && model.guessedMode !== undefined) {
        const [answer] = await model.predict(feeds, { top: 1 });
        const doubt = answer && (await preprocessingDoubt(model, answer.output));
        if (doubt !== undefined) own.push(doubt);
      }
      notes.add(name, own);
      if (!several) notes.end();
      const folder = batch.length > 1 ? join(input.folder, String(row)) : input.folder;
      const written = await terminal.time("pictures", () =>
        writeResults(folder, made, photo, flags, look, model.notes),
      );
      if (!flags.json) {
        if (several) print(`${rows.length > 0 ? "\n" : ""}${clean(name)}`);
        for (const { result } of made) print(lineOf(result));
      }
      terminal.note(wrote(written, folder));
      documents.push(...made.map(({ result }) => documentOf(result, photo, flags)));
      const results = made.map(({ result }) => withoutNotes(result, model.notes));
      rows.push(comparisonRow({ name, results, ...(photo && { photo }) }));
    }
  });
  notes.end();
  const sheet = await writeSheet(flags.out ?? "convlens-out", rows, look);
  if (sheet !== undefined) terminal.note(`all on one sheet: ${sheet}`);
  if (flags.json) printJson(several || documents.length > 1 ? documents : documents[0]);
}

/** The pictures of `--background`, where a method asks for them. */
async function backgroundOf(named: readonly Explanation[], flags: Flags, run: Run): Promise<Tensor | undefined> {
  if (flags.background === undefined) return undefined;
  if (!named.some(({ id }) => id === "expected-gradients"))
    throw new ConvlensError(
      "option-invalid",
      "--background is for the method expected-gradients; for ig and deeplift --baseline takes one colour or a blur",
    );
  return readBackground(flags.background, { ...run, platform, exif: flags.exif });
}

/** The methods that apply to the network; of several, those that do not are told and left out. */
function applicable(named: readonly Explanation[], model: Model, tell: (note: string) => void): readonly Explanation[] {
  if (named.length === 1) return named;
  const fit = named.filter((method) => {
    const why = method.applies(model);
    if (why !== undefined) tell(`note: ${method.id} is left out: it does not apply to "${model.name}": ${why}`);
    return why === undefined;
  });
  if (fit.length > 0) return fit;
  throw new ConvlensError(
    "model-unsupported",
    `none of ${named.map(({ id }) => id).join(", ")} applies to "${model.name}"`,
  );
}

/** Where a gradient is what is missing, the methods that need none are named. */
async function withAdvice<T>(method: Explanation, model: Model, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const isMissing = error instanceof ConvlensError && error.message.startsWith("no gradient passes");
    if (!isMissing || !method.needs.includes("gradient")) throw error;
    const others = explanations.filter(
      (other) => !other.needs.includes("gradient") && other.applies(model) === undefined,
    );
    if (others.length === 0) throw error;
    const advice = `methods that need no gradient: ${others.map(({ id }) => id).join(", ")}`;
    throw new ConvlensError(error.code, `${error.message}; ${advice}`, { cause: error });
  }
}

/** A score that is no number has no explanation. */
function mustHaveScore({ target, notes }: Result, name: string): void {
  if (Number.isFinite(target.score)) return;
  const where = notes.length > 0 ? `; ${notes.at(-1)}` : "";
  throw new ConvlensError("model-unsupported", `the score of ${target.label} for ${name} is ${target.score}${where}`);
}

const lookOf = ({ mode, colormap, opacity, fade, clip, threshold }: Flags): ExplanationOptions => ({
  mode,
  fade,
  threshold,
  ...(colormap === undefined ? {} : { colorMap: colormap }),
  ...(opacity === undefined ? {} : { opacity }),
  ...(clip === undefined ? {} : { clip }),
});

const photoOf = ({ picture, region }: Loaded): Placed | undefined =>
  picture === undefined || region === undefined ? undefined : { picture, region };

interface Named {
  readonly result: Result;
  /** Of its files, without an ending. */
  readonly base: string;
}

/** The file names of one method's results: the layer and the target, as it was asked for, where there are several. */
function namesOf(results: readonly Result[], targets: readonly string[]): readonly Named[] {
  const layers = results.length / targets.length;
  return results.map((result, i) => {
    const layer = layers > 1 && result.kind === "map" ? [result.layers.join("+")] : [];
    const target = targets.length > 1 ? [targets[Math.floor(i / layers)]!] : [];
    return { result, base: [result.origin.method, ...layer, ...target].map(fileName).join(".") };
  });
}

/** `gradcam  cat 93.1 %  conv2d_3 (15, 15)  0 to 0.0231`. */
function lineOf(result: Result): string {
  const { target, origin } = result;
  const { data, dims } = result.kind === "map" ? result.map : result.values;
  const layer = result.kind === "map" && result.layers.length > 0 ? [`at ${result.layers.join(" + ")}`] : [];
  const sure = target.probability === null ? `${target.of} ${short(target.score)}` : percent(target.probability);
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const v of data) [min, max] = [Math.min(min, v), Math.max(max, v)];
  const words = [origin.method, `${target.label} ${sure}`, ...layer, shapeText(dims), `${short(min)} to ${short(max)}`];
  return clean(words.join("  "));
}

const withoutNotes = <R extends Result>(result: R, said: readonly string[]): R => ({
  ...result,
  notes: result.notes.filter((note) => !said.includes(note)),
});

async function writeResults(
  folder: string,
  named: readonly Named[],
  photo: Placed | undefined,
  flags: Flags,
  look: ExplanationOptions,
  said: readonly string[],
): Promise<readonly string[]> {
  const outputs = makeOutputs();
  for (const { result, base } of named) {
    const path = join(folder, base);
    // What holds for the network as a whole is said once, not on every picture.
    const drawn = withoutNotes(result, said);
    if (isLecture(result) && photo !== undefined) await writeLecture(outputs, path, result, photo);
    else await outputs.writePicture(`${path}.png`, (flags.bare ? barePicture : explanationPicture)(drawn, photo, look));
    await outputs.write(`${path}.json`, `${JSON.stringify(documentOf(result, photo, flags), undefined, 1)}\n`);
    if (flags.npy) await outputs.write(`${path}.npy`, writeNpy(result.kind === "map" ? result.map : result.values));
  }
  return outputs.commit();
}

/** A map that follows the lecture's listing is drawn as the listing draws it. */
const isLecture = (result: Result): result is HeatMap =>
  result.kind === "map" && /^(chollet|lecture)$/.test(String(result.origin.options.preset));

/** As PNG and, as in the listing, as JPEG. */
async function writeLecture(outputs: Outputs, path: string, result: HeatMap, photo: Placed): Promise<void> {
  const picture = lecturePicture(result, photo);
  await outputs.writePicture(`${path}.png`, picture);
  await outputs.write(`${path}.jpg`, await encodeJpeg(picture, 95, platform.codec));
}

/** The result as JSON, with the boxes where boxes are drawn: in the photograph's pixels, rounded to hundredths. */
function documentOf(result: Result, photo: Placed | undefined, { mode, threshold }: Flags): object {
  const json = toJson(result);
  if (mode !== "boxes" || photo === undefined) return json;
  const round = (v: number) => Math.round(v * 100) / 100;
  const boxes = explanationBoxes(result, photo, threshold).map(({ x, y, width, height, peak, share }) => ({
    x: round(x),
    y: round(y),
    width: round(width),
    height: round(height),
    peak,
    share,
  }));
  return { ...json, threshold, boxes };
}

/** All results on one sheet, where there are several; returns its first page's path. */
async function writeSheet(
  folder: string,
  rows: readonly ComparisonRow[],
  look: ExplanationOptions,
): Promise<string | undefined> {
  if (rows.reduce((sum, { results }) => sum + results.length, 0) < 2) return undefined;
  const outputs = makeOutputs();
  for (const [page, picture] of comparisonSheet(rows, look).entries())
    await outputs.writePicture(join(folder, pageName("explain", page)), picture);
  return (await outputs.commit())[0];
}
