/** `convlens evaluate`: how often an attack succeeds over a folder of photographs. A killed run goes on where it stopped. */
import { join, resolve } from "node:path";
import { type Command, Option } from "commander";
import {
  type AttackMethod,
  ConvlensError,
  type Evaluation,
  evaluationOf,
  evaluationOrder,
  evaluationText,
  findClass,
  type Model,
  matrixChart,
  type Picture,
  type PictureRecord,
  pictureSeed,
  type RunRecord,
  reachedChart,
  resolveOptions,
  runRecord,
  sceneToPicture,
  toJson,
} from "../../index.ts";
import { openImage } from "../../node.ts";
import { attackOf, attackOptions, attacksHelp, givenOptions, planText, sizeText } from "../attacks.ts";
import { openJournal } from "../journal.ts";
import { findPictures, type LabelledPicture } from "../labelled.ts";
import {
  commonOptions,
  type InputFlags,
  modelOptions,
  type OutputFlags,
  outputOptions,
  preprocessingHelp,
  whole,
} from "../options.ts";
import { makeOutputs, wrote } from "../outputs.ts";
import { openRun, type Run } from "../run.ts";
import { clean, oneLine, print, printJson } from "../terminal.ts";

interface Flags extends Omit<InputFlags, "tensor">, OutputFlags {
  readonly attack: string;
  readonly images: string;
  readonly count?: number;
  readonly goal: "any" | "each" | "both";
  readonly to?: string;
  readonly misclassified: "exclude" | "label";
  readonly strictSize?: boolean;
}

export function define(command: Command): void {
  command
    .argument("[model]", "the network, as with --model")
    .requiredOption("--attack <id>", "the attack (below)")
    .requiredOption("--images <folder>", "photographs in a folder for each class, named as the network names it")
    .addOption(
      new Option("--count <n>", "end after so many attacked photographs, drawn at random (default: all)").argParser(
        whole("--count", 1),
      ),
    )
    .addOption(
      new Option("--goal <which>", "any: any other class will do; each: every other class in turn; both")
        .choices(["any", "each", "both"])
        .default("any"),
    )
    .addOption(
      new Option(
        "--misclassified <how>",
        "photographs whose answer is wrong from the start: exclude them, or label them with that answer and attack",
      )
        .choices(["exclude", "label"])
        .default("exclude"),
    );
  attackOptions(command);
  command.option("--strict-size", "leave out photographs that do not have the network's input size");
  command.option("--no-exif", "do not turn photographs upright by their EXIF orientation");
  outputOptions(command, "where the files go (default: convlens-out)");
  modelOptions(command);
  commonOptions(command);
  command
    .addHelpText(
      "after",
      `
Files: evaluate.json, the rates; evaluate.csv, a row for each attack; evaluate.matrix.png, successes from class to class;
evaluate.reached.png, how many classes each photograph can be moved to; evaluate.jsonl, the journal: the same command
goes on from it after an interruption, and with a larger --count adds to it.
Each photograph has a seed of its own (in the CSV): "convlens attack" with it repeats one row.

Attacks (--attack):
${attacksHelp()}
${preprocessingHelp()}

Examples:
  $ convlens evaluate cifar10 --attack one-pixel --images cifar10/test --count 100
  $ convlens evaluate cifar10 --attack ranked --images cifar10/test --count 500 --out ranked --json
  $ convlens evaluate cifar10 --attack one-pixel --images cifar10/test --count 50 --goal each --pixels 3 --out three`,
    )
    .action((model, flags) => run(model, flags, command));
}

