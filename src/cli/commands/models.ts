/** `convlens models`: the embedded networks, those to download, what is known of a network, and model cards. */
import { access } from "node:fs/promises";
import type { Command } from "commander";
import {
  ConvlensError,
  embeddedModels,
  findApplication,
  listText,
  type Model,
  type ModelCard,
  shapeText,
} from "../../index.ts";
import { platform } from "../../node.ts";
import { cardOf, cardPath, makeCard, readCard } from "../cards.ts";
import { commonOptions, type ModelFlags, modelOptions, preprocessingHelp } from "../options.ts";
import { makeOutputs } from "../outputs.ts";
import { pull, pullRows, tellApplication } from "../pull.ts";
import { openRun } from "../run.ts";
import { clean, print, printJson, terminalWidth } from "../terminal.ts";

export function define(command: Command): void {
  command
    .command("ls")
    .description("The networks by id: the embedded ones, which need no download, and those that models pull downloads.")
    .option("--json", "one JSON document on stdout")
    .option("--cache <dir>", "where downloads lie; default: CONVLENS_CACHE, else ~/.cache/convlens")
    .addHelpText("after", "\nExamples:\n  $ convlens models ls\n  $ convlens models ls --json | jq '.rows[].id'")
    .action(list);

  command
    .command("pull")
    .description("Downloads the published weights of networks; after that -m ID opens them, offline.")
    .argument("<ids...>", "vgg16, resnet50 … (convlens models ls)")
    .option("--cache <dir>", "where downloads lie; default: CONVLENS_CACHE, else ~/.cache/convlens")
    .option(
      "--mirror <address>",
      "a server with the same paths in place of https://storage.googleapis.com; default: CONVLENS_MIRROR",
    )
    .option("--offline", "download nothing: only check what is there")
    .option("--json", "one JSON document on stdout")
    .option("--quiet", "no progress on stderr")
    .addHelpText(
      "after",
      `
The files are those that keras.applications uses, from the addresses of their authors, checked as Keras checks them. A
download that was stopped goes on where it was. Files that are there already may be put into the folder under their
published names. --cache is for this command; set CONVLENS_CACHE so that the others look there too.

Examples:
  $ convlens models pull vgg16
  $ convlens predict -m vgg16 cat.jpg
  $ CONVLENS_CACHE=/data/convlens convlens models pull resnet50 mobilenetv2`,
    )
    .action(pull);

  const info = command
    .command("info")
    .description("What is known of a network: inputs, preprocessing, labels, licence, checksum.")
    .argument("[model]", "a file, or an id (convlens models ls)")
    .option("--json", "one JSON document on stdout");
  modelOptions(info);
  commonOptions(info);
  info
    .addHelpText(
      "after",
      "\nExamples:\n  $ convlens models info cats-and-dogs\n  $ convlens models info resnet50.onnx --json",
    )
    .action(tell);

  const card = command
    .command("card")
    .description("Writes NAME.card.json beside a network: how its pictures are prepared, its labels, its checksum.")
    .argument("[model]", "the network's file")
    .option("--force", "overwrite a card that is there");
  modelOptions(card);
  commonOptions(card);
  card
    .addHelpText(
      "after",
      `${preprocessingHelp()}

Examples:
  $ convlens models card resnet50.onnx --preprocess torch --labels imagenet
  $ convlens models card mine.onnx --preprocess unit --resize nearest --fit stretch --labels classes.txt`,
    )
    .action(write);

  command.addHelpText(
    "after",
    `
Examples:
  $ convlens models ls
  $ convlens models info cats-and-dogs
  $ convlens models pull vgg16
  $ convlens models card resnet50.onnx --preprocess torch --labels imagenet`,
  );
}

async function list(flags: { json?: boolean; cache?: string }): Promise<void> {
  const embedded = await Promise.all(
    embeddedModels.map(async (id) => {
      const { title, accuracy, labels, licence } = (await readCard(await cardPath(id)))!;
      const { size } = await platform.embedded(`${id}.onnx`);
      return { id, title, bytes: size, accuracy, labels, licence };
    }),
  );
  const downloads = await pullRows(flags.cache);
  if (flags.json) {
    printJson({ version: 1, kind: "list", rows: [...embedded, ...downloads] });
    return;
  }
  const table = (rows: readonly Record<string, unknown>[]) => print(listText({ rows }, { width: terminalWidth() }));
  table(
    embedded.map(({ bytes, accuracy, labels, ...row }) => ({
      ...row,
      size: `${(bytes / 1e6).toFixed(1)} MB`,
      accuracy: accuracyText(accuracy),
      labels: Array.isArray(labels) ? `${labels.length}: ${labels.join(", ")}` : String(labels ?? ""),
    })),
  );
  print("");
  table(
    downloads.map(({ id, title, bytes, downloaded, licence }) => ({
      id,
      title,
      size: `${Math.round(bytes / 1e6)} MB`,
      weights: downloaded ? "downloaded" : "to pull",
      licence: licence ?? "",
    })),
  );
  print("\nconvlens models pull ID downloads the weights of the lower ones, trained on ImageNet; -m ID opens them.");
}

