/** `convlens attack`: small changes of a photograph that change the network's answer. */
import { join } from "node:path";
import type { Command } from "commander";
import {
  type Attack,
  attackScene,
  attackText,
  ConvlensError,
  sceneToPicture,
  toJson,
  vulnerabilityPicture,
  writeNpy,
} from "../../index.ts";
import { attackOf, attackOptions, attacksHelp, givenOptions, planText, sizeText } from "../attacks.ts";
import { makeNotes } from "../notes.ts";
import {
  commonOptions,
  type InputFlags,
  inputOptions,
  modelOptions,
  type OutputFlags,
  outputOptions,
  preprocessingHelp,
} from "../options.ts";
import { makeOutputs, wrote } from "../outputs.ts";
import { forEachInput, openRun } from "../run.ts";
import { clean, print, printJson } from "../terminal.ts";

interface Flags extends InputFlags, OutputFlags {
  readonly method?: string;
  readonly strictSize?: boolean;
}

export function define(command: Command): void {
  command
    .argument("[files...]", "photographs (PNG, JPEG, WebP); a model file counts as --model")
    .option(
      "--method <id>",
      "the attack (below; default: one-pixel up to 64x64 pixels, else the first 2,000 of ranked)",
    );
  attackOptions(command);
  command.option("--strict-size", "refuse photographs that do not have the network's input size");
  outputOptions(command, "where the files go (default: convlens-out)");
  command.option("--npy", "also write vulnerability.npy, where the attack gives that map");
  modelOptions(command);
  inputOptions(command);
  commonOptions(command);
  command
    .addHelpText(
      "after",
      `
Files: attacked.png, the changed picture at the network's input size; attack.png, what was changed and what it did;
attack.json; of corners also vulnerability.png and .json. Success means that attacked.png, opened again, gets the answer.

Attacks (--method):
${attacksHelp()}
${preprocessingHelp()}

Examples:
  $ convlens attack --model cifar10 frog.png                    # one pixel, any other class
  $ convlens attack --model cifar10 frog.png --to ship --pixels 3
  $ convlens attack --model cifar10 frog.png --method corners   # the best corner colour, or the proof that none will do
  $ convlens attack resnet50.onnx owl.jpg --method ranked --max-queries 2000 --max-time 5m
  $ convlens attack resnet50.onnx owl.jpg --method pgd --epsilon 2 --json`,
    )
    .action((files, flags) => run(files, flags, command));
}

/** Up to this side the one-pixel attack is the usual one: its search takes seconds there. */
const smallSide = 64;
/** Of a large picture, when nobody said how it is attacked or how long it may take: all would be hundreds of thousands. */
const mostPromising = 2_000;

async function run(files: readonly string[], flags: Flags, command: Command): Promise<void> {
  if (flags.method !== undefined) givenOptions(attackOf(flags.method, "--method"), command);
  const opened = await openRun(files, flags, "image");
  const { model, terminal, several } = opened;
  const usual = Math.max(...model.preprocessing.size) <= smallSide ? "one-pixel" : "ranked";
  const method = attackOf(flags.method ?? usual, "--method");
  const given = givenOptions(method, command);
  const isOpen = flags.method === undefined && method.id === "ranked" && !("maxQueries" in given || "maxTime" in given);
  const options: Readonly<Record<string, unknown>> = isOpen ? { ...given, maxQueries: mostPromising } : given;
  if (isOpen)
    terminal.note(
      `no --method: ranked, with the ${mostPromising.toLocaleString("en")} most promising changes; --method ranked tries them all, --max-queries N as many as you like`,
    );
  const results: Attack[] = [];
  const notes = makeNotes(terminal, model.notes);
  await forEachInput(opened, async ({ name, folder }, { feeds, picture }) => {
    const size = picture && sizeText(model, name, picture);
    if (size !== undefined && flags.strictSize) throw new ConvlensError("option-invalid", size.refused);
    if (size !== undefined) terminal.note(`note: ${size.resized}`);
    const input = { feeds, name, isPicture: picture !== undefined };
    const result = await terminal.time(`${method.id} on ${name}`, () =>
      method.run(model, input, {
        ...options,
        onPlan: (plan) => terminal.note(`${method.id}: ${planText(plan, options.maxTime)}`),
        ...(several ? {} : { onProgress: terminal.progress }),
      }),
    );
    notes.add(name, result.notes);
    if (!several) notes.end();
    const written = await writeFiles(folder, result, flags.npy === true);
    results.push(result);
    if (!flags.json) {
      if (several) print(`${results.length > 1 ? "\n" : ""}${clean(name)}`);
      print(attackText(result).split("\n").map(clean).join("\n"));
    }
    terminal.note(wrote(written, folder));
  });
  notes.end();
  if (flags.json) printJson(several ? results.map(toJson) : toJson(results[0]!));
}

async function writeFiles(folder: string, result: Attack, npy: boolean): Promise<readonly string[]> {
  const outputs = makeOutputs();
  const json = (value: object): string => `${JSON.stringify(value, undefined, 1)}\n`;
  await outputs.writePicture(join(folder, "attacked.png"), result.attacked);
  await outputs.writePicture(join(folder, "attack.png"), sceneToPicture(attackScene(result)));
  await outputs.write(join(folder, "attack.json"), json(toJson(result)));
  const { vulnerability } = result;
  if (vulnerability !== undefined) {
    await outputs.writePicture(join(folder, "vulnerability.png"), vulnerabilityPicture(vulnerability));
    await outputs.write(join(folder, "vulnerability.json"), json(toJson(vulnerability)));
    if (npy) await outputs.write(join(folder, "vulnerability.npy"), writeNpy(vulnerability.map));
  }
  return outputs.commit();
}