async function run(named: string | undefined, flags: Flags, command: Command): Promise<void> {
  const method = attackOf(flags.attack, "--attack");
  const { to, ...options } = givenOptions(method, command);
  if (to !== undefined && flags.goal !== "any")
    throw new ConvlensError(
      "option-invalid",
      `--to names one class and --goal ${flags.goal} every class: give one of them`,
    );
  const opened = await openRun(named === undefined ? [] : [named], flags, "model");
  const { model, terminal } = opened;
  const why = method.applies(model);
  if (why !== undefined)
    throw new ConvlensError("model-unsupported", `${method.id} does not apply to "${model.name}": ${why}`);
  const classes = await classesOf(model);
  const wanted = to === undefined || to === "any" ? undefined : findClass(model.labels, classes.length, to as string);
  const found = await findPictures(flags.images, model, classes.length);
  for (const folder of found.unknown)
    terminal.note(`note: folder "${folder}" names no class of the network: its photographs are left out`);
  if (found.pictures.length === 0)
    throw new ConvlensError("file-missing", `"${flags.images}" holds no photographs in folders named as classes`);
  if (found.pictures.every(({ label }) => label === undefined))
    terminal.note(
      "note: no folder is named after a class, so nobody knows which answers are right: every photograph is attacked",
    );

  const folder = flags.out ?? "convlens-out";
  const journal = await openJournal<PictureRecord>(join(folder, "evaluate.jsonl"), {
    convlens: "evaluate",
    model: await model.sha256(),
    attack: method.id,
    options: resolveOptions(method.options, options),
    preprocessing: model.preprocessing,
    images: resolve(flags.images),
    goal: flags.goal,
    to: to ?? null,
    misclassified: flags.misclassified,
    seed: flags.seed,
    ...(flags.strictSize && { strictSize: true }),
  });
  const interrupted = (): void => terminal.note("stopped: the same command goes on from here");
  process.prependOnceListener("SIGINT", interrupted);
  try {
    const records = await evaluate(opened, found.pictures, journal, {
      method,
      options,
      wanted,
      flags,
      classes,
    });
    await finish(opened, folder, records, { method, options, flags, classes });
  } finally {
    process.removeListener("SIGINT", interrupted);
    await journal.close();
  }
}

interface Settings {
  readonly method: AttackMethod;
  readonly options: Readonly<Record<string, unknown>>;
  /** The class of `--to`. */
  readonly wanted?: number | undefined;
  readonly flags: Flags;
  readonly classes: readonly string[];
}

/** The records of the run, those of earlier runs first. */
async function evaluate(
  { model, terminal }: Run,
  pictures: readonly LabelledPicture[],
  journal: { readonly records: readonly PictureRecord[]; append(record: PictureRecord): Promise<void> },
  { method, options, wanted, flags, classes }: Settings,
): Promise<readonly PictureRecord[]> {
  const order = evaluationOrder(pictures.length, flags.seed).map((i) => pictures[i]!);
  const done = new Map(journal.records.map((record) => [record.picture, record]));
  if (done.size > 0) terminal.note(`note: ${done.size} photographs were done before: going on from there`);
  const most = flags.count ?? order.length;
  const records: PictureRecord[] = [];
  let [attacked, fooled] = [0, 0];
  let isFirst = true;
  let isTold = false;
  const resized = (text: string): void => {
    if (!isTold) terminal.note(`note: ${text}; so are others of another size`);
    isTold = true;
  };
  for (const found of order) {
    if (attacked >= most) break;
    let record = done.get(found.picture);
    if (record === undefined) {
      const step = Math.max(1, Math.floor(most / 100));
      if (attacked % step === 0) terminal.progress(attacked, most, `photographs to attack, ${fooled} fooled so far`);
      const seed = pictureSeed(found.picture, flags.seed);
      record = await judged(model, found, flags, resized, async (feeds, predicted) => {
        const targets = targetsOf(flags.goal, wanted, predicted, classes.length);
        const runs: RunRecord[] = [];
        for (const target of targets) {
          const all: Readonly<Record<string, unknown>> = {
            ...options,
            ...("seed" in method.options ? { seed } : {}),
            to: target ?? "any",
          };
          const result = await terminal.time(`${method.id} on ${found.picture}`, () =>
            method.run(
              model,
              { feeds, name: found.picture, isPicture: true },
              {
                ...all,
                ...(isFirst && {
                  onPlan: (plan) =>
                    terminal.note(
                      `${method.id}: ${planText(plan, all.maxTime)}, for each of ${most} photographs${targets.length > 1 ? ` and ${targets.length} goals` : ""}`,
                    ),
                }),
              },
            ),
          );
          isFirst = false;
          runs.push(runRecord(result));
        }
        return { seed, runs };
      });
      await journal.append(record);
    }
    if (record.skipped !== undefined) terminal.note(`note: skipped: ${oneLine(record.skipped)}`);
    records.push(record);
    if ((record.runs ?? []).length > 0) attacked++;
    if (record.runs?.some(({ success }) => success)) fooled++;
  }
  terminal.progress(most, most, "");
  if (flags.count !== undefined && attacked < flags.count)
    terminal.note(`note: the folder gave ${attacked} photographs to attack, fewer than --count ${flags.count}`);
  return records;
}

