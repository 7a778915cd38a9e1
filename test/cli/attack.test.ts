/** `attack` and `evaluate` as processes: what they write is true, and a killed evaluation goes on. */
import { spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { random } from "../../src/core/random.ts";
import { encodePng } from "../../src/image/index.ts";
import { pictureOf, wavering } from "../methods/attack-models.ts";
import { decodePngFile } from "./files.ts";
import { convlens, folder, program } from "./run.ts";

const root = folder();
const model = join(root, "wavering.onnx");
const images = join(root, "images");
const flags = [
  "--model",
  model,
  "--preprocess",
  "unit",
  "--size",
  "8",
  "--labels",
  join(root, "labels.txt"),
  "--activation",
  "softmax",
];
const json = (path: string) => JSON.parse(readFileSync(path, "utf8"));
const classes = ["ape", "bee", "cow", "doe", "emu"];

beforeAll(async () => {
  writeFileSync(model, await wavering());
  writeFileSync(join(root, "labels.txt"), classes.join("\n"));
  for (const [c, name] of classes.entries()) {
    mkdirSync(join(images, name), { recursive: true });
    for (let i = 0; i < 4; i++)
      writeFileSync(join(images, name, `${i}.png`), encodePng(pictureOf(8, 8, random(10 * c + i))));
  }
  writeFileSync(join(images, "bee", "broken.png"), "no picture");
  mkdirSync(join(images, "nothing"));
  writeFileSync(join(images, "nothing", "0.png"), "no picture either");
});

describe("attack", () => {
  const photo = () => join(images, "ape", "0.png");

  it("writes what it found, and the written picture gets that answer", async () => {
    const out = join(root, "one");
    const { code, stdout, stderr } = await convlens(["attack", photo(), ...flags, "--out", out, "--json"]);
    expect([code, stderr]).toEqual([0, expect.stringMatching(/one-pixel: at most 40,400 pictures to judge/)]);
    const document = json(join(out, "attack.json"));
    expect(JSON.parse(stdout)).toEqual(document);
    expect(document).toMatchObject({ version: 1, kind: "attack", method: "one-pixel", success: true, targeted: false });
    const [original, attacked] = [await decodePngFile(photo()), await decodePngFile(join(out, "attacked.png"))];
    const [pixel] = document.pixels;
    for (let at = 0; at < 64; at++) {
      const [before, after] = [original, attacked].map(({ data }) => [...data.slice(4 * at, 4 * at + 3)]);
      expect(after).toEqual(at === pixel.y * 8 + pixel.x ? pixel.to : before);
    }
    const again = await convlens(["predict", join(out, "attacked.png"), ...flags, "--json"]);
    const [answer] = JSON.parse(again.stdout).predictions;
    expect(answer.label).toBe(document.after.label);
    expect(answer.label).not.toBe(document.before.label);
    expect(answer.probability).toBeCloseTo(document.after.probability, 6);
    expect(existsSync(join(out, "attack.png"))).toBe(true);
  });

  it("corners writes the map of vulnerability too", async () => {
    const out = join(root, "corners");
    const { code, stdout } = await convlens([
      "attack",
      photo(),
      ...flags,
      "--method",
      "corners",
      "--out",
      out,
      "--npy",
    ]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/becomes/)]);
    expect(json(join(out, "vulnerability.json"))).toMatchObject({ kind: "map", shape: [8, 8], method: "corners" });
    expect(existsSync(join(out, "vulnerability.png"))).toBe(true);
    expect(readFileSync(join(out, "vulnerability.npy")).length).toBe(128 + 4 * 64);
  });

  it("several photographs get a folder each", async () => {
    const out = join(root, "both");
    const run = await convlens([
      "attack",
      photo(),
      join(images, "ape", "1.png"),
      ...flags,
      "--method",
      "ranked",
      "--out",
      out,
      "--json",
    ]);
    expect(run.code).toBe(0);
    expect(JSON.parse(run.stdout).map(({ input }: { input: string }) => input)).toEqual(["0.png", "1.png"]);
    expect(json(join(out, "1", "attack.json")).method).toBe("ranked");
  });

  it.each([
    [["--method", "one-pixle"], /is no attack. Did you mean "one-pixel"/],
    [
      ["--method", "fgsm", "--pixels", "2"],
      /--pixels is no option of fgsm; attacks that have it: one-pixel, sparse-rs/,
    ],
    [["--max-queries", "0"], /--max-queries "0" must be a whole number/],
    [["--max-time", "soon"], /--max-time "soon" is no time/],
    [["--pixels", "65"], /"pixels" is 65; the picture has 64/],
    [["--to", "yak"], /no class is called "yak"/],
    [["--stop", "target-above-90"], /needs a wanted class/],
  ])("%j is refused in one line", async (more, message) => {
    const { code, stderr } = await convlens(["attack", photo(), ...flags, "--out", join(root, "bad"), ...more]);
    expect([code, stderr.trimEnd().split("\n").at(-1)]).toEqual([2, expect.stringMatching(message)]);
    expect(existsSync(join(root, "bad"))).toBe(false);
  });

  it("resizes openly, or refuses", async () => {
    const large = join(root, "large.png");
    writeFileSync(large, encodePng(pictureOf(20, 10, random(1))));
    const run = await convlens(["attack", large, ...flags, "--method", "ranked", "--out", join(root, "large")]);
    expect([run.code, run.stderr]).toEqual([
      0,
      expect.stringMatching(/has 20x10 pixels, the network takes 8x8: what is attacked is the resized/),
    ]);
    const strict = await convlens(["attack", large, ...flags, "--strict-size"]);
    expect([strict.code, strict.stderr]).toEqual([2, expect.stringMatching(/--strict-size refuses it/)]);
  });

  it("without a word on how, tries the most promising changes of a large picture and says what would try more", async () => {
    const { code, stdout, stderr } = await convlens(["attack", "--out", join(root, "bare"), "--json"]);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(
      /no --method: ranked, with the 2,000 most promising changes; --method ranked tries them all/,
    );
    const { method, queries, success } = JSON.parse(stdout);
    expect([method, success]).toEqual(["ranked", false]);
    expect(queries).toBe(2000);
  });

  it("the present class cannot be wanted", async () => {
    const { predictions } = JSON.parse((await convlens(["predict", photo(), ...flags, "--json"])).stdout);
    const { code, stderr } = await convlens(["attack", photo(), ...flags, "--to", predictions[0].label]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/already: choose another class/)]);
  });
});

