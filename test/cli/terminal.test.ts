/** Help, completion, pipes and Ctrl-C: what surrounds every verb. */
import { spawn, spawnSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { verbs } from "../../src/cli/program.ts";
import { convlens, folder, program } from "./run.ts";

const dir = folder();
const names = verbs.map(({ name }) => name);

describe("help", () => {
  it("names every verb, and its version is the package's", async () => {
    const { code, stdout } = await convlens(["--help"]);
    expect(code).toBe(0);
    for (const verb of names) expect(stdout).toMatch(new RegExp(`^ {2}${verb} `, "m"));
    expect((await convlens([])).stdout).toBe(stdout);
    expect((await convlens(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it.each(names)("of %s has options and examples", async (verb) => {
    const { code, stdout, stderr } = await convlens([verb, "--help"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^Options:$/m);
    expect(stdout).toMatch(new RegExp(`^Examples:\\n {2}\\$ convlens ${verb}`, "m"));
    expect((await convlens(["help", verb])).stdout).toBe(stdout);
    // Each flag says its default once, by itself or as commander adds it.
    for (const flag of stdout.split(/^ {2}(?=-)/m)) expect(flag.split(/\bdefault\b/).length, flag).toBeLessThan(3);
    // A shell takes the lines as they stand: what explains them is a comment.
    for (const [, example] of stdout.matchAll(/^ {2}\$ (convlens .*)$/gm)) expect(example).not.toMatch(/\S {2,}[^# ]/);
  });

  it("lists the preprocessing modes with their formulas", async () => {
    const { stdout } = await convlens(["predict", "--help"]);
    for (const text of ["raw", "x / 255", "x / 127.5 - 1", "0.485, 0.456, 0.406", "103.939"])
      expect(stdout).toContain(text);
  });
});

describe("completion", () => {
  it.each(["bash", "zsh", "fish"])(
    "scripts for %s name verbs and flags and can be read by the shell",
    async (shell) => {
      const { code, stdout } = await convlens(["completion", shell]);
      expect(code).toBe(0);
      for (const word of [...names, "--budget".slice(2), "preprocess", "stretch"]) expect(stdout).toContain(word);
      const check = spawnSync(shell, ["-n"], { input: stdout, encoding: "utf8" });
      if (check.error === undefined) expect([check.status, check.stderr]).toEqual([0, ""]);
      else expect(shell).not.toBe("bash");
    },
  );

  it("completes verbs, flags, values and files in bash", async () => {
    const { stdout: script } = await convlens(["completion", "bash"]);
    writeFileSync(join(dir, "cat.png"), "");
    const complete = (...words: string[]) => {
      const list = words.map((word) => `'${word}'`).join(" ");
      const run = `COMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _convlens; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return spawnSync("bash", ["-c", `${script}\n${run}`], { encoding: "utf8", cwd: dir })
        .stdout.trim()
        .split("\n");
    };
    expect(complete("convlens", "su")).toEqual(["summary"]);
    expect(complete("convlens", "predict", "--to")).toEqual(["--top"]);
    expect(complete("convlens", "predict", "--fit", "c")).toEqual(["crop"]);
    expect(complete("convlens", "predict", "ca")).toEqual(["cat.png"]);
    expect(complete("convlens", "models", "")).toEqual(expect.arrayContaining(["ls", "info", "card"]));
  });
});

describe("a process", () => {
  it("ends quietly when its reader has enough", () => {
    const command = [process.execPath, ...program, "models", "info", "cats-and-dogs"]
      .map((word) => `'${word}'`)
      .join(" ");
    const { stdout, stderr } = spawnSync("bash", ["-c", `set -o pipefail; ${command} | head -n 1; echo "code $?"`], {
      encoding: "utf8",
    });
    expect(stdout).toMatch(/^name +cats-and-dogs.onnx\ncode 0\n$/);
    expect(stderr).not.toMatch(/EPIPE|\n\s+at /);
  });

  it("ends with 130 on Ctrl-C and leaves no half file", async () => {
    const args = [...program, "activations", "--layer", "all", "--npy", "--out", join(dir, "stopped"), "--timing"];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
    // When the pass is done, pictures and arrays are being written.
    child.stderr.on("data", (text) => {
      if (String(text).includes("time: activations")) child.kill("SIGINT");
    });
    const code = await new Promise((done) => child.on("exit", done));
    expect(code).toBe(130);
    expect(readdirSync(dir)).not.toContain("stopped");
  });

  it("shows no stack of a fault unless --debug asks for it", async () => {
    // A fault of our own: a function that every summary needs throws.
    const fault = encodeURIComponent('Number.prototype.toFixed = () => { throw new Error("broken"); };');
    const env = { NODE_OPTIONS: `--import data:text/javascript,${fault}` };
    const plain = await convlens(["summary", "--quiet"], { env });
    expect([plain.code, plain.stderr]).toEqual([1, "convlens: internal error: broken (--debug shows where)\n"]);
    const debug = await convlens(["summary", "--quiet", "--debug"], { env });
    expect([debug.code, debug.stderr]).toEqual([1, expect.stringMatching(/broken.*\n.*\n +at /)]);
  });
});