/** `{ "test": { "value": 0.91, "images": 10000 } }` as "91.0 % of 10,000 (test)". */
function accuracyText(accuracy: ModelCard["accuracy"] = {}): string {
  return Object.entries(accuracy)
    .map(([name, told]) => {
      const { value, images } = told as { value?: number; images?: number };
      return value === undefined ? name : `${(100 * value).toFixed(1)} % of ${images?.toLocaleString("en")} (${name})`;
    })
    .join("; ");
}

async function tell(file: string | undefined, flags: ModelFlags & { json?: boolean }): Promise<void> {
  const named = file ?? flags.model;
  if (named !== undefined && (await tellApplication(named, flags.json === true))) return;
  const { model, terminal, modelFile } = await openRun(file === undefined ? [] : [file], flags, "model");
  const { name, description, inputs, preprocessing, labels, notes } = model;
  const card = await cardOf(modelFile);
  const sha256 = await model.sha256();
  if (card?.sha256 !== undefined && card.sha256 !== sha256)
    terminal.note(`note: the card's checksum is of another file (${card.sha256.slice(0, 12)}…)`);
  if (flags.json) {
    printJson({ version: 1, kind: "model", name, description, sha256, inputs, preprocessing, labels, notes, card });
    return;
  }
  const { title, description: about, accuracy, licence, source, trainingData } = card ?? {};
  const lines: readonly (readonly [string, string | undefined])[] = [
    ["name", name],
    ["title", title],
    ["about", about],
    ["format", description],
    ["input", inputs.map((input) => `${input.name} ${shapeText(input.shape)} ${input.type}`).join(", ")],
    ["preprocess", preprocessingText(model)],
    ["labels", labels === undefined ? "none" : `${labels.length}: ${firstLabels(labels.map((label) => label.name))}`],
    ["accuracy", accuracy && accuracyText(accuracy)],
    ["licence", licence],
    ["source", source],
    ["training", trainingData],
    ["sha256", sha256],
  ];
  for (const [key, value] of lines) if (value !== undefined) print(`${key.padEnd(12)}${clean(value)}`);
  for (const note of notes) terminal.note(`note: ${note}`);
}

const firstLabels = (names: readonly string[]): string =>
  `${names.slice(0, 10).join(", ")}${names.length > 10 ? " …" : ""}`;

function preprocessingText({ preprocessing: p }: Model): string {
  const round = (x: number) => Number(x.toPrecision(4));
  const size = `${p.size.join("x")} ${p.fit}, ${p.resize} (${p.resizeLibrary})`;
  const scaled = p.scale === 1 ? "x" : Math.abs(p.scale * 255 - 1) < 1e-6 ? "x / 255" : `x * ${round(p.scale)}`;
  const centred = p.mean.every((m) => m === 0) ? scaled : `(${scaled} - [${p.mean.map(round).join(", ")}])`;
  const formula = p.std.every((s) => s === 1) ? centred : `${centred} / [${p.std.map(round).join(", ")}]`;
  return `${size}; ${formula}, ${p.channels}, ${p.layout}`;
}

async function write(file: string | undefined, flags: ModelFlags & { force?: boolean }): Promise<void> {
  const named = file ?? flags.model;
  if (named === undefined) throw new ConvlensError("option-invalid", "no network is named: convlens models card FILE");
  if (/^https?:/i.test(named))
    throw new ConvlensError("option-invalid", `a card lies beside its file: download "${named}" first`);
  if (embeddedModels.includes(named) || (await findApplication(platform, named)))
    throw new ConvlensError("option-invalid", `"${named}" has its card: convlens models info ${named}`);
  const { model, modelFile } = await openRun(file === undefined ? [] : [file], flags, "model");
  const path = await cardPath(modelFile);
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  if (exists && !flags.force)
    throw new ConvlensError("output-failed", `"${path}" exists already; --force overwrites it`);
  const card = { ...makeCard(model, flags, await readCard(path)), sha256: await model.sha256() };
  const outputs = makeOutputs();
  await outputs.write(path, `${JSON.stringify(card, undefined, 2)}\n`);
  await outputs.commit();
  print(path);
}