/** What a photograph gives: its classes, and its attacks where it is to be attacked. */
async function judged(
  model: Model,
  { picture, path, label }: LabelledPicture,
  flags: Flags,
  resized: (text: string) => void,
  attack: (
    feeds: ReturnType<Model["prepare"]>["tensor"],
    predicted: number,
  ) => Promise<Pick<PictureRecord, "seed" | "runs">>,
): Promise<PictureRecord> {
  let image: Picture;
  try {
    image = (await openImage(path, { exif: flags.exif })).picture;
  } catch (error) {
    if (!(error instanceof ConvlensError)) throw error;
    return { picture, skipped: error.message };
  }
  const size = sizeText(model, picture, image);
  if (size !== undefined && flags.strictSize) return { picture, skipped: size.refused };
  if (size !== undefined) resized(size.resized);
  const { tensor } = model.prepare(image);
  const [answer] = await model.predict(tensor, { top: 1 });
  const predicted = answer!.predictions[0]!.index;
  const known = { picture, ...(label === undefined ? {} : { label }), predicted };
  const isWrong = label !== undefined && label !== predicted;
  if (isWrong && flags.misclassified === "exclude") return { ...known, runs: [] };
  return { ...known, ...(await attack(tensor, predicted)) };
}

/** The wanted classes of a photograph's attacks; `undefined` stands for any other. */
function targetsOf(
  goal: Flags["goal"],
  wanted: number | undefined,
  predicted: number,
  count: number,
): readonly (number | undefined)[] {
  if (wanted !== undefined) return wanted === predicted ? [] : [wanted];
  const each = Array.from({ length: count }, (_, i) => i).filter((i) => i !== predicted);
  return [...(goal === "each" ? [] : [undefined]), ...(goal === "any" ? [] : each)];
}

/** The names of all classes: an empty picture's answer has them. */
async function classesOf(model: Model): Promise<readonly string[]> {
  const [height, width] = model.preprocessing.size;
  const blank = { width, height, data: new Uint8ClampedArray(width * height * 4).fill(255) };
  const [answer] = await model.predict(model.prepare(blank).tensor, { top: Number.MAX_SAFE_INTEGER });
  const names: string[] = [];
  for (const { index, label } of answer!.predictions) names[index] = label;
  return names;
}

async function finish(
  { model, terminal }: Run,
  folder: string,
  records: readonly PictureRecord[],
  { method, options, flags, classes }: Settings,
): Promise<void> {
  const { goal, misclassified, count, seed } = flags;
  const resolved = { ...resolveOptions(method.options, options), to: flags.to ?? "any" };
  const result = evaluationOf(records, {
    title: method.title,
    classes,
    notes: model.notes,
    origin: {
      model: { name: model.name, sha256: await model.sha256() },
      method: method.id,
      options: { ...resolved, goal, misclassified, count: count ?? "all", seed },
      engine: model.engineName,
      preprocessing: model.preprocessing,
    },
  });
  for (const note of result.notes) terminal.note(`note: ${note}`);
  const outputs = makeOutputs();
  await outputs.write(join(folder, "evaluate.json"), `${JSON.stringify(toJson(result), undefined, 1)}\n`);
  await outputs.write(join(folder, "evaluate.csv"), csv(records, result));
  for (const [name, scene] of [
    ["matrix", matrixChart(result)],
    ["reached", reachedChart(result)],
  ] as const)
    if (scene !== undefined) await outputs.writePicture(join(folder, `evaluate.${name}.png`), sceneToPicture(scene));
  const written = await outputs.commit();
  if (flags.json) printJson(toJson(result));
  else print(evaluationText(result).split("\n").map(clean).join("\n"));
  terminal.note(wrote(written, folder));
}

/** A row for each attack, and for each photograph without one. */
function csv(records: readonly PictureRecord[], { classes }: Evaluation): string {
  const head = [
    "picture",
    "label",
    "predicted",
    "seed",
    "to",
    "success",
    "after",
    "confidence",
    "queries",
    "gradients",
    "ended",
    "pixels",
    "l2",
    "max",
    "skipped",
  ];
  const name = (index: number | null | undefined): string =>
    index === undefined || index === null ? "" : classes[index]!;
  const rows = records.flatMap(({ picture, label, predicted, seed, skipped, runs = [] }) => {
    const first = [picture, name(label), name(predicted), seed ?? ""];
    if (runs.length === 0) return [[...first, ...new Array(10).fill(""), skipped ?? ""]];
    return runs.map((run) => [
      ...first,
      run.to === null ? "any" : name(run.to),
      run.success,
      name(run.after),
      run.confidence ?? "",
      run.queries,
      run.gradients,
      run.ended,
      run.pixels,
      run.l2,
      run.max,
      "",
    ]);
  });
  // A field that begins like a formula would be one in a spreadsheet.
  const field = (value: unknown): string => {
    const text = String(value).replace(/^(?=[=+@\t\r-](?!\d))/, "'");
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return `${[head, ...rows].map((row) => row.map(field).join(",")).join("\n")}\n`;
}
