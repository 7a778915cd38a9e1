/** The package as it would be published: unpacked into an empty folder beside its dependencies, with and without the native engine. */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "convlens-package-"));
const installed = join(folder, "node_modules");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** Links a dependency, and those it needs itself, as an install would place them. */
function link(name: string): void {
  const from = join(root, "node_modules", name);
  const to = join(installed, name);
  if (existsSync(to) || !existsSync(from)) return;
  mkdirSync(dirname(to), { recursive: true });
  if (name.startsWith("onnxruntime-node")) symlinkSync(from, to);
  else cpSync(from, to, { recursive: true });
  const { dependencies = {} } = JSON.parse(readFileSync(join(from, "package.json"), "utf8"));
  for (const other of Object.keys(dependencies)) link(other);
}

beforeAll(() => {
  const packed = execFileSync("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", folder], {
    cwd: root,
    encoding: "utf8",
  });
  const [{ filename }] = JSON.parse(packed.slice(packed.indexOf("[")));
  mkdirSync(join(installed, "convlens"), { recursive: true });
  execFileSync("tar", ["-xzf", join(folder, filename), "-C", join(installed, "convlens"), "--strip-components=1"]);
  for (const name of Object.keys(manifest.dependencies)) link(name);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (...args: string[]) =>
  spawnSync(process.execPath, [join(installed, "convlens/dist/cli/main.js"), ...args], {
    cwd: folder,
    encoding: "utf8",
  });

test("holds what it must and nothing else", () => {
  const files = readdirSync(join(installed, "convlens"), { recursive: true, encoding: "utf8" });
  for (const file of [manifest.bin.convlens, "LICENSE", "README.md", "CREDITS.md", "models/cats-and-dogs.onnx"])
    expect(files).toContain(file);
  expect(files.filter((file) => /\.test\.|^src|^test|training|fixtures/.test(file))).toEqual([]);
});

test("answers on WASM where the native engine could not be installed, and says how to get it", () => {
  const { stdout, stderr, status } = run("predict", "--json");
  expect(stderr).toMatch(/onnxruntime-node/);
  expect(status).toBe(0);
  expect(JSON.parse(stdout).predictions[0].label).toBe("cat");
});

test("answers the same with the native engine, without the notice", () => {
  const wasm = JSON.parse(run("predict", "--json").stdout);
  link("onnxruntime-node");
  const { stdout, stderr, status } = run("predict", "--json");
  expect(stderr).not.toMatch(/onnxruntime-node/);
  expect(status).toBe(0);
  expect(JSON.parse(stdout).output[0]).toBeCloseTo(wasm.output[0], 4);
});
