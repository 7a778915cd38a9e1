/** The tree of verbs. Only the verb that runs is loaded, so that `--help` and `--version` answer at once. */
import { Command } from "commander";
import { version } from "./version.ts";

/** What a file in `commands/` exports: it adds its arguments, options and action; `whole` gives the program with every verb loaded. */
export interface CommandModule {
  define(command: Command, whole: () => Promise<Command>): void;
}

interface Verb {
  readonly name: string;
  readonly summary: string;
  load(): Promise<CommandModule>;
}

/** One line a verb. */
export const verbs: readonly Verb[] = [
  {
    name: "summary",
    summary: "the table of layers: shapes, parameters, connections, totals",
    load: () => import("./commands/summary.ts"),
  },
  {
    name: "predict",
    summary: "the top classes of photographs, with probabilities",
    load: () => import("./commands/predict.ts"),
  },
  {
    name: "activations",
    summary: "feature maps: single channels, or sheets of all channels per layer",
    load: () => import("./commands/activations.ts"),
  },
  { name: "filters", summary: "convolution weights as pictures", load: () => import("./commands/filters.ts") },
  {
    name: "explain",
    summary: "heat maps on photographs: what speaks for an answer, by any method",
    load: () => import("./commands/explain.ts"),
  },
  {
    name: "attack",
    summary: "small changes of a photograph that change the answer: one pixel, a few, or all a little",
    load: () => import("./commands/attack.ts"),
  },
  {
    name: "evaluate",
    summary: "how often an attack succeeds over a folder of photographs",
    load: () => import("./commands/evaluate.ts"),
  },
  {
    name: "visualize",
    summary: "what filters and classes look for: pictures made by gradient ascent",
    load: () => import("./commands/visualize.ts"),
  },
  {
    name: "report",
    summary: "everything about one photograph in one HTML file",
    load: () => import("./commands/report.ts"),
  },
  {
    name: "export",
    summary: "an explanation as a model: one ONNX file that gives scores and maps anywhere",
    load: () => import("./commands/export.ts"),
  },
  {
    name: "convert",
    summary: "the network as one standard ONNX file",
    load: () => import("./commands/convert.ts"),
  },
  {
    name: "models",
    summary: "embedded networks and downloads, model cards",
    load: () => import("./commands/models.ts"),
  },
  {
    name: "completion",
    summary: "a script that completes commands in bash, zsh or fish",
    load: () => import("./commands/completion.ts"),
  },
];

/** The verb that a command line names: its first word that is no option. */
export const verbOf = (args: readonly string[]): string | undefined => {
  const words = args.filter((word) => !word.startsWith("-"));
  return words[0] === "help" ? words[1] : words[0];
};

/** The program with the named verb loaded in full, or every verb for `"all"`; the others only say what they do. */
export async function makeProgram(wanted: string | undefined): Promise<Command> {
  const program = new Command("convlens")
    .description("Opens a trained convolutional network and shows what it does.")
    .version(version)
    .usage("<verb> [IMAGE …] [options]")
    .helpOption("-h, --help", "show help; after a verb: its options and examples")
    .helpCommand("help [verb]", "show the help of a verb")
    .configureOutput({ outputError: () => {} })
    .exitOverride()
    .addHelpText(
      "after",
      `
Examples:
  $ convlens report --out report.html       # everything about the demo network and photograph
  $ convlens predict cat.jpg dog.jpg        # the demo network's answers
  $ convlens summary resnet50.onnx          # the layers of your own network
  $ convlens help activations               # one verb's options and examples`,
    );
  for (const verb of verbs) {
    const command = program.command(verb.name).summary(verb.summary).description(sentence(verb.summary));
    if (wanted === "all" || wanted === verb.name) (await verb.load()).define(command, () => makeProgram("all"));
  }
  return program;
}

const sentence = (text: string): string => `${text[0]!.toUpperCase()}${text.slice(1)}.`;
