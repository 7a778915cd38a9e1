/** Bad input: each gives one clear line on stderr and exit code 2, and leaves what is there untouched. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { writeNpy } from "../../src/core/npy.ts";
import { float32, type Tensor } from "../../src/core/tensor.ts";
import { TensorProto_DataLocation } from "../../src/formats/onnx/onnx_pb.ts";
import { bombPng, changedModel, hugeModel, smallModel, smallPng } from "./files.ts";
import { convlens, folder } from "./run.ts";

const dir = folder();
const at = (name: string) => join(dir, name);
const run = (...args: string[]) => convlens(args, { cwd: dir });

beforeAll(async () => {
  const model = await smallModel();
  const picture = await smallPng(64, 64);
  writeFileSync(at("small.onnx"), model);
  writeFileSync(at("one.png"), picture);
  mkdirSync(at("empty-folder"));
  writeFileSync(at("empty.onnx"), "");
  writeFileSync(at("text.onnx"), "This is a text, and no network at all.\n");
  writeFileSync(at("text.png"), "This is a text, and no picture at all.\n");
  writeFileSync(at("truncated.onnx"), model.subarray(0, model.length * 0.6));
  writeFileSync(at("flipped.onnx"), flipped(model));
  writeFileSync(at("truncated.png"), picture.subarray(0, picture.length / 2));
  writeFileSync(at("bomb.png"), bombPng(60_000, 60_000));
  writeFileSync(
    at("fake.pt"),
    Buffer.concat([Buffer.from("PK\x03\x04"), Buffer.alloc(26), Buffer.from("archive/data.pkl")]),
  );
  writeFileSync(
    at("short.onnx"),
    await changedModel(({ graph }) => {
      const weight = graph!.initializer.find(({ name }) => name === "first.weight")!;
      weight.rawData = weight.rawData.subarray(0, 100);
    }),
  );
  writeFileSync(at("huge.onnx"), await hugeModel([250, 100, 1000, 1000]));
  writeFileSync(at("large.onnx"), await hugeModel([2, 2 ** 31 - 1]));
  writeFileSync(
    at("wide.onnx"),
    await changedModel(({ graph }) => {
      const { value } = graph!.input[0]!.type!;
      if (value.case === "tensorType") value.value.shape!.dim[3]!.value = { case: "dimValue", value: 2_000_000_000n };
    }),
  );
  writeFileSync(
    at("declared-huge.onnx"),
    await changedModel(({ graph }) => {
      graph!.initializer.find(({ name }) => name === "first.weight")!.dims = [4n, 3n, 50_000n, 50_000n];
    }),
  );
  writeFileSync(
    at("two-inputs.onnx"),
    await changedModel(({ graph }) => {
      graph!.input.push({ ...graph!.input[0]!, name: "meta" });
    }),
  );
  const external = (location: string) =>
    changedModel(({ graph }) => {
      const weight = graph!.initializer.find(({ name }) => name === "first.weight")!;
      weight.rawData = new Uint8Array(0);
      weight.dataLocation = TensorProto_DataLocation.EXTERNAL;
      weight.externalData = [{ $typeName: "onnx.StringStringEntryProto", key: "location", value: location }];
    });
  writeFileSync(at("external-missing.onnx"), await external("weights.bin"));
  writeFileSync(at("external-outside.onnx"), await external("../../../../etc/passwd"));
  writeFileSync(at("external-absolute.onnx"), await external("/etc/passwd"));
  symlinkSync("/etc/passwd", at("linked.bin"));
  writeFileSync(at("external-linked.onnx"), await external("linked.bin"));
  writeFileSync(
    at("operator.onnx"),
    await changedModel(({ graph }) => {
      graph!.node.find(({ opType }) => opType === "Relu")!.opType = "Frobnicate";
    }),
  );
  writeFileSync(
    at("no-rule.onnx"),
    await changedModel(({ graph }) => {
      Object.assign(graph!.node.find(({ name }) => name === "second_relu")!, { opType: "Det", attribute: [] });
    }),
  );
  writeFileSync(
    at("overflow.onnx"),
    await changedModel(({ graph }) => {
      const weight = graph!.initializer.find(({ name }) => name === "dense.weight")!;
      weight.rawData = new Uint8Array(new Float32Array(18).fill(3e38).buffer);
    }),
  );
  writeFileSync(
    at("heads.onnx"),
    await changedModel(({ graph }) => {
      graph!.node.push({ ...graph!.node.at(-1)!, name: "dense2", output: ["scores2"] });
      graph!.output.push({ ...graph!.output[0]!, name: "scores2" });
    }),
  );
  writeFileSync(
    at("opset.onnx"),
    await changedModel(({ opsetImport }) => {
      opsetImport[0]!.version = 999n;
    }),
  );
  const tensor = (name: string, value: Tensor) => writeFileSync(at(name), writeNpy(value));
  tensor("shape.npy", float32([1, 8, 8, 3], new Float32Array(192)));
  tensor("rank.npy", float32([3, 8, 8], new Float32Array(192)));
  tensor("large.npy", float32([1, 3, 8, 8], new Float32Array(192).fill(1e4)));
  tensor("type.npy", { type: "int64", dims: [1, 3, 8, 8], data: new BigInt64Array(192) });
  tensor("nan.npy", float32([1, 3, 8, 8], new Float32Array(192).fill(Number.NaN, 5, 6)));
  tensor("good.npy", float32([1, 3, 8, 8], new Float32Array(192)));
  writeFileSync(at("cut.npy"), readFileSync(at("good.npy")).subarray(0, 200));
  writeFileSync(at("bad.card.json"), '{"version": 1, "preprocesing": {}}');
  writeFileSync(at("bad.onnx"), model);
  writeFileSync(at("broken.json"), "{");
});

/** Every 97th byte with one bit turned, past the first bytes that tell the format. */
function flipped(bytes: Uint8Array): Uint8Array {
  const out = bytes.slice();
  for (let i = 16; i < out.length; i += 97) out[i]! ^= 1 << (i % 8);
  return out;
}

