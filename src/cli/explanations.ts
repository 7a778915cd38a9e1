/** The flags of `convlens explain`: the options of all its methods, each once, and what a chosen method takes of them. */
import { type Command, Option } from "commander";
import {
  type Attribution,
  ConvlensError,
  didYouMean,
  type ExplanationMethod,
  type HeatMap,
  methods,
  type OptionSpec,
} from "../index.ts";
import { flagOf, methodOption } from "./options.ts";

/** A method that explains a score, whatever its options. */
export type Explanation = ExplanationMethod<Readonly<Record<string, unknown>>, HeatMap | Attribution>;

/** All of them, in the order of the registry. */
export const explanations: readonly Explanation[] = methods.filter(
  (method): method is Explanation => (method.kind === "map" || method.kind === "attribution") && "runMany" in method,
);

/** What the command line gives in its own way: targets and layers may be several, the seed is every verb's. */
const own = new Set(["target", "layer", "layers", "seed"]);

interface Shared {
  readonly name: string;
  readonly spec: OptionSpec;
  /** The methods that have it. */
  readonly of: readonly Explanation[];
}

/** The options of all methods: where they differ, with every choice and the widest range. */
const shared: readonly Shared[] = [...new Set(explanations.flatMap(({ options }) => Object.keys(options)))]
  .filter((name) => !own.has(name))
  .map((name) => {
    const of = explanations.filter(({ options }) => name in options);
    const specs = of.map(({ options }) => options[name]!);
    // Where one method takes any text, so does the flag.
    const free = specs.find((spec) => spec.choices === undefined);
    const choices = free ? [] : [...new Set(specs.flatMap((spec) => spec.choices ?? []))];
    const { min: _min, max: _max, choices: _choices, ...rest } = free ?? specs[0]!;
    const min = specs.map((spec) => spec.min ?? Number.NEGATIVE_INFINITY);
    const max = specs.map((spec) => spec.max ?? Number.POSITIVE_INFINITY);
    const spec: OptionSpec = {
      ...rest,
      ...(choices.length > 0 ? { choices } : {}),
      ...(Math.min(...min) > Number.NEGATIVE_INFINITY ? { min: Math.min(...min) } : {}),
      ...(Math.max(...max) < Number.POSITIVE_INFINITY ? { max: Math.max(...max) } : {}),
    };
    return { name, spec, of };
  });

/** Adds a flag for every option; none has a default, since methods differ in theirs. */
export function explanationOptions(command: Command): void {
  for (const { name, spec, of } of shared) {
    const defaults = new Set(of.map(({ options }) => JSON.stringify(options[name]!.default)));
    const usual =
      defaults.size === 1 && spec.type !== "boolean" && spec.default !== "" ? `default: ${String(spec.default)}` : "";
    const only =
      of.length === explanations.length
        ? ""
        : of.length > 4
          ? `${of.length} methods`
          : of.map(({ id }) => id).join(", ");
    const facts = [only, usual].filter(Boolean).join("; ");
    const help = facts === "" ? spec.help : `${spec.help} (${facts})`;
    methodOption(command, name, { ...spec, help, default: undefined });
    if (spec.type === "boolean" && of.some(({ options }) => options[name]!.default === true))
      command.addOption(new Option(flagOf(name).replace("--", "--no-"), `not: ${spec.help}`));
  }
}

/** The methods that a comma-separated list means. Throws `option-invalid` with the nearest names. */
export function readMethods(text: string): readonly Explanation[] {
  const ids = explanations.map(({ id }) => id);
  const titles = new Map(explanations.map(({ id, title }) => [title, id]));
  const wanted = [
    ...new Set(
      text
        .split(",")
        .map((id) => id.trim())
        .filter(Boolean),
    ),
  ];
  if (wanted.length === 0)
    throw new ConvlensError("option-invalid", `--method "${text}" names no method: ${ids.join(", ")}`);
  return wanted.map((id) => {
    const method = explanations.find((each) => each.id === id.toLowerCase());
    if (method !== undefined) return method;
    throw new ConvlensError(
      "option-invalid",
      `--method "${id}" is not known.${didYouMean(id, ids, titles)} Methods: ${ids.join(", ")} (--methods says what each does)`,
    );
  });
}

/**
 * What was given on the command line, for each method what it takes of it. Throws `option-invalid` for a flag that none of
 * the chosen methods has, naming those that have it.
 */
export function optionsFor(
  chosen: readonly Explanation[],
  command: Command,
): readonly Readonly<Record<string, unknown>>[] {
  const given = shared.filter(({ name }) => command.getOptionValueSource(name) === "cli");
  for (const { name, of } of given) if (!chosen.some((method) => of.includes(method))) refuse(flagOf(name), chosen, of);
  const layered = (method: Explanation) => "layer" in method.options;
  if ((command.getOptionValue("layer") as readonly string[]).length > 0 && !chosen.some(layered))
    refuse("--layer", chosen, explanations.filter(layered));
  return chosen.map((method) => ({
    ...("seed" in method.options ? { seed: command.getOptionValue("seed") as number } : {}),
    ...Object.fromEntries(
      given.filter(({ of }) => of.includes(method)).map(({ name }) => [name, command.getOptionValue(name) as unknown]),
    ),
  }));
}

function refuse(flag: string, chosen: readonly Explanation[], having: readonly Explanation[]): never {
  const list = (methods: readonly Explanation[]) => methods.map(({ id }) => id).join(", ");
  throw new ConvlensError(
    "option-invalid",
    `${flag} is no option of ${list(chosen)}; methods that have it: ${list(having)}`,
  );
}

const families = { cam: "At a layer", pixels: "At the input's pixels", perturb: "By changing the input" } as const;

/** A table of all methods: id, what it does, what it costs. */
export function methodsText(width: number): string {
  const wide = Math.max(...explanations.map(({ id }) => id.length));
  const lines = Object.entries(families).flatMap(([family, title]) => {
    const rows = explanations.filter((method) => method.family === family);
    if (rows.length === 0) return [];
    return ["", `${title}:`, ...rows.flatMap((method) => entry(method, wide, width))];
  });
  return lines.slice(1).join("\n");
}

/** The same for programs. */
export const methodsDocument = (): object => ({
  version: 1,
  kind: "methods",
  methods: explanations.map(({ id, title, family, summary, cost }) => ({ id, title, family, summary, cost })),
});

function entry({ id, summary, cost }: Explanation, wide: number, width: number): string[] {
  const room = Math.max(30, width - wide - 4);
  const lines: string[] = [];
  let line = "";
  for (const word of `${summary} (${cost})`.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > room) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].map((text, i) => `  ${(i === 0 ? id : "").padEnd(wide)}  ${text}`);
}
