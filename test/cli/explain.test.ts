/** `convlens explain` as a process: its files by the naming rule, its JSON, its arrays, what it refuses. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decode } from "fast-png";
import { beforeAll, describe, expect, it } from "vitest";
import { readNpy, writeNpy } from "../../src/core/npy.ts";
import { float32 } from "../../src/core/tensor.ts";
import type { ModelProto } from "../../src/formats/onnx/onnx_pb.ts";
import { methods } from "../../src/methods/index.ts";
import { changedModel, decodePngFile, smallModel, smallPng } from "./files.ts";
import { convlens, folder, program } from "./run.ts";

const dir = folder();
const at = (name: string) => join(dir, name);

beforeAll(async () => {
  writeFileSync(at("small.onnx"), await smallModel());
  writeFileSync(at("one.png"), await smallPng(40, 30));
  writeFileSync(at("two.png"), await smallPng(20, 26));
  const floats = (values: readonly number[]) => new Uint8Array(Float32Array.from(values).buffer);
  const constant = ({ graph }: ModelProto, name: string) => graph!.initializer.find((one) => one.name === name)!;
  // Biases far below 0: the last ReLU gives zeros.
  writeFileSync(
    at("dead.onnx"),
    await changedModel((model) => {
      constant(model, "second.bias").rawData = floats(new Array(6).fill(-1e4));
    }),
  );
  // 60 classes, and biases so far above 0 that the picture hardly counts.
  writeFileSync(
    at("deaf.onnx"),
    await changedModel((model) => {
      constant(model, "second.bias").rawData = floats(new Array(6).fill(1e3));
      const weight = constant(model, "dense.weight");
      weight.dims = [6n, 60n];
      weight.rawData = floats(Array.from({ length: 360 }, (_, i) => Math.sin(i * 0.7) / 1e3));
      const { type } = model.graph!.output[0]!;
      if (type?.value.case === "tensorType") type.value.value.shape!.dim[1]!.value = { case: "dimValue", value: 60n };
    }),
  );
});

const run = (...args: string[]) => convlens(["explain", ...args], { cwd: dir });
const json = async (...args: string[]) => {
  const { code, stdout, stderr } = await run(...args, "--json");
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
};
const names = (path: string) => readdirSync(at(path)).sort();
const array = (path: string) => readNpy(readFileSync(at(path)), path);

describe("files and JSON", () => {
  it("explains the demo network's answer at the layer it chose, and says so", async () => {
    const { code, stdout, stderr } = await run("--npy", "-o", "demo");
    expect(code, stderr).toBe(0);
    expect(names("demo")).toEqual(["gradcam.json", "gradcam.npy", "gradcam.png"]);
    expect(stdout).toMatch(/^gradcam {2}cat 7\d\.\d % {2}at conv2d_3 {2}\(15, 15\) {2}0 to 0\.0\d+\n$/);
    expect(stderr).toMatch(/^note: .*conv2d_3/m);
    const map = array("demo/gradcam.npy");
    expect([map.type, map.dims]).toEqual(["float32", [15, 15]]);
    const result = JSON.parse(readFileSync(at("demo/gradcam.json"), "utf8"));
    expect(Object.keys(result).slice(0, 2)).toEqual(["version", "kind"]);
    const values = map.data as Float32Array;
    expect(result).toMatchObject({
      version: 1,
      kind: "map",
      method: "gradcam",
      model: { name: "cats-and-dogs.onnx", sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      target: { index: 0, label: "cat", of: "logit" },
      layer: "conv2d_3",
      shape: [15, 15],
      range: [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))],
    });
    // The photograph, not the network's small square, is what is drawn on: 451 x 300.
    const picture = await decodePngFile(at("demo/gradcam.png"));
    expect(picture.width / picture.height).toBeGreaterThan(1);
  });

  it("names files by layer and target where there are several, and draws all on one sheet", async () => {
    const args = ["small.onnx", "one.png", "--method", "gradcam,gradient", "-t", "0", "-t", "2"];
    const results = await json(...args, "-l", "first_relu", "-l", "second_relu", "--npy", "-o", "several");
    expect(results).toHaveLength(6);
    const cams = ["first_relu.0", "first_relu.2", "second_relu.0", "second_relu.2"].map((name) => `gradcam.${name}`);
    const bases = [...cams, "gradient.0", "gradient.2"];
    expect(names("several")).toEqual(
      [...bases.flatMap((base) => [`${base}.json`, `${base}.npy`, `${base}.png`]), "explain.png"].sort(),
    );
    for (const base of bases) {
      const { method, layer, target } = JSON.parse(readFileSync(at(`several/${base}.json`), "utf8"));
      const shown = [method, ...(layer ? [layer] : []), target.index].join(".");
      expect(shown).toBe(base);
    }
    // In source layout: channels first.
    expect(array("several/gradient.2.npy").dims).toEqual([3, 8, 8]);
  });

  it("gives each photograph a folder, and one sheet for all", async () => {
    const results = await json("small.onnx", "one.png", "two.png", "-o", "photographs");
    expect(results.map(({ input }: { input: string }) => input)).toEqual(["one.png", "two.png"]);
    expect(names("photographs")).toEqual(["explain.png", "one", "two"]);
    expect(names("photographs/two")).toEqual(["gradcam.json", "gradcam.png"]);
  });

  it("takes all convolutions with --layer all", async () => {
    const results = await json("small.onnx", "one.png", "-l", "all", "-o", "strip");
    expect(results.map(({ layer }: { layer: string }) => layer)).toEqual(["first_relu", "second_relu"]);
    expect(names("strip")).toContain("explain.png");
  });

  it("passes a method's own options on", async () => {
    const { options } = await json("small.onnx", "one.png", "--method", "ig", "--steps", "7", "-o", "own");
    expect(options.steps).toBe(7);
    const signed = await json(
      "small.onnx",
      "one.png",
      "--signed",
      "--of",
      "probability",
      "--activation",
      "softmax",
      "-o",
      "own",
    );
    expect(signed).toMatchObject({ signed: true, options: { signed: true } });
  });

  it("gives the same bytes twice", async () => {
    const args = ["small.onnx", "one.png", "--method", "gradcam,smoothgrad", "--samples", "4", "--npy"];
    await run(...args, "-o", "first");
    await run(...args, "-o", "again");
    for (const name of names("first"))
      expect(readFileSync(at(`again/${name}`))).toEqual(readFileSync(at(`first/${name}`)));
  });

  it("explains a ready tensor, row by row", async () => {
    const data = Array.from({ length: 2 * 192 }, (_, i) => Math.cos(i));
    writeFileSync(at("batch.npy"), writeNpy(float32([2, 3, 8, 8], data)));
    const results = await json("small.onnx", "--tensor", "batch.npy", "-o", "tensor");
    expect(results.map(({ input }: { input: string }) => input)).toEqual(["batch.npy[0]", "batch.npy[1]"]);
    expect(names("tensor/1")).toEqual(["gradcam.json", "gradcam.png"]);
  });

  it("lists boxes in the photograph's pixels", async () => {
    const { threshold, boxes } = await json("--mode", "boxes", "--threshold", "0.3", "-o", "boxes");
    expect(threshold).toBe(0.3);
    expect(boxes.length).toBeGreaterThan(0);
    for (const { x, y, width, height, share } of boxes) {
      expect(x).toBeGreaterThanOrEqual(0);
      expect(x + width).toBeLessThanOrEqual(451);
      expect(y + height).toBeLessThanOrEqual(300);
      expect(share).toBeLessThanOrEqual(1);
    }
  });
});

describe("pictures", () => {
  it("alone are as large as the photograph; a mask is transparent", async () => {
    await run("small.onnx", "one.png", "--bare", "--mode", "mask", "-o", "mask");
    const mask = decode(readFileSync(at("mask/gradcam.png")));
    expect(mask.channels).toBe(4);
    expect([mask.width, mask.height]).toEqual([40, 30]);
    const alpha = mask.data.filter((_, i) => i % 4 === 3);
    expect(Math.min(...alpha)).toBe(0);
    expect(Math.max(...alpha)).toBe(255);
  });

  it("differ by mode, colour map and opacity", async () => {
    const drawn = new Set<string>();
    const looks = [
      [],
      ["--mode", "map"],
      ["--mode", "contour"],
      ["--colormap", "viridis_r"],
      ["--opacity", "0.3"],
      ["--no-fade"],
      ["--clip", "60"],
    ];
    for (const look of looks) {
      const { code, stderr } = await run("small.onnx", "one.png", ...look, "-o", "looks");
      expect(code, stderr).toBe(0);
      drawn.add(readFileSync(at("looks/gradcam.png"), "base64"));
    }
    expect(drawn.size).toBe(looks.length);
  });

  it("of the lecture's preset are the photograph's size, as PNG and JPEG", async () => {
    await run("--preset", "chollet", "-o", "lecture");
    expect(names("lecture")).toEqual(["gradcam.jpg", "gradcam.json", "gradcam.png"]);
    const picture = await decodePngFile(at("lecture/gradcam.png"));
    expect([picture.width, picture.height]).toEqual([451, 300]);
  });
});

describe("maps with a problem", () => {
  it("carry the reason on stderr, in the JSON and in the picture", async () => {
    const { stdout, stderr } = await run("dead.onnx", "one.png", "--json", "-o", "dead");
    const { notes, range } = JSON.parse(stdout);
    expect(range).toEqual([0, 0]);
    expect(notes.at(-1)).toMatch(/dead|all its activations are 0/);
    expect(stderr).toContain(notes.at(-1));
    // The dark band with the reason lies on the photograph's lower edge.
    const { width, data } = await decodePngFile(at("dead/gradcam.png"));
    const dark = data.filter((v, i) => i % 4 === 0 && v === 28 && data[i + 1] === 32 && data[i + 2] === 40).length;
    expect(dark).toBeGreaterThan(width * 10);
  });
});

describe("the command", () => {
  it("lists every method with its sentence", async () => {
    const { code, stdout } = await run("--methods");
    expect(code).toBe(0);
    const text = stdout.replace(/\s+/g, " ");
    for (const { id, summary, kind } of methods.filter(({ kind: k }) => k === "map" || k === "attribution"))
      expect([kind, text.includes(`${id} ${summary}`)]).toEqual([kind, true]);
  });

  it("lists them in JSON too", async () => {
    const { kind, methods: listed } = JSON.parse((await run("--methods", "--json")).stdout);
    expect(kind).toBe("methods");
    expect(listed.map(({ id }: { id: string }) => id)).toContain("gradcam");
    expect(listed[0]).toEqual({
      id: expect.any(String),
      title: expect.any(String),
      family: expect.any(String),
      summary: expect.any(String),
      cost: expect.any(String),
    });
  });

  it("compares with the photographs of --background, and leaves out what it cannot read", async () => {
    mkdirSync(at("others"));
    writeFileSync(at("others/a.png"), await smallPng(30, 20));
    writeFileSync(at("others/b.png"), await smallPng(21, 43));
    writeFileSync(at("others/c.png"), "no picture");
    writeFileSync(at("others/readme.txt"), "no picture either");
    const flags = ["small.onnx", "one.png", "--method", "expected-gradients", "--samples", "4", "--npy"];
    const given = await run(...flags, "--background", "others", "-o", "given");
    expect(given.code, given.stderr).toBe(0);
    expect(given.stderr).toMatch(/--background leaves out c\.png/);
    expect(given.stderr).toMatch(/the baselines are 2 pictures that were given/);
    // Its own picture as background differs from itself in nothing.
    mkdirSync(at("self"));
    writeFileSync(at("self/one.png"), readFileSync(at("one.png")));
    expect((await run(...flags, "--background", "self", "-o", "none")).code).toBe(0);
    expect(array("none/expected-gradients.npy").data.every((x) => Number(x) === 0)).toBe(true);
    expect((await run(...flags, "-o", "made")).code).toBe(0);
    const [with2, made] = ["given", "made"].map((name) => array(`${name}/expected-gradients.npy`).data);
    expect(with2).not.toEqual(made);
  });

  it.each([
    ["an unknown method", ["--method", "gradcm"], /--method "gradcm".*Did you mean "gradcam"/],
    ["a method by its title", ["--method", "integrated-gradients"], /Did you mean "ig"\?/],
    ["a method spelt otherwise", ["--method", "Grad-CAM"], /Did you mean "gradcam"\?/],
    ["no method", ["--method", ","], /names no method/],
    [
      "a flag that the method does not have",
      ["--steps", "9"],
      /--steps is no option of gradcam; methods that have it:.* ig/,
    ],
    [
      "a layer for a method of pixels",
      ["--method", "ig", "-l", "first"],
      /--layer is no option of ig; methods that have it: .*gradcam/,
    ],
    ["an unknown class", ["-t", "3"], /class 3.*0 to 2/],
    ["a layer without height and width", ["-l", "dense"], /"dense".*height and width/],
    ["an unknown layer", ["-l", "frist"], /"frist".*Did you mean.*"first"/],
    ["an unknown colour map", ["--colormap", "virdis"], /"virdis".*Did you mean "viridis"/],
    ["an opacity out of range", ["--opacity", "2"], /--opacity "2".*between 0 and 1/],
    ["an unknown mode", ["--mode", "heat"], /overlay, map/],
    ["a background for another method", ["--background", "."], /--background is for the method expected-gradients/],
    [
      "a background that is not there",
      ["--method", "expected-gradients", "--background", "nowhere"],
      /--background "nowhere" does not exist/,
    ],
    ["too few steps", ["--method", "ig", "--steps", "0"], /--steps "0"/],
  ] as const)("refuses %s in one line", async (_, args, says) => {
    const { code, stdout, stderr } = await run("small.onnx", "one.png", ...args, "-o", "refused", "--quiet");
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(says);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(existsSync(at("refused"))).toBe(false);
  });

  it("leaves methods out that do not apply, and says so; alone they are refused", async () => {
    const several = await run("--method", "cam,gradcam", "-o", "left-out");
    expect([several.code, names("left-out")]).toEqual([0, ["gradcam.json", "gradcam.png"]]);
    expect(several.stderr).toMatch(/^note: cam is left out: it does not apply to "cats-and-dogs.onnx"/m);
    const alone = await run("--method", "cam", "-o", "left-out-alone", "--quiet");
    expect([alone.code, alone.stderr]).toEqual([2, expect.stringMatching(/^convlens: cam does not apply.*gradcam/)]);
    expect(existsSync(at("left-out-alone"))).toBe(false);
  });

  it("goes on after a broken photograph among several, and leaves it out of the sheet", async () => {
    writeFileSync(at("broken.png"), "no picture");
    const { code, stderr } = await run("small.onnx", "one.png", "broken.png", "two.png", "-o", "broken");
    expect(code).toBe(2);
    expect(stderr).toContain("1 of 3 pictures failed");
    expect(names("broken")).toEqual(["explain.png", "one", "two"]);
    // The count of photographs goes on as well: never "2/3" twice, for two of them.
    const counted = stderr.match(/\d\/3 \S+/g)!;
    expect([...new Set(counted)]).toEqual(["1/3 one.png", "2/3 broken.png", "3/3 two.png"]);
  });

  it("tells what holds for all photographs once, without their names", async () => {
    const { stderr } = await run("small.onnx", "one.png", "two.png", "--method", "gradcam,layercam", "-o", "notes");
    const chosen = stderr.split("\n").filter((line) => line.includes("was chosen"));
    expect(chosen).toEqual([expect.stringMatching(/^note: layer "/)]);
  });

  it("doubts a guessed preprocessing once for all photographs, and not one that was named", async () => {
    const of = async (...more: string[]) => {
      const { stderr } = await run("deaf.onnx", "one.png", "two.png", "--method", "gradient", "-o", "deaf", ...more);
      return stderr.split("\n").filter((line) => line.includes("seems not to fit"));
    };
    expect(await of()).toEqual([expect.stringMatching(/^note: preprocessing "torch" was guessed/)]);
    expect(await of("--preprocess", "torch")).toEqual([]);
  });

  it("leaves nothing half-written when stopped", async () => {
    const args = [...program, "explain", "--method", "smoothgrad", "--samples", "100000", "-o", "stopped"];
    const child = spawn(process.execPath, args, { cwd: dir, stdio: ["ignore", "ignore", "pipe"] });
    await new Promise<void>((done) => {
      child.stderr.on("data", (data) => String(data).includes("smoothgrad") && done());
    });
    child.kill("SIGINT");
    expect(await new Promise((done) => child.on("exit", done))).toBe(130);
    expect(existsSync(at("stopped"))).toBe(false);
  });
});