const predict = ["predict", "small.onnx", "one.png"];
/** What is wrong, the command line, and what the line must say. */
const cases: readonly (readonly [what: string, args: readonly string[], says: RegExp])[] = [
  ["a missing model", ["summary", "missing.onnx"], /no file "missing.onnx"/],
  ["a missing model, by --model", ["predict", "-m", "smal.onnx", "one.png"], /smal.onnx.*Did you mean.*small.onnx/],
  [
    "a mistyped id of an embedded network",
    ["predict", "-m", "cats_and_dog"],
    /"cats_and_dog".*Did you mean "cats-and-dogs"/,
  ],
  ["a missing picture", ["predict", "small.onnx", "missing.png"], /no file "missing.png"/],
  ["a missing tensor", ["predict", "small.onnx", "--tensor", "missing.npy"], /"missing.npy" does not exist/],
  ["ONNX under the name of a Keras file", ["convert", "small.onnx", "-o", "m.h5"], /"m\.h5": an ONNX file is written/],
  ["an explanation under another name", ["export", "small.onnx", "-o", "m.png"], /"m\.png".*ends in \.onnx/],
  ["a page under the name of a picture", ["report", "-o", "page.png"], /"page\.png".*ends in \.html/],
  ["a folder", ["summary", "empty-folder"], /"empty-folder" is a folder/],
  ["a folder as picture", ["predict", "-m", "small.onnx", "empty-folder"], /empty-folder/],
  ["an empty file", ["summary", "empty.onnx"], /empty.onnx.* empty/],
  ["a text as model", ["summary", "text.onnx"], /text.onnx/],
  ["a text as picture", ["predict", "small.onnx", "text.png"], /"text.png" is no picture/],
  ["a picture as model", ["summary", "one.png"], /one.png/],
  ["a truncated model", ["predict", "truncated.onnx", "one.png"], /truncated.onnx/],
  ["a model with flipped bits", ["predict", "flipped.onnx", "one.png"], /flipped.onnx/],
  ["weights shorter than their shape", ["predict", "short.onnx", "one.png"], /first.weight/],
  ["external weights that are missing", ["predict", "external-missing.onnx", "one.png"], /weights.bin/],
  ["external weights outside the folder", ["predict", "external-outside.onnx", "one.png"], /outside/],
  ["external weights by absolute path", ["predict", "external-absolute.onnx", "one.png"], /outside/],
  ["external weights by a link that leaves", ["predict", "external-linked.onnx", "one.png"], /outside/],
  ["a shape that asks for 100 GB", ["predict", "huge.onnx", "one.png"], /\[250, 100, 1000, 1000\]/],
  ["the same where only shapes are worked out", ["summary", "huge.onnx"], /\[250, 100, 1000, 1000\]/],
  ["a shape that asks for 16 GB", ["predict", "large.onnx", "one.png"], /"huge".*16.0 GiB; at most 4 GiB/],
  ["an input of absurd size", ["predict", "wide.onnx", "one.png"], /8x2000000000.*at most 16384/],
  ["weights that declare 100 GB", ["predict", "declared-huge.onnx", "one.png"], /first.weight|bytes/],
  ["an unknown operator", ["predict", "operator.onnx", "one.png"], /Frobnicate.*without this one/],
  ["an unknown opset", ["predict", "opset.onnx", "one.png"], /999/],
  ["a truncated picture", ["predict", "small.onnx", "truncated.png"], /"truncated.png"/],
  ["a picture of absurd size", ["predict", "small.onnx", "bomb.png"], /60000 x 60000/],
  ["another framework's file", ["summary", "fake.pt"], /PyTorch[\s\S]*torch.onnx.export/],
  [
    "a tensor of the wrong layout",
    ["predict", "small.onnx", "--tensor", "shape.npy"],
    /\[1, 8, 8, 3\].*\[N, 3, 8, 8\]/,
  ],
  ["a tensor of the wrong rank", ["predict", "small.onnx", "--tensor", "rank.npy"], /\[3, 8, 8\]/],
  ["a tensor of the wrong type", ["predict", "small.onnx", "--tensor", "type.npy"], /int64.*float32/],
  ["NaN in a tensor", ["predict", "small.onnx", "--tensor", "nan.npy"], /NaN at element 5/],
  ["a tensor cut short", ["predict", "small.onnx", "--tensor", "cut.npy"], /"cut.npy" ends/],
  ["a tensor that is text", ["predict", "small.onnx", "--tensor", "text.png"], /no .npy file/],
  ["a tensor for no input", ["predict", "small.onnx", "--tensor", "imag=good.npy"], /no input "imag".*"image"/],
  [
    "more tensors than inputs",
    ["predict", "small.onnx", "--tensor", "good.npy", "--tensor", "good.npy"],
    /more --tensor than inputs/,
  ],
  [
    "a picture for a network of two inputs",
    ["predict", "two-inputs.onnx", "one.png"],
    /2 inputs \(image, meta\): give each with --tensor NAME=FILE.npy/,
  ],
  [
    "one tensor for two inputs",
    ["predict", "two-inputs.onnx", "--tensor", "good.npy"],
    /2 inputs \(image, meta\): give each/,
  ],
  ["an unknown layer", ["activations", "small.onnx", "one.png", "-l", "frist"], /"frist".*Did you mean.*"first"/],
  [
    "a layer like none",
    ["activations", "small.onnx", "one.png", "-l", "zzzzzzzz"],
    /no layer "zzzzzzzz": the layers are/,
  ],
  [
    "an unknown channel",
    ["activations", "small.onnx", "one.png", "-l", "first", "--channel", "4"],
    /no channel 4.*0 to 3/,
  ],
  ["a bad channel list", ["activations", "--channel", "5:2"], /--channel "5:2"/],
  ["unknown labels", [...predict, "--labels", "imagnet"], /labels "imagnet".*Did you mean "imagenet"/],
  ["a missing file of labels", [...predict, "--labels", "none.txt"], /none.txt/],
  ["an unknown preprocessing", [...predict, "--preprocess", "trch"], /"trch".*torch/],
  ["a broken preprocessing file", [...predict, "--preprocess", "broken.json"], /broken.json/],
  ["a broken model card", ["predict", "bad.onnx", "one.png"], /"preprocesing".*Did you mean.*"preprocessing"/],
  ["an unknown head", [...predict, "--head", "nose"], /nose/],
  ["an unknown option", [...predict, "--tpo", "3"], /unknown option '--tpo'.*--top/],
  [
    "an option of another verb",
    ["attack", "--attack", "pgd"],
    /unknown option '--attack'; "convlens attack --help" shows what there is/,
  ],
  ["a verb that is like none", ["layers"], /unknown command 'layers'; "convlens --help" shows what there is/],
  ["an unknown verb", ["sumary"], /unknown command 'sumary'.*summary/],
  ["help of an unknown verb", ["help", "sumary"], /unknown command 'sumary'.*summary/],
  ["the same by --help", ["sumary", "--help"], /unknown command 'sumary'.*summary/],
  ["an option without its value", [...predict, "--top"], /--top/],
  ["a value out of range", [...predict, "--top", "0"], /--top "0".*whole number/],
  ["a bad size", [...predict, "--size", "big"], /--size "big".*224x224/],
  ["a size the network does not take", [...predict, "--size", "9x9"], /9x9.*8x8/],
  ["an unknown resize mode", [...predict, "--resize", "cubic"], /--resize "cubic".*bicubic/],
  ["an unknown fit", [...predict, "--fit", "squeeze"], /stretch/],
  ["an unknown device", [...predict, "--device", "abacus"], /abacus/],
  ["a bad budget", ["report", "--budget", "soon"], /--budget "soon"/],
  ["an unknown section", ["report", "--without", "prolog"], /"prolog"/],
  ["two photographs for one report", ["report", "one.png", "one.png"], /one photograph/],
  [
    "a gradient through an operator without a rule",
    ["explain", "no-rule.onnx", "one.png"],
    /no rule for the operator Det.*methods that need no gradient: eigencam/,
  ],
  [
    "scores that overflow",
    ["explain", "overflow.onnx", "--tensor", "large.npy"],
    /score of class \d is NaN.*first in layer "dense"/,
  ],
  ["two heads", ["explain", "heads.onnx", "one.png"], /2 independent outputs \("scores", "scores2"\).*--head/],
  ["an explanation of two inputs", ["explain", "two-inputs.onnx", "one.png"], /give each with --tensor/],
  ["a target out of range", ["explain", "small.onnx", "one.png", "-t", "9"], /class 9.*0 to 2/],
  ["a layer behind the scores", ["explain", "small.onnx", "one.png", "-l", "dense"], /"dense".*needs a layer/],
  ["two models", ["predict", "small.onnx", "bad.onnx", "one.png"], /two networks/],
  ["a picture and a tensor", ["predict", "small.onnx", "one.png", "--tensor", "good.npy"], /--tensor takes the place/],
  ["no picture for a model of one's own", ["predict", "small.onnx"], /no picture/],
  ["filters of a layer without weights", ["filters", "small.onnx", "-l", "pool"], /"pool" has no weights/],
  ["a shell without completion", ["completion", "tcsh"], /bash, zsh, fish/],
  ["a missing model for its card", ["models", "card"], /no network/],
  ["a card for an address", ["models", "card", "https://example.com/a.onnx"], /download/],
  ["a card for an embedded network", ["models", "card", "cifar10"], /has its card/],
];

