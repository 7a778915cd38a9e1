/** Keras files on the command line: the table with and without nested layers, weights with an architecture, conversion. */
import { createHash } from "node:crypto";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { readNpy } from "../../src/core/npy.ts";
import { convlens, folder } from "./run.ts";

const dir = folder();
const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/keras/${name}`, import.meta.url));
const photograph = fileURLToPath(new URL("../../models/photographs/chelsea.png", import.meta.url));
const run = async (...args: string[]) => {
  const outcome = await convlens(args, { cwd: dir });
  expect(outcome.code, outcome.stderr).toBe(0);
  return outcome;
};

it("summary shows a nested model as one row, and its layers where asked", async () => {
  const names = async (...more: string[]) => {
    const { stdout, stderr } = await run("summary", fixture("nested.keras3.keras"), "--json", ...more);
    const { layers, totals } = JSON.parse(stdout);
    return { names: layers.map((layer: { name: string }) => layer.name), totals, stderr };
  };
  const closed = await names();
  expect(closed.names).toEqual(["image", "base", "conv_a", "peak", "head"]);
  expect(closed.stderr).toContain("7 layers inside nested models are not listed: --expand-nested shows them");
  const open = await names("--expand-nested");
  expect(open.names).toEqual([
    "image",
    ...["base", "base/picture", "base/conv_a", "base/norm_a", "base/conv_b", "base/add_b"],
    ...["conv_a", "peak", "head", "head/dense_a", "head/dense_b"],
  ]);
  expect(open.totals).toEqual(closed.totals);
  expect(closed.totals).toMatchObject({ parameters: 340, trainable: 184, nonTrainable: 156 });
});

it("layers in a nested model are named by path, and by their own name where it is the only one", async () => {
  const npy = async (layer: string, file: string) => {
    const out = join(dir, `maps-${file.length}`);
    const model = fixture("nested.keras2.h5");
    await run("activations", "-m", model, photograph, "--layer", layer, "--npy", "-o", out);
    return readNpy(readFileSync(join(out, `${file}.npy`)), file);
  };
  const byPath = await npy("base/norm_a", "base%2Fnorm_a");
  expect(byPath.dims).toEqual([1, 6, 6, 4]);
  expect(await npy("norm_a", "base%2Fnorm_a")).toEqual(byPath);
  // Both models have a layer of this name: outside the path it is the outer one.
  expect((await npy("conv_a", "conv_a")).dims).toEqual([1, 6, 6, 4]);
});

it("weights alone take their network from --architecture", async () => {
  const { stdout } = await run("summary", fixture("weights.h5"), "--architecture", fixture("sequential.keras3.json"));
  expect(stdout).toContain("conv (Conv2D)");
  expect(stdout).toContain("Total params: 593");
  const missing = await convlens(["summary", fixture("weights.h5"), "--architecture", "ghost.json"], { cwd: dir });
  expect(missing.code).toBe(2);
  expect(missing.stderr).toContain('there is no file "ghost.json"');
});

it("convert writes an ONNX file with the same table and the same answers", async () => {
  const out = join(dir, "converted.onnx");
  const original = fixture("sequential.keras2.h5");
  const { stdout } = await run("convert", original, "--layout", "nchw", "-o", out, "--json");
  expect(JSON.parse(stdout)).toMatchObject({
    kind: "convert",
    inputs: [{ name: "input_1", type: "float32", shape: [null, 3, 12, 12] }],
    outputs: [{ name: "dense", type: "float32", shape: [null, 5] }],
  });
  const table = async (file: string) => JSON.parse((await run("summary", file, "--json")).stdout).layers;
  expect(await table(out)).toEqual(await table(original));
  // Nothing is said on the command line: the card beside the file tells what the original was given.
  const answers = async (file: string, ...more: string[]) => {
    const { stdout, stderr } = await run("predict", "-m", file, photograph, ...more, "--json");
    const { output, predictions } = JSON.parse(stdout);
    return { output: output as number[], label: predictions[0].label, stderr };
  };
  const same = async (converted: string, original: string, ...more: string[]) => {
    const [got, wanted] = [await answers(converted), await answers(original, ...more)];
    got.output.forEach((value, i) => {
      expect(value).toBeCloseTo(wanted.output[i]!, 5);
    });
    expect(got.label).toBe(wanted.label);
    expect(got.stderr).toBe("");
  };
  await same(out, original);
  const named = ["--preprocess", "caffe", "--resize", "opencv:bilinear", "--labels", join(dir, "names.txt")];
  writeFileSync(join(dir, "names.txt"), "a\nb\nc\nd\ne\n");
  const again = await run("convert", original, ...named, "-o", out);
  expect(again.stdout).toContain(`card     ${join(dir, "converted.card.json")}`);
  await same(out, original, ...named);
  const card = JSON.parse(readFileSync(join(dir, "converted.card.json"), "utf8"));
  expect(card.sha256).toBe(createHash("sha256").update(readFileSync(out)).digest("hex"));
  expect(card).toMatchObject({ labels: ["a", "b", "c", "d", "e"], preprocessing: { channels: "BGR" } });
});

it("convert leaves a card alone that serves the original and its conversion", async () => {
  copyFileSync(fixture("sequential.keras2.h5"), join(dir, "shared.h5"));
  const card = JSON.stringify({ version: 1, preprocessing: "tf", labels: ["v", "w", "x", "y", "z"] });
  writeFileSync(join(dir, "shared.card.json"), card);
  const { stderr } = await run("convert", "shared.h5", "--layout", "nchw", "-o", "shared.onnx");
  expect(stderr).toContain('"shared.card.json" is the original\'s card too');
  expect(readFileSync(join(dir, "shared.card.json"), "utf8")).toBe(card);
  await run("convert", "shared.h5", "--activation", "softmax", "-o", "other.onnx");
  expect(JSON.parse(readFileSync(join(dir, "other.card.json"), "utf8"))).toMatchObject({
    labels: ["v", "w", "x", "y", "z"],
    activation: "softmax",
    preprocessing: { mean: [1, 1, 1] },
  });
});
