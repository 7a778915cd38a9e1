/** `convlens completion`: completion scripts for three shells, derived from the tree of verbs. */
import { Argument, type Command } from "commander";
import { print } from "../terminal.ts";

/** `whole` is the program with every verb loaded. */
export function define(command: Command, whole: () => Promise<Command>): void {
  command
    .addArgument(new Argument("<shell>", "bash, zsh or fish").choices(["bash", "zsh", "fish"]))
    .addHelpText(
      "after",
      `
Examples:
  $ convlens completion bash >> ~/.bashrc
  $ convlens completion zsh > ~/.zfunc/_convlens     # with ~/.zfunc in your fpath
  $ convlens completion fish > ~/.config/fish/completions/convlens.fish`,
    )
    .action(async (shell: "bash" | "zsh" | "fish") => {
      print({ bash, zsh, fish }[shell](verbsOf(await whole())));
    });
}

interface Flag {
  readonly long: string;
  readonly short: string | undefined;
  readonly help: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
}
interface Verb {
  readonly name: string;
  readonly help: string;
  /** Words besides files: the verbs below this one, the choices of its argument. */
  readonly words: readonly string[];
  readonly flags: readonly Flag[];
}

function verbsOf(program: Command): readonly Verb[] {
  return program.commands.map((command) => {
    const flags = new Map([command, ...command.commands].flatMap(flagsOf).map((flag) => [flag.long, flag]));
    const choices = command.registeredArguments.flatMap((argument) => argument.argChoices ?? []);
    const words = [...command.commands.map((below) => below.name()), ...choices];
    return { name: command.name(), help: command.summary(), words, flags: [...flags.values()] };
  });
}

function flagsOf(command: Command): readonly Flag[] {
  const own = command.options.map((option) => ({
    long: option.long!,
    short: option.short,
    help: option.description,
    takesValue: option.required || option.optional,
    choices: option.argChoices ?? [],
  }));
  return [...own, { long: "--help", short: "-h", help: "show help", takesValue: false, choices: [] }];
}

function bash(verbs: readonly Verb[]): string {
  const values = verbs.flatMap((verb) =>
    verb.flags
      .filter((flag) => flag.choices.length > 0)
      .map((flag) => `    "${verb.name} ${flag.long}") words="${flag.choices.join(" ")}" files="" ;;`),
  );
  const words = verbs.map((verb) => {
    const flags = verb.flags.map((flag) => flag.long).join(" ");
    return `    ${verb.name}) words="${verb.words.join(" ")}"; [[ $word == -* ]] && words="${flags}" ;;`;
  });
  return `# bash completion for convlens
_convlens() {
  local word=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} verb="" words="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    [[ \${COMP_WORDS[i]} == -* ]] || { verb=\${COMP_WORDS[i]}; break; }
  done
  case $verb in
    "") words="${verbs.map((verb) => verb.name).join(" ")} --help --version" ;;
${words.join("\n")}
  esac
  local files=\${verb:+yes}
  [[ $word == -* ]] && files=""
  case "$verb $previous" in
${values.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  [[ -z $files ]] || COMPREPLY+=($(compgen -f -- "$word"))
}
complete -o filenames -F _convlens convlens`;
}

function zsh(verbs: readonly Verb[]): string {
  const item = (name: string, help: string) => quoted(`${name}:${help.replaceAll(":", "\\:")}`);
  const cases = verbs.map((verb) => {
    const values = verb.flags
      .filter((flag) => flag.choices.length > 0)
      .map((flag) => `      [[ $before == ${flag.long} ]] && { compadd ${flag.choices.join(" ")}; return; }\n`);
    return `    ${verb.name})
${values.join("")}      items=(${verb.flags.map((flag) => item(flag.long, flag.help)).join(" ")})
      words_=(${verb.words.join(" ")}) ;;`;
  });
  return `#compdef convlens
_convlens() {
  local before=\${words[CURRENT-1]}
  local -a items words_
  if (( CURRENT == 2 )); then
    items=(${verbs.map((verb) => item(verb.name, verb.help)).join(" ")})
    _describe verb items
    return
  fi
  case \${words[2]} in
${cases.join("\n")}
  esac
  if [[ $PREFIX == -* ]]; then
    _describe option items
  else
    (( $#words_ )) && compadd -a words_
    _files
  fi
}
compdef _convlens convlens`;
}

function fish(verbs: readonly Verb[]): string {
  const lines = verbs.flatMap((verb) => {
    const here = `complete -c convlens -n '__fish_seen_subcommand_from ${verb.name}'`;
    return [
      `complete -c convlens -f -n __fish_use_subcommand -a ${verb.name} -d ${quoted(verb.help)}`,
      ...(verb.words.length > 0 ? [`${here} -a ${quoted(verb.words.join(" "))}`] : []),
      ...verb.flags.map((flag) => {
        const short = flag.short === undefined ? "" : ` -s ${flag.short.slice(1)}`;
        const values =
          flag.choices.length > 0 ? ` -x -a ${quoted(flag.choices.join(" "))}` : flag.takesValue ? " -r" : "";
        return `${here} -l ${flag.long.slice(2)}${short}${values} -d ${quoted(flag.help)}`;
      }),
    ];
  });
  return ["# fish completion for convlens", ...lines].join("\n");
}

/** A word in single quotes that all three shells read alike: quotes inside are replaced. */
const quoted = (text: string): string => `'${text.replaceAll("'", "’").replaceAll("\\", "\\\\")}'`;