describe("bad input", () => {
  it.each(cases)("%s", async (_, args, says) => {
    const out = args[0] === "report" ? "out.html" : "out";
    const { code, stdout, stderr } = await run(...args, ...(takesOut.has(args[0]!) ? ["--out", out] : []));
    const said = stderr.split("\n").filter((line) => line.startsWith("convlens: "));
    expect(said, stderr).toHaveLength(1);
    expect(stderr).toMatch(says);
    expect(stderr).not.toMatch(/^\s+at |internal error/m);
    expect(stdout).toBe("");
    expect(code).toBe(2);
    expect(readdirSync(dir)).not.toContain(out);
  });
});

const takesOut = new Set(["predict", "activations", "filters", "explain", "report", "summary"]);

describe("outputs", () => {
  it("stay untouched when the input is bad", async () => {
    mkdirSync(at("kept"));
    writeFileSync(at("kept/first.png"), "mine");
    writeFileSync(at("kept.html"), "mine");
    await run("activations", "small.onnx", "one.png", "-l", "first", "--channel", "99", "-o", "kept");
    await run("activations", "truncated.onnx", "one.png", "-o", "kept");
    await run("report", "truncated.onnx", "one.png", "-o", "kept.html");
    expect(readdirSync(at("kept"))).toEqual(["first.png"]);
    expect(readFileSync(at("kept/first.png"), "utf8")).toBe("mine");
    expect(readFileSync(at("kept.html"), "utf8")).toBe("mine");
  });

  it("that cannot be written give one line", async () => {
    writeFileSync(at("file"), "mine");
    for (const out of ["file", "file/below", "/proc/none/such"]) {
      const { code, stderr } = await run("activations", "small.onnx", "one.png", "-l", "first", "-o", out, "--quiet");
      expect([code, stderr.split("\n").length], stderr).toEqual([2, 2]);
      expect(stderr).toMatch(/^convlens: cannot write "/);
    }
    const { code, stderr } = await run("report", "-o", "empty-folder", "--quiet");
    expect([code, stderr]).toEqual([2, expect.stringMatching(/cannot write "empty-folder": it is a folder/)]);
    expect(readFileSync(at("file"), "utf8")).toBe("mine");
  });

  it("that may not be written give one line", async (test) => {
    if (process.getuid?.() === 0) test.skip("root may write everywhere");
    mkdirSync(at("closed"));
    chmodSync(at("closed"), 0o500);
    const { code, stderr } = await run("filters", "-o", "closed", "--quiet");
    expect([code, stderr]).toEqual([2, expect.stringContaining("no permission")]);
  });

  it("that outgrow the allowed file size leave the old file and nothing half", async () => {
    mkdirSync(at("limited"));
    writeFileSync(at("limited/conv2d.npy"), "old");
    const args = ["activations", "-l", "conv2d", "--npy", "-o", "limited", "--quiet"];
    const { code, stderr } = await convlens(args, { cwd: dir, limit: 500 });
    expect([code, stderr], stderr).toEqual([2, expect.stringMatching(/^convlens: cannot write .*larger than/)]);
    expect(readdirSync(at("limited"))).toEqual(["conv2d.npy"]);
    expect(readFileSync(at("limited/conv2d.npy"), "utf8")).toBe("old");
  });

  it("on a full disk leave the old file and nothing half", async (test) => {
    mkdirSync(at("disk"));
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", at("disk")], { stdio: "ignore" });
    } catch {
      test.skip("no small disk can be mounted here");
    }
    try {
      writeFileSync(at("disk/conv2d.npy"), "old");
      const { code, stderr } = await run("activations", "-l", "conv2d", "--npy", "-o", "disk", "--quiet");
      expect([code, stderr], stderr).toEqual([2, expect.stringMatching(/^convlens: cannot write .*disk is full/)]);
      expect(readdirSync(at("disk"))).toEqual(["conv2d.npy"]);
      expect(readFileSync(at("disk/conv2d.npy"), "utf8")).toBe("old");
    } finally {
      execFileSync("umount", [at("disk")]);
    }
  });
});
