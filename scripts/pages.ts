/**
 * The commands and pictures of a docs page. Each `sh` block is a list of convlens commands; a picture after it is a file
 * that they wrote. Commands in other blocks are not run. `npm run docs` redraws the pictures, and a test runs the commands and compares.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const cli = join(root, "dist/cli/main.js");

export interface Step {
  readonly commands: readonly (readonly string[])[];
  /** Pictures as the page names them, relative to it. */
  readonly pictures: readonly string[];
}

/** The steps of a page in order. */
export function steps(markdown: string): Step[] {
  const found: { commands: string[][]; pictures: string[] }[] = [];
  // Pictures of commands that are shown but not run, in a block without `sh`, are nobody's to compare.
  let isRun = false;
  for (const [, language, block, picture] of markdown.matchAll(
    /^```(\w*)\n([\s\S]*?)^```|!\[[^\]]*\]\(([^)]+\.png)\)/gm,
  )) {
    if (block === undefined) {
      if (isRun) found.at(-1)!.pictures.push(picture!);
      continue;
    }
    const lines = block.split("\n").filter((line) => /^(npx )?convlens /.test(line));
    if (language !== "sh") {
      isRun &&= lines.length === 0;
      continue;
    }
    isRun = true;
    found.push({ commands: lines.map((line) => words(line.replace(/^(npx )?convlens /, ""))), pictures: [] });
  }
  return found;
}

/** Splits a shell line at spaces, keeping 'single quoted' parts whole; a comment ends it. */
const words = (line: string): string[] =>
  [...line.replace(/\s+#.*$/, "").matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);

/** Runs a step in a folder of its own and hands over each picture's place on the page and on disk. Throws when a command fails. */
export function runStep(step: Step, visit: (picture: string, made: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "convlens-page-"));
  try {
    for (const command of step.commands)
      execFileSync(process.execPath, [cli, ...command], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    for (const picture of step.pictures) visit(picture, join(folder, "convlens-out", basename(picture)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The pages whose commands are run. */
export const pages: readonly string[] = [
  "README.md",
  "docs/quick-start.md",
  "docs/lecture.md",
  "docs/explanations.md",
  "docs/gradcam-by-hand.md",
  "docs/class-activation-by-hand.md",
];

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const page of pages) {
    for (const step of steps(readFileSync(join(root, page), "utf8")))
      runStep(step, (picture, made) => {
        const place = join(root, dirname(page), picture);
        mkdirSync(dirname(place), { recursive: true });
        copyFileSync(made, place);
      });
  }
}
