/** The report and the networks' own verbs as processes. */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { changedModel, smallModel, smallPng } from "./files.ts";
import { convlens, folder } from "./run.ts";

const dir = folder();
const at = (name: string) => join(dir, name);

beforeAll(async () => {
  writeFileSync(at("small.onnx"), await smallModel());
  writeFileSync(at("one.png"), await smallPng());
});

const run = (...args: string[]) => convlens(args, { cwd: dir });
const json = async (...args: string[]) => {
  const { code, stdout, stderr } = await run(...args);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
};
const names = (path: string) => readdirSync(at(path)).sort();

// A report may take its minute on a busy machine.
describe("report", { timeout: 180_000 }, () => {
  it("writes one HTML file and says where", async () => {
    const { code, stdout, stderr } = await run("report", "--out", "r.html");
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^0 +cat +.*\n1 +dog.*\nr\.html {2}\d\.\d MB.*\n$/);
    expect(statSync(at("r.html")).size).toBeLessThan(6e6);
    const html = readFileSync(at("r.html"), "utf8");
    expect(html).toMatch(/^<!doctype html>/i);
    expect(html).toContain("convlens report --out r.html");
    expect(stderr).toMatch(/^1\/\d+ /m);
  });

  it("leaves sections out, and says in JSON what it did", async () => {
    const report = await json("report", `--out=${at("s.html")}`, "--without", "summary,sparsity", "--json");
    expect(report).toMatchObject({
      version: 1,
      kind: "report",
      file: at("s.html"),
      predictions: [{ label: "cat" }, {}],
    });
    expect(report.sections).not.toContain("summary");
    expect(report.notes.join("\n")).toContain('section "summary"');
    // The page may be passed on: it names files without their folders.
    expect(readFileSync(at("s.html"), "utf8")).not.toContain(at(""));
  });
});

describe("models", () => {
  it("lists the embedded networks first", async () => {
    const { rows } = await json("models", "ls", "--json");
    expect(rows.slice(0, 3).map((row: { id: string }) => row.id)).toEqual(["cats-and-dogs", "cifar10", "vgg16"]);
    for (const row of rows.slice(0, 2)) expect(row).toMatchObject({ licence: "Apache-2.0", bytes: expect.any(Number) });
    expect((await run("models", "ls")).stdout).toMatch(/cats-and-dogs +Cats and dogs/);
  });

  it("tells of one: inputs, preprocessing, checksum, card", async () => {
    const info = await json("models", "info", "cats-and-dogs", "--json");
    expect(info).toMatchObject({ version: 1, kind: "model", preprocessing: { size: [150, 150], resize: "nearest" } });
    expect(info.sha256).toBe(info.card.sha256);
    expect((await run("models", "info", "cats-and-dogs")).stdout).toMatch(
      /^preprocess +150x150 .*; x \/ 255, RGB, NHWC$/m,
    );
    const { stdout } = await run("models", "info", "small.onnx");
    expect(stdout).toContain("; (x / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225], RGB, NCHW\n");
    expect(stdout).toMatch(/^input +image \(None, 3, 8, 8\) float32$/m);
  });

  it("lets no terminal escape of a file through", async () => {
    writeFileSync(
      at("escape.onnx"),
      await changedModel(({ graph }) => {
        graph!.node[0]!.name = "\x1b[31mred\x1b[0m";
        graph!.input[0]!.name = "\x1b]0;title\x07";
        graph!.node[0]!.input[0] = "\x1b]0;title\x07";
      }),
    );
    const runs = await Promise.all([
      run("summary", "escape.onnx"),
      run("filters", "escape.onnx", "-o", "escaped"),
      run("models", "info", "escape.onnx"),
      run("activations", "escape.onnx", "one.png", "-o", "escaped", "-l", "nothing"),
      run("predict", "escape.onnx", "--tensor", "image=batch.npy"),
    ]);
    for (const { stdout, stderr } of runs) expect((stdout + stderr).replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
    expect(runs[0]!.stdout).toContain("red");
    expect(names("escaped")).toEqual(["%1B[31mred%1B[0m.png"]);
  });

  it("writes a card that the next run obeys, and overwrites none", async () => {
    writeFileSync(at("carded.onnx"), await smallModel());
    writeFileSync(at("names.txt"), "red\ngreen\nblue\n");
    const flags = ["--preprocess", "unit", "--resize", "opencv:bilinear", "--fit", "stretch", "--labels", "names.txt"];
    const { code, stdout } = await run("models", "card", "carded.onnx", ...flags);
    expect([code, stdout]).toEqual([0, "carded.card.json\n"]);
    const card = JSON.parse(readFileSync(at("carded.card.json"), "utf8"));
    expect(card).toMatchObject({
      version: 1,
      labels: ["red", "green", "blue"],
      preprocessing: { resize: "bilinear", resizeLibrary: "opencv", fit: "stretch", size: [8, 8] },
    });
    const carded = await json("predict", "carded.onnx", "one.png", "--json");
    const flagged = await json("predict", "small.onnx", "one.png", ...flags, "--json");
    expect(carded.predictions).toEqual(flagged.predictions);
    expect(carded.predictions[0].label).toMatch(/red|green|blue/);
    const before = readFileSync(at("carded.card.json"), "utf8");
    const again = await run("models", "card", "carded.onnx", "--preprocess", "tf");
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("--force")]);
    expect(readFileSync(at("carded.card.json"), "utf8")).toBe(before);
    expect((await run("models", "card", "carded.onnx", "--preprocess", "tf", "--force")).code).toBe(0);
    expect(JSON.parse(readFileSync(at("carded.card.json"), "utf8"))).toMatchObject({
      labels: ["red", "green", "blue"],
      preprocessing: { mean: [1, 1, 1] },
    });
  });
});
