/** Writes the reference pages of docs/ that are made from the code: `npm run docs`. test/docs/reference.test.ts compares. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { makeProgram } from "../src/cli/program.ts";
import { otherKinds } from "../src/formats/other-kinds.ts";
import {
  type Attribution,
  type ExplanationMethod,
  errorCodes,
  formats,
  type HeatMap,
  type Method,
  methods,
  preprocessingModes,
} from "../src/index.ts";
import { table } from "./markdown.ts";
import { operatorsPage } from "./operators/page.ts";

const made = "<!-- made by `npm run docs`; do not edit -->";

function errors(): string {
  return `${made}
# Errors

Everything that a file, an option or a machine can cause is a \`ConvlensError\` with one of these codes. Its message is one line that names the thing, the value, and what to do; under that of \`format-unsupported\` stand the lines that export the file. The command line prints it after \`convlens:\` and ends with 2 (130 when stopped by Ctrl-C); 1 means a fault in Convlens.

${table(
  ["Code", "Meaning"],
  Object.entries(errorCodes).map(([code, meaning]) => [`\`${code}\``, meaning]),
)}
`;
}

const optionTable = ({ options }: Method): string =>
  Object.keys(options).length === 0
    ? "It takes no options.\n"
    : `${table(
        ["Option", "Type", "Default", "What it does"],
        Object.entries(options).map(([name, option]) => [
          `\`${name}\``,
          option.choices ? option.choices.map((choice) => `\`${choice}\``).join(", ") : option.type,
          `\`${JSON.stringify(option.default)}\``,
          option.help,
        ]),
      )}\n`;

const explanations = methods.filter(
  (method): method is Method & ExplanationMethod<Record<string, unknown>, HeatMap | Attribution> => "formula" in method,
);

/** What is to be known before one believes a picture, a table for each family. */
const families = {
  cam: "Class-activation maps: where, at the resolution of a layer",
  pixels: "Attributions: which numbers of the input",
  perturb: "Perturbation: what happens to the score when places are changed",
} as const;
function explanationTables(): string {
  const one = (family: keyof typeof families): string => {
    const rows = explanations.filter((method) => method.family === family);
    if (rows.length === 0) return "";
    return `### ${families[family]}

${table(
  ["Method", "Formula", "Paper", "Numbers of", "Cost", "When it misleads"],
  rows.map(({ id, formula, paper = "", follows = "", cost, misleads }) => [
    `[\`${id}\`](#${id})`,
    formula,
    paper,
    follows,
    cost,
    misleads,
  ]),
)}
`;
  };
  return `## Explanations at a glance

\`S\` is the score that is explained (the class's logit unless another is asked for), \`x\` the input, \`A\` the activations of a layer and \`Aₖ\` its channel \`k\`, \`g\` the gradient of \`S\` by them. Sums and means without a range go over height and width. Maps are raw: what is written to \`.npy\` files is what the formula says, at the layer's own resolution.

${(Object.keys(families) as (keyof typeof families)[]).map(one).filter(Boolean).join("\n")}`;
}

function methodPages(): string {
  const one = (method: Method): string => `## \`${method.id}\`

**${method.title}.** ${method.summary}${method.paper ? ` ${method.paper}.` : ""}${method.follows ? ` Reproduces the numbers of ${method.follows}.` : ""} Gives a \`${method.kind}\` result.

${optionTable(method)}`;
  return `${made}
# Methods

${explanationTables()}
${methods.map(one).join("\n")}`;
}

async function commands(): Promise<string> {
  const program = await makeProgram("all");
  const one = (command: Command, path: string): string => {
    const children = command.commands.map((child) => one(child, `${path} ${child.name()}`));
    const options = command.options.filter((option) => !option.hidden);
    const usage = command.commands.length > 0 ? "" : `\n\`${path} ${command.usage()}\`\n`;
    const flags = table(
      ["Option", "What it does"],
      options.map((option) => [`\`${option.flags}\``, command.createHelp().optionDescription(option)]),
    );
    return [
      `${"#".repeat(Math.min(path.split(" ").length, 4))} ${path}\n\n${command.description()}\n${usage}`,
      ...(options.length > 0 ? [`\n${flags}\n`] : []),
      ...children.map((text) => `\n${text}`),
    ].join("");
  };
  const verbs = program.commands.map((command) => one(command, `convlens ${command.name()}`));
  return `${made}
# Command line

\`convlens <verb> [IMAGE …] [options]\`. With no model named, the demo network runs; with neither model nor image, the demo photograph too. \`convlens help VERB\` has examples.

${verbs.join("\n")}`;
}

function formatsPage(): string {
  return `${made}
# Model files

A file is known by its content, not by its name.

## Opened

${formats.map((format) => `- ${format.title}`).join("\n")}

## Recognised, with the way to ONNX

${otherKinds.map((kind) => `### ${kind.title}\n\n\`\`\`\n${kind.recipe.join("\n")}\n\`\`\``).join("\n\n")}
`;
}

function preprocessingTable(): string {
  return `${made}
# Preprocessing modes

\`--preprocess MODE\`, or \`preprocessing: "MODE"\` in the library and in model cards. A pixel goes from 0 to 255.

${table(
  ["Mode", "Tensor", "Typical networks"],
  preprocessingModes.map((mode) => [`\`${mode.id}\``, mode.formula, mode.networks]),
)}
`;
}

/** Every generated page: its name and its text. */
export async function referencePages(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ["errors.md", errors()],
    ["methods.md", methodPages()],
    ["commands.md", await commands()],
    ["formats.md", formatsPage()],
    ["preprocessing-modes.md", preprocessingTable()],
    ["operators.md", `${made}\n${operatorsPage(table)}`],
  ]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = fileURLToPath(new URL("../docs/reference", import.meta.url));
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of await referencePages()) writeFileSync(join(folder, name), text);
}
