/** `convlens predict`: the top classes of photographs. */
import { join } from "node:path";
import type { Command } from "commander";
import {
  float32,
  type Prediction,
  predict,
  predictionChart,
  predictionText,
  sceneToPicture,
  toJson,
  writeNpy,
} from "../../index.ts";
import { batchRows } from "../inputs.ts";
import {
  commonOptions,
  type InputFlags,
  inputOptions,
  methodOption,
  modelOptions,
  type OutputFlags,
  outputOptions,
  preprocessingHelp,
} from "../options.ts";
import { makeOutputs, wrote } from "../outputs.ts";
import { forEachInput, openRun } from "../run.ts";
import { clean, print, printJson, terminalWidth, wantsColor } from "../terminal.ts";

export function define(command: Command): void {
  command.argument("[files...]", "photographs (PNG, JPEG, WebP); a model file counts as --model");
  methodOption(command, "top", predict.options.top);
  modelOptions(command);
  inputOptions(command);
  outputOptions(command, "also write predict.png and predict.json into this folder");
  command.option("--npy", "also write predict.npy, the head's output (without --out into convlens-out)");
  commonOptions(command);
  command
    .addHelpText(
      "after",
      `${preprocessingHelp()}

Examples:
  $ convlens predict                                   # the demo network and photograph
  $ convlens predict cat.jpg dog.jpg --json            # one JSON array for both
  $ convlens predict resnet50.onnx owl.jpg --preprocess torch --labels imagenet --top 3
  $ convlens predict resnet50.onnx --tensor batch.npy  # a ready tensor instead of a photograph`,
    )
    .action(run);
}

async function run(files: readonly string[], flags: InputFlags & OutputFlags & { top: number }): Promise<void> {
  const opened = await openRun(files, flags, "image");
  const { model, terminal } = opened;
  const results: Prediction[] = [];
  let several = opened.several;
  await forEachInput(opened, async (input, loaded) => {
    const rows = batchRows(model, loaded.feeds);
    several ||= rows.length > 1;
    for (const [row, feeds] of rows.entries()) {
      const name = rows.length > 1 ? `${input.name}[${row}]` : input.name;
      const result = await terminal.time(`predict ${name}`, () =>
        predict.run(model, { feeds, name, isPicture: loaded.picture !== undefined }, { top: flags.top }),
      );
      for (const note of result.notes) terminal.note(`note: ${note}`);
      results.push(result);
      if (flags.out !== undefined || flags.npy === true) {
        const folder = rows.length > 1 ? join(input.folder, String(row)) : input.folder;
        terminal.note(wrote(await writeFiles(folder, result, flags.npy === true), folder));
      }
      if (flags.json) continue;
      if (several) print(`${results.length > 1 ? "\n" : ""}${clean(name)}`);
      print(predictionText(result, { color: wantsColor(), width: terminalWidth() }));
    }
  });
  if (flags.json) printJson(several ? results.map(toJson) : toJson(results[0]!));
}

async function writeFiles(folder: string, result: Prediction, npy: boolean): Promise<readonly string[]> {
  const outputs = makeOutputs();
  await outputs.writePicture(join(folder, "predict.png"), sceneToPicture(predictionChart(result)));
  await outputs.write(join(folder, "predict.json"), `${JSON.stringify(toJson(result), undefined, 1)}\n`);
  if (npy) await outputs.write(join(folder, "predict.npy"), writeNpy(float32([result.output.length], result.output)));
  return outputs.commit();
}
