/** `convlens summary`: the table of layers. */
import { join } from "node:path";
import type { Command } from "commander";
import { summary, summaryText, toJson } from "../../index.ts";
import {
  commonOptions,
  type ModelFlags,
  methodOption,
  modelOptions,
  type OutputFlags,
  outputOptions,
} from "../options.ts";
import { makeOutputs } from "../outputs.ts";
import { openRun } from "../run.ts";
import { print, printJson, wantsColor } from "../terminal.ts";

export function define(command: Command): void {
  command.argument("[model]", "the network, in place of --model");
  methodOption(command, "expandNested", summary.options.expandNested);
  modelOptions(command);
  outputOptions(command, "also write summary.json into this folder");
  commonOptions(command);
  command
    .addHelpText(
      "after",
      `
Examples:
  $ convlens summary                         # the demo network
  $ convlens summary resnet50.onnx
  $ convlens summary transfer.keras --expand-nested   # the layers of the model inside, too
  $ convlens summary resnet50.onnx --json | jq '.totals'`,
    )
    .action(run);
}

async function run(
  file: string | undefined,
  flags: ModelFlags & OutputFlags & { readonly expandNested?: boolean },
): Promise<void> {
  const { model, terminal } = await openRun(file === undefined ? [] : [file], flags, "model");
  const result = await terminal.time("summary", () =>
    summary.run(model, {}, { expandNested: flags.expandNested ?? false }),
  );
  for (const note of result.notes) terminal.note(`note: ${note}`);
  if (flags.out !== undefined) {
    const outputs = makeOutputs();
    await outputs.write(join(flags.out, "summary.json"), `${JSON.stringify(toJson(result), undefined, 1)}\n`);
    await outputs.commit();
  }
  if (flags.json) printJson(toJson(result));
  else print(summaryText(result, { color: wantsColor(), width: process.stdout.columns ?? 400 }));
}
