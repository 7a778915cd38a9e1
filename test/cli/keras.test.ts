/** Keras files on the command line: the table with and without nested layers, weights with an architecture, conversion. */
import { readFileSync } from "node:fs";
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
  // An ONNX file has other habits where nothing is said.
  const prepared = ["--preprocess", "unit", "--fit", "stretch", "--resize", "nearest"];
  const answers = async (file: string) =>
    JSON.parse((await run("predict", "-m", file, photograph, ...prepared, "--json")).stdout).output as number[];
  const [converted, own] = [await answers(out), await answers(original)];
  converted.forEach((value, i) => {
    expect(value).toBeCloseTo(own[i]!, 5);
  });
});
