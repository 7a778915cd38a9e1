/** `convlens report`: everything about one photograph in one HTML file. */
import { basename } from "node:path";
import { type Command, Option } from "commander";
import { ConvlensError, makeReport, predictionText, reportSections } from "../../index.ts";
import { platform } from "../../node.ts";
import {
  commonOptions,
  fileEndingIn,
  type InputFlags,
  inputOptions,
  modelOptions,
  preprocessingHelp,
  readDuration,
} from "../options.ts";
import { makeOutputs } from "../outputs.ts";
import { openRun } from "../run.ts";
import { print, printJson, terminalWidth, wantsColor } from "../terminal.ts";
import { version } from "../version.ts";

interface Flags extends InputFlags {
  readonly out: string;
  readonly json?: boolean;
  readonly budget: number;
  readonly with: readonly string[];
  readonly without: readonly string[];
}

export function define(command: Command): void {
  const ids = reportSections.map(({ id }) => id);
  const list = (text: string, before: readonly string[]) => [...before, ...text.split(",").filter(Boolean)];
  command
    .argument("[files...]", "one photograph (PNG, JPEG, WebP); a model file counts as --model")
    .addOption(
      new Option("-o, --out <file.html>", "the file to write")
        .argParser(fileEndingIn(".html", "an HTML page"))
        .default("convlens-report.html"),
    )
    .addOption(
      new Option("--budget <time>", "the time it may take: 30s, 5m")
        .argParser((text) => readDuration(text))
        .default(60_000, "60s"),
    )
    .addOption(
      new Option("--with <sections>", "sections to make whatever they cost").argParser(list).default([], "none"),
    )
    .addOption(new Option("--without <sections>", "sections to leave out").argParser(list).default([], "none"))
    .option("--json", "say in JSON on stdout what was written");
  modelOptions(command);
  inputOptions(command);
  commonOptions(command);
  const width = Math.max(...ids.map((id) => id.length));
  command
    .addHelpText(
      "after",
      `
Sections (for --with and --without, separated by commas):
${reportSections.map(({ id, summary }) => `  ${id.padEnd(width)}  ${summary}`).join("\n")}
${preprocessingHelp()}

Examples:
  $ convlens report                                    # the demo network and photograph
  $ convlens report cat.jpg --out cat.html
  $ convlens report resnet50.onnx owl.jpg --labels imagenet --preprocess torch --budget 5m`,
    )
    .action(run);
}

async function run(files: readonly string[], flags: Flags): Promise<void> {
  if (flags.tensor.length > 0)
    throw new ConvlensError(
      "option-invalid",
      "a report is about a photograph: --tensor works with predict and activations",
    );
  const opened = await openRun(files, flags, "image");
  const { model, terminal, inputs } = opened;
  if (inputs.length > 1)
    throw new ConvlensError("option-invalid", `a report is about one photograph; ${inputs.length} are named`);
  const input = inputs[0]!;
  const outputs = makeOutputs();
  // A place that cannot be written is told before the work, not after it.
  await outputs.write(flags.out, "");
  const { picture, bytes } = await input.load();
  const report = await terminal.time("report", () =>
    makeReport(
      model,
      { picture: picture!, name: input.name, ...(bytes && { bytes }) },
      {
        budget: flags.budget,
        with: flags.with,
        without: flags.without,
        seed: flags.seed,
        codec: platform.codec,
        command: commandLine(),
        versions: { convlens: version, node: process.versions.node },
        onProgress: (done, total, what) => terminal.progress(done, total, what),
      },
    ),
  );
  const answer = report.results.find((result) => result.kind === "prediction");
  await outputs.write(flags.out, report.html);
  await outputs.commit();
  for (const note of report.notes) terminal.note(`note: ${note}`);
  const size = Buffer.byteLength(report.html);
  if (flags.json) {
    const { notes, sections } = report;
    const { predictions } = answer ?? {};
    printJson({ version: 1, kind: "report", file: flags.out, bytes: size, sections, predictions, notes });
    return;
  }
  if (answer !== undefined) print(predictionText(answer, { color: wantsColor(), width: terminalWidth() }));
  print(`${flags.out}  ${(size / 1e6).toFixed(1)} MB; open it in a browser`);
}

/** The command that was given, with file names in place of paths: a report may be passed on. */
function commandLine(): string {
  const plain = (word: string) => (word.startsWith("-") ? word.replace(/=.*\//, "=") : basename(word));
  const words = process.argv.slice(2).map(plain);
  return ["convlens", ...words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word}'`))].join(" ");
}
