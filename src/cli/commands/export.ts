/** `convlens export`: an explanation as a model of its own. */
import { type Command, Option } from "commander";
import { exportExplanation, exportMethods, shapeText, writeOnnx } from "../../index.ts";
import { commonOptions, fileEndingIn, type ModelFlags, modelOptions } from "../options.ts";
import { makeOutputs } from "../outputs.ts";
import { openRun } from "../run.ts";
import { print, printJson } from "../terminal.ts";

interface Flags extends ModelFlags {
  readonly method: (typeof exportMethods)[number];
  readonly layer?: string;
  readonly of: "logit" | "probability";
  readonly signed?: boolean;
  readonly out: string;
  readonly json?: boolean;
}

export function define(command: Command): void {
  command
    .argument("[model]", "the network, in place of --model")
    .addOption(new Option("--method <id>", "the explanation").choices(exportMethods).default("gradcam"))
    .option("-l, --layer <name>", "where the map is taken; default: the last convolutional stage's output")
    .addOption(
      new Option("--of <score>", "which score of the class is explained")
        .choices(["logit", "probability"])
        .default("logit"),
    )
    .option("--signed", "gradcam without its final ReLU")
    .addOption(
      new Option("-o, --out <file.onnx>", "the file to write")
        .argParser(fileEndingIn(".onnx", "an ONNX file"))
        .default("explained.onnx"),
    )
    .option("--json", "say in JSON on stdout what was written");
  modelOptions(command);
  commonOptions(command);
  command
    .addHelpText(
      "after",
      `
The file takes the network's own inputs and "target" (int64 [N]: the class of each picture, -1 for its top class), and
gives "scores" (the logits, [N, classes]) and "map" (raw: [N, height, width] of the layer; for gradient the input's
shape). Any ONNX runtime of any language runs it: docs/export.md has it under Python and on a server.

Examples:
  $ convlens export                                        # the demo network with its Grad-CAM: explained.onnx
  $ convlens export resnet50.onnx --method gradcam --layer layer4 -o resnet50-gradcam.onnx
  $ convlens export resnet50.onnx --method gradient -o resnet50-gradient.onnx`,
    )
    .action(run);
}

async function run(file: string | undefined, flags: Flags): Promise<void> {
  const { model, terminal } = await openRun(file === undefined ? [] : [file], flags, "model");
  const outputs = makeOutputs();
  // A place that cannot be written is told before the work, not after it.
  await outputs.write(flags.out, "");
  const { method, of, signed = false, layer } = flags;
  const { graph, metadata, notes } = await terminal.time("export", () =>
    exportExplanation(model, { method, of, signed, ...(layer === undefined ? {} : { layer }) }),
  );
  const bytes = await terminal.time("writing", () => writeOnnx(graph, metadata));
  await outputs.write(flags.out, bytes);
  await outputs.commit();
  // How pictures are prepared stays outside of the file, so what was taken for that is of no interest here.
  for (const note of [...model.fileNotes, ...notes]) terminal.note(`note: ${note}`);
  const describe = (names: readonly string[]) =>
    names.map((name) => ({ name, type: graph.values.get(name)?.type, shape: graph.values.get(name)?.shape ?? [] }));
  const made = { inputs: describe(graph.inputs), outputs: describe(graph.outputs) };
  if (flags.json)
    printJson({ version: 1, kind: "export", file: flags.out, bytes: bytes.length, method, ...made, notes });
  else {
    const line = ({ name, type, shape }: (typeof made.inputs)[number]) => `${name} ${type} ${shapeText(shape)}`;
    print(`${flags.out}  ${(bytes.length / 1e6).toFixed(1)} MB`);
    print(`  inputs   ${made.inputs.map(line).join("\n           ")}`);
    print(`  outputs  ${made.outputs.map(line).join("\n           ")}`);
  }
}
