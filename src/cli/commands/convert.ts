/** `convlens convert`: the network as one standard ONNX file, with a model card beside it. */
import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { convertModel, shapeText, writeOnnx } from "../../index.ts";
import { cardOf, cardPath, makeCard } from "../cards.ts";
import { commonOptions, fileEndingIn, type ModelFlags, modelOptions } from "../options.ts";
import { makeOutputs } from "../outputs.ts";
import { openRun } from "../run.ts";
import { print, printJson } from "../terminal.ts";

interface Flags extends ModelFlags {
  readonly out: string;
  readonly layout?: "nhwc" | "nchw";
  readonly json?: boolean;
}

export function define(command: Command): void {
  command
    .argument("[model]", "the network, in place of --model")
    .addOption(
      new Option("-o, --out <file.onnx>", "the file to write")
        .argParser(fileEndingIn(".onnx", "an ONNX file"))
        .default("converted.onnx"),
    )
    .addOption(
      new Option("--layout <order>", "axis order of the pictures it takes; default: as in the model's file").choices([
        "nhwc",
        "nchw",
      ]),
    )
    .option("--json", "say in JSON on stdout what was written");
  modelOptions(command);
  commonOptions(command);
  command
    .addHelpText(
      "after",
      `
The file is ONNX of opset 21, weights inside, with a free batch axis; layers keep their names. It gives what the
original gives, in any ONNX runtime. Pictures must still be prepared as the network was trained: FILE.card.json beside it
says how, with the labels, and Convlens obeys it (the options below go into it).

Examples:
  $ convlens convert cats_and_dogs_small_2.h5 -o cats-and-dogs.onnx
  $ convlens convert model.keras --layout nchw -o model.onnx`,
    )
    .action(run);
}

async function run(file: string | undefined, flags: Flags): Promise<void> {
  const { model, terminal, modelFile } = await openRun(file === undefined ? [] : [file], flags, "model");
  const outputs = makeOutputs();
  // A place that cannot be written is told before the work, not after it.
  await outputs.write(flags.out, "");
  const layout = flags.layout === "nhwc" ? "NHWC" : flags.layout === "nchw" ? "NCHW" : undefined;
  const { graph, metadata } = await terminal.time("conversion", () =>
    convertModel(model, layout === undefined ? {} : { layout }),
  );
  const bytes = await terminal.time("writing", () => writeOnnx(graph, metadata));
  await outputs.write(flags.out, bytes);
  const card = await cardPath(flags.out);
  const before = await cardOf(modelFile);
  // A file of the same name in the same folder has the same card.
  const isShared = modelFile !== undefined && resolve(await cardPath(modelFile)) === resolve(card);
  if (isShared && before !== undefined) terminal.note(`note: "${card}" is the original's card too: it stays as it is`);
  else {
    const { id: _, ...about } = makeCard(model, flags, before);
    // The axis order is the file's own matter, and the checksum only where the card serves one file.
    const { layout: __, ...preprocessing } = model.preprocessing;
    const { sha256: ___, ...shared } = { ...about, preprocessing };
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    await outputs.write(card, `${JSON.stringify(isShared ? shared : { ...shared, sha256 }, undefined, 2)}\n`);
  }
  await outputs.commit();
  for (const note of model.fileNotes) terminal.note(`note: ${note}`);
  const describe = (names: readonly string[]) =>
    names.map((name) => ({ name, type: graph.values.get(name)?.type, shape: graph.values.get(name)?.shape ?? [] }));
  const made = { inputs: describe(graph.inputs), outputs: describe(graph.outputs) };
  if (flags.json) printJson({ version: 1, kind: "convert", file: flags.out, card, bytes: bytes.length, ...made });
  else {
    const line = ({ name, type, shape }: (typeof made.inputs)[number]) => `${name} ${type} ${shapeText(shape)}`;
    print(`${flags.out}  ${(bytes.length / 1e6).toFixed(1)} MB`);
    print(`  card     ${card}`);
    print(`  inputs   ${made.inputs.map(line).join("\n           ")}`);
    print(`  outputs  ${made.outputs.map(line).join("\n           ")}`);
  }
}