describe("evaluate", () => {
  const args = (out: string, ...more: string[]) => [
    "evaluate",
    ...flags,
    "--attack",
    "one-pixel",
    "--images",
    images,
    "--misclassified",
    "label",
    "--population",
    "20",
    "--generations",
    "4",
    "--out",
    out,
    ...more,
  ];

  it("says that nobody knows what is right where no folder is named after a class", async () => {
    const given = [...args(join(root, "unlabelled"))];
    given[given.indexOf(images)] = join(images, "bee");
    const { code, stdout, stderr } = await convlens(given);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/4 pictures judged; 4 attacked/)]);
    expect(stderr).toContain("no folder is named after a class");
  });

  it("counts every photograph once, lists what it cannot read, repeats any row", async () => {
    const out = join(root, "whole");
    const { code, stdout, stderr } = await convlens(args(out, "--json"));
    expect(code).toBe(0);
    expect(stderr).toMatch(/folder "nothing" names no class/);
    expect(stderr).toMatch(/skipped: "broken.png"/);
    const result = JSON.parse(stdout);
    expect(result).toEqual(json(join(out, "evaluate.json")));
    expect(result).toMatchObject({
      kind: "evaluation",
      method: "one-pixel",
      pictures: { seen: 20, attacked: 20, excluded: 0 },
      targeted: null,
    });
    expect(result.pictures.skipped).toEqual([
      { picture: "bee/broken.png", reason: expect.stringContaining("broken.png") },
    ]);
    const rows = readFileSync(join(out, "evaluate.csv"), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => line.split(","));
    expect(rows.length).toBe(22);
    const column = (name: string) => rows[0]!.indexOf(name);
    const fooled = rows.slice(1).filter((row) => row[column("success")] === "true");
    expect(fooled.length).toBe(result.untargeted.succeeded);
    const row = fooled[0]!;
    const alone = await convlens([
      "attack",
      join(images, row[0]!),
      ...flags,
      "--population",
      "20",
      "--generations",
      "4",
      "--seed",
      row[column("seed")]!,
      "--json",
      "--out",
      join(root, "alone"),
    ]);
    const repeated = JSON.parse(alone.stdout);
    expect([repeated.after.label, String(repeated.queries), String(repeated.distance.l2)]).toEqual([
      row[column("after")],
      row[column("queries")],
      row[column("l2")],
    ]);
    for (const name of ["evaluate.matrix.png", "evaluate.jsonl"]) expect(existsSync(join(out, name))).toBe(true);
  });

  it("goes on after a kill with nothing lost or counted twice, and with a larger count", async () => {
    const [straight, broken] = [join(root, "straight"), join(root, "broken")];
    await convlens(args(straight, "--goal", "both", "--count", "12", "--json"));
    const journal = join(broken, "evaluate.jsonl");
    const child = spawn(process.execPath, [...program, ...args(broken, "--goal", "both", "--count", "8")], {
      stdio: "ignore",
    });
    const ended = new Promise((done) => child.on("exit", done));
    while (!existsSync(journal) || readFileSync(journal, "utf8").split("\n").length < 4)
      await new Promise((done) => setTimeout(done, 20));
    child.kill("SIGKILL");
    await ended;
    const before = readFileSync(journal, "utf8");
    // Killed in the middle of a line.
    appendFileSync(journal, '{"picture":"ape/0.png","la');
    const { code, stderr } = await convlens(args(broken, "--goal", "both", "--count", "12"));
    expect([code, stderr]).toEqual([0, expect.stringMatching(/photographs were done before: going on from there/)]);
    expect(readFileSync(journal, "utf8").startsWith(before.slice(0, before.lastIndexOf("\n") + 1))).toBe(true);
    for (const name of ["evaluate.json", "evaluate.csv", "evaluate.jsonl"])
      expect(readFileSync(join(broken, name), "utf8"), name).toBe(readFileSync(join(straight, name), "utf8"));
    expect(existsSync(join(broken, "evaluate.reached.png"))).toBe(true);
  });

  it("begins anew in the folder of a run that was refused before its first photograph", async () => {
    const out = join(root, "refused-first");
    const refused = await convlens(args(out, "--count", "1", "--stop", "target-above-90"));
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(/needs a wanted class/)]);
    const { code, stderr } = await convlens(args(out, "--count", "1"));
    expect(code, stderr).toBe(0);
    expect(json(join(out, "evaluate.json")).pictures.attacked).toBe(1);
  });

  it("says that a photograph is resized, or leaves it out under --strict-size", async () => {
    const sizes = join(root, "sizes");
    mkdirSync(join(sizes, "ape"), { recursive: true });
    writeFileSync(join(sizes, "ape", "large.png"), encodePng(pictureOf(12, 8, random(3))));
    writeFileSync(join(sizes, "ape", "right.png"), encodePng(pictureOf(8, 8, random(4))));
    const given = (out: string, ...more: string[]) =>
      args(join(root, out), ...more).map((each) => (each === images ? sizes : each));
    const open = await convlens(given("resized"));
    expect(open.stderr).toMatch(/large.png" has 12x8 pixels, the network takes 8x8: .* resized .*; so are others/);
    expect(json(join(root, "resized", "evaluate.json")).pictures).toMatchObject({ attacked: 2, skipped: [] });
    const strict = await convlens(given("strict", "--strict-size"));
    expect(strict.code).toBe(0);
    expect(json(join(root, "strict", "evaluate.json")).pictures).toMatchObject({
      attacked: 1,
      skipped: [{ picture: "ape/large.png", reason: expect.stringMatching(/--strict-size refuses it/) }],
    });
  });

  it("an unknown class is refused before anything is written", async () => {
    const { code, stderr } = await convlens(args(join(root, "unknown"), "--to", "yak"));
    expect([code, stderr]).toEqual([2, expect.stringMatching(/no class is called "yak"/)]);
    expect(existsSync(join(root, "unknown"))).toBe(false);
  });

  it("Ctrl-C ends it at once and says how it goes on", async () => {
    const journal = join(root, "stopped", "evaluate.jsonl");
    const child = spawn(process.execPath, [...program, ...args(join(root, "stopped"), "--goal", "both")]);
    let said = "";
    child.stderr.on("data", (text) => {
      said += text;
    });
    const ended = new Promise((done) => child.on("close", done));
    while (!existsSync(journal) || readFileSync(journal, "utf8").split("\n").length < 3)
      await new Promise((done) => setTimeout(done, 20));
    child.kill("SIGINT");
    expect([await ended, said]).toEqual([130, expect.stringMatching(/the same command goes on from here/)]);
    expect(existsSync(join(root, "stopped", "evaluate.json"))).toBe(false);
  });

  it("does not mix runs, and says what differs", async () => {
    const out = join(root, "mixed");
    await convlens(args(out, "--count", "1"));
    const { code, stderr } = await convlens(args(out, "--count", "1", "--seed", "7"));
    expect([code, stderr]).toEqual([2, expect.stringMatching(/belongs to another run: its .*seed/)]);
  });

  it("a full disk is one line, and what was done stays done", async () => {
    const out = join(root, "full");
    // The journal may have one block of 1 KiB.
    const full = await convlens(args(out, "--goal", "each"), { limit: 1 });
    expect(full.code).not.toBe(0);
    const kept = existsSync(join(out, "evaluate.jsonl")) ? readFileSync(join(out, "evaluate.jsonl"), "utf8") : "";
    expect(kept.length).toBeLessThanOrEqual(1024);
    const { code } = await convlens(args(out, "--goal", "each", "--count", "3"));
    expect(code).toBe(0);
    expect(json(join(out, "evaluate.json")).pictures.attacked).toBe(3);
  });

  it.each([
    [["--images", join(root, "nowhere")], 2, /nowhere" does not exist/],
    [["--images", join(root, "labels.txt")], 2, /is no folder/],
    [["--goal", "each", "--to", "bee"], 2, /give one of them/],
    [["--attack", "all"], 2, /is no attack/],
  ])("%j is refused in one line", async (more, code, message) => {
    const run = await convlens([...args(join(root, "refused")), ...more]);
    expect([run.code, run.stderr.trimEnd().split("\n").at(-1)]).toEqual([code, expect.stringMatching(message)]);
  });
});
