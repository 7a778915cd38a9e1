#!/usr/bin/env node
/**
 * The command `convlens`: runs one verb and turns whatever happens into one line on stderr and an exit code: 0 done,
 * 1 a fault of ours, 2 bad input or usage, 130 stopped by Ctrl-C.
 */
import { CommanderError } from "commander";

import { makeProgram, verbOf, verbs } from "./program.ts";
import { dropTemporaries } from "./temporaries.ts";
import { oneLine } from "./terminal.ts";

const args = process.argv.slice(2);

// `convlens summary | head` closes our streams early; that is no fault.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") finish(0);
    throw error;
  });
process.on("SIGINT", () => finish(130));
process.on("SIGTERM", () => finish(143));
process.on("uncaughtException", (error) => finish(report(error)));

try {
  const program = await makeProgram(verbOf(args));
  await program.parseAsync(words(), { from: "user" });
  await new Promise<void>((done) => process.stdout.write("", () => done()));
  finish(Number(process.exitCode ?? 0));
} catch (error) {
  finish(report(error));
}

/** The arguments; a mistyped verb, also after `help` or before `--help`, goes alone, so that commander names the nearest. */
function words(): readonly string[] {
  const verb = verbOf(args);
  if (args.length === 0) return ["--help"];
  const known = verb === undefined || verbs.some(({ name }) => name === verb) || verb === "help";
  return known || !/^(help|-h|--help)$/.test(args.find((word) => word !== verb) ?? "") ? args : [verb];
}

function finish(code: number): never {
  dropTemporaries();
  process.exit(code);
}

/** Says what went wrong; returns the exit code. */
function report(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    // A verb that only has verbs below it has printed its help.
    if (error.code !== "commander.help") say(usage(error.message));
    return 2;
  }
  const debug = args.includes("--debug") && error instanceof Error ? `\n${error.stack}` : "";
  const code = codeOf(error);
  if (code === "cancelled") return 130;
  const message = error instanceof Error ? error.message : String(error);
  if (code !== undefined && code !== "internal") {
    say(message, debug, code === "format-unsupported" ? message.split("\n") : [message]);
    return 2;
  }
  say(`internal error: ${message} (--debug shows where)`, debug);
  return 1;
}

/** Commander's "error: unknown option '--lyer'\n(Did you mean --layer?)" in our form; where no name is near, with the help to read. */
function usage(message: string): string {
  const text = message.replace(/^error: /, "").replace(/\s*\((Did you mean .*)\)$/s, ". $1");
  const unknown = /^unknown (option|command) '[^']*'$/.exec(text)?.[1];
  if (unknown === undefined) return text;
  const program = ["convlens", unknown === "option" && verbOf(args), "--help"].filter(Boolean).join(" ");
  return `${text}; "${program}" shows what there is`;
}

/** The code of a ConvlensError, told by its name so that `--help` need not load the library. */
function codeOf(error: unknown): string | undefined {
  return error instanceof Error && error.name === "ConvlensError" && "code" in error ? String(error.code) : undefined;
}

/** One line; recipes, whose lines are for copying, keep theirs. */
function say(message: string, more = "", lines: readonly string[] = [message]): void {
  process.stderr.write(`convlens: ${lines.map(oneLine).join("\n")}${more}\n`);
}
