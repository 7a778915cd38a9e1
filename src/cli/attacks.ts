/** The flags of `attack` and `evaluate`: the options of all attacks, each once, and what the chosen one takes of them. */
import { type Command, Option } from "commander";
import {
  type Attack,
  type AttackMethod,
  ConvlensError,
  didYouMean,
  type Model,
  methods,
  type OptionSpec,
  type Picture,
  type Plan,
} from "../index.ts";
import { flagOf, methodOption, readDuration } from "./options.ts";

export const attacks: readonly AttackMethod[] = methods.filter(
  (method): method is AttackMethod => method.kind === ("attack" satisfies Attack["kind"]),
);

/** What every verb has, or what is read in a way of its own. */
const own = new Set(["seed", "maxTime"]);
const names: readonly string[] = [...new Set(attacks.flatMap(({ options }) => Object.keys(options)))];
const having = (name: string): readonly AttackMethod[] => attacks.filter(({ options }) => name in options);
const specOf = ({ options }: AttackMethod, name: string): OptionSpec =>
  (options as Readonly<Record<string, OptionSpec>>)[name]!;

/** Adds a flag for every option; none has a default, since attacks differ in theirs. */
export function attackOptions(command: Command): void {
  for (const name of names.filter((each) => !own.has(each))) {
    const of = having(name);
    const specs = of.map((method) => specOf(method, name));
    const defaults = specs.map((spec) => String(spec.default));
    const same = new Set(defaults).size === 1;
    const usual = same
      ? `default: ${defaults[0]}`
      : `default: ${of.map(({ id }, i) => `${id} ${defaults[i]}`).join(", ")}`;
    const choices = [...new Set(specs.flatMap((spec) => spec.choices ?? []))];
    const helps = new Set(specs.map((each) => each.help));
    const help = helps.size === 1 ? [...helps] : of.map(({ id }, i) => `${id}: ${specs[i]!.help}`);
    const only = helps.size > 1 || of.length === attacks.length ? [] : [of.map(({ id }) => id).join(", ")];
    const spec: OptionSpec = {
      type: specs.some(({ type }) => type === "number") ? "number" : specs[0]!.type,
      default: undefined,
      ...(choices.length > 0 ? { choices } : {}),
      min: Math.min(...specs.map(({ min = Number.NEGATIVE_INFINITY }) => min)),
      max: Math.max(...specs.map(({ max = Number.POSITIVE_INFINITY }) => max)),
      help: `${help.join("; ")} (${[...only, usual].join("; ")})`,
    };
    methodOption(command, name, spec);
    if (spec.type === "boolean")
      command.addOption(new Option(flagOf(name).replace("--", "--no-"), `the opposite of ${flagOf(name)}`));
  }
  command.addOption(
    new Option("--max-time <time>", "how long a search may take: 30s, 5m").argParser((text) =>
      readDuration(text, "--max-time"),
    ),
  );
}

/** Throws `option-invalid` with the nearest names. */
export function attackOf(id: string, flag: string): AttackMethod {
  const ids = attacks.map((attack) => attack.id);
  const found = attacks.find((attack) => attack.id === id.toLowerCase());
  if (found !== undefined) return found;
  throw new ConvlensError(
    "option-invalid",
    `${flag} "${id}" is no attack.${didYouMean(id, ids)} Attacks: ${ids.join(", ")}`,
  );
}

/** What was given on the command line. Throws `option-invalid` for a flag that the attack does not have, naming those that do. */
export function givenOptions(method: AttackMethod, command: Command): Readonly<Record<string, unknown>> {
  const given = names.filter((name) => command.getOptionValueSource(name) === "cli");
  const wrong = given.find((name) => !own.has(name) && !(name in method.options));
  if (wrong !== undefined)
    throw new ConvlensError(
      "option-invalid",
      `${flagOf(wrong)} is no option of ${method.id}; attacks that have it: ${having(wrong)
        .map(({ id }) => id)
        .join(", ")}`,
    );
  const value = (name: string): unknown => command.getOptionValue(name);
  const time = value("maxTime") as number | undefined;
  return {
    ...Object.fromEntries(given.filter((name) => !own.has(name)).map((name) => [name, value(name)])),
    ...("seed" in method.options ? { seed: value("seed") } : {}),
    ...(time === undefined ? {} : { maxTime: time / 1000 }),
  };
}

/** "at most 40,400 pictures to judge, about 13 s". `maxTime`: seconds after which the search ends, where it was given. */
export function planText({ queries, milliseconds }: Plan, maxTime: unknown): string {
  const seconds = milliseconds / 1000;
  const time =
    seconds < 1
      ? "under a second"
      : seconds < 100
        ? `about ${Math.ceil(seconds)} s`
        : `about ${Math.ceil(seconds / 60)} min`;
  const isCut = typeof maxTime === "number" && maxTime < seconds;
  const sooner = isCut
    ? ` for all; --max-time ends it after ${maxTime} s`
    : seconds < 60
      ? ""
      : "; --max-queries or --max-time ends it sooner";
  return `at most ${queries.toLocaleString("en")} pictures to judge, ${time}${sooner}`;
}

/** What becomes of a photograph that has not the network's input size; `undefined` for one that has it. */
export function sizeText(
  { preprocessing: { size, fit, resize } }: Model,
  name: string,
  { width, height }: Picture,
): { readonly resized: string; readonly refused: string } | undefined {
  const [high, wide] = size;
  if (height === high && width === wide) return undefined;
  const sizes = `"${name}" has ${width}x${height} pixels, the network takes ${wide}x${high}`;
  return {
    resized: `${sizes}: what is attacked is the resized picture (${fit}, ${resize})`,
    refused: `${sizes}: --strict-size refuses it; resize it, or leave that out`,
  };
}

/** The table of attacks for help. */
export const attacksHelp = (): string => {
  const wide = Math.max(...attacks.map(({ id }) => id.length));
  return attacks.map(({ id, summary }) => `  ${id.padEnd(wide)}  ${summary}`).join("\n");
};
