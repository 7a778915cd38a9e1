/** Keras and TensorFlow.js files against what Keras computes and prints (test/fixtures/keras/make.py). */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { ByteSource } from "../../src/core/platform.ts";
import { float32, sizeOf } from "../../src/core/tensor.ts";
import { readModel } from "../../src/formats/index.ts";
import { checkGraph } from "../../src/graph/check.ts";
import { printGraph } from "../../src/graph/print.ts";
import { openModel } from "../../src/model/open.ts";
import { nodePlatform } from "../../src/platform/node.ts";

const folder = join(dirname(fileURLToPath(import.meta.url)), "../fixtures/keras");

interface Expected {
  readonly inputs: readonly (readonly number[])[];
  readonly outputs: readonly { readonly shape: readonly number[]; readonly values: readonly number[] }[];
  readonly rows: readonly (readonly [
    name: string,
    className: string,
    shape: readonly (number | null)[],
    parameters: number,
  ])[];
  readonly totals: readonly [all: number, trainable: number, nonTrainable: number];
}
const expected = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8")) as Record<string, Expected>;

const ramp = (dims: readonly number[]) =>
  float32(
    dims,
    Float32Array.from({ length: sizeOf(dims) }, (_, i) => ((37 * i) % 101) / 101),
  );

/** Sides that a model leaves open are shown at the size that is taken; the batch stays open. */
const sides = (shape: readonly (number | null)[]) => shape.map((n, axis) => (axis === 0 ? n : (n ?? 224)));

/** The largest difference, relative to the largest value. */
function difference(got: ArrayLike<number>, wanted: readonly number[]): number {
  const scale = Math.max(1e-6, ...wanted.map(Math.abs));
  return wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - got[i]!) / scale), 0);
}

describe.each(Object.keys(expected))("%s", (name) => {
  const { inputs, outputs, rows, totals } = expected[name]!;

  it("computes what Keras computes", async () => {
    const file = await readModel(await nodePlatform.open(join(folder, name)));
    checkGraph(file.graph);
    const model = await openModel(nodePlatform, join(folder, name));
    const feeds = Object.fromEntries(model.inputs.map((input, i) => [input.name, ramp(inputs[i]!)]));
    const results = Object.values(await model.run(feeds));
    expect(results.map((tensor) => tensor.dims)).toEqual(outputs.map(({ shape }) => shape));
    results.forEach((tensor, i) => {
      expect(difference(tensor.data, outputs[i]!.values)).toBeLessThan(1e-5);
    });
    await model.release();
  });

  it("has the rows of model.summary()", async () => {
    const model = await openModel(nodePlatform, join(folder, name));
    const layers = await model.layers();
    expect(layers.map((layer) => [layer.name, layer.class, layer.shape, layer.parameters])).toEqual(
      rows.map((row) => [row[0], row[1], sides(row[2]), row[3]]),
    );
    const weights = new Map(layers.flatMap((layer) => layer.weights.map((weight) => [weight.value, weight])));
    const count = (trainable: boolean) =>
      [...weights.values()].filter((w) => w.trainable === trainable).reduce((sum, w) => sum + sizeOf(w.shape), 0);
    expect([count(true) + count(false), count(true), count(false)]).toEqual(totals);
  });
});

describe("files that are given together", () => {
  const file = (name: string): File => new File([readFileSync(join(folder, name))], name.replace(/.*\//, ""));

  it("a TensorFlow.js model with its shards, in any order", async () => {
    const shards = readdirSync(join(folder, "tfjs_keras2")).filter((name) => name.endsWith(".bin"));
    const set = ["model.json", ...shards].reverse().map((name) => file(`tfjs_keras2/${name}`));
    const { layers, graph } = await readModel(await nodePlatform.open(set));
    expect(layers).toHaveLength(8);
    const source = await nodePlatform.open(join(folder, "tfjs_keras2/model.json"));
    expect(printGraph(graph)).toBe(printGraph((await readModel(source)).graph));
  });

  it("weights with their architecture", async () => {
    const { layers, notes } = await readModel(await nodePlatform.open([file("weights.json"), file("weights.h5")]));
    expect(layers).toHaveLength(8);
    expect(notes).toEqual(['the architecture is taken from "weights.json", beside the weights']);
  });

  it("a shard is missing", async () => {
    const set = await nodePlatform.open([file("tfjs_keras2/model.json")]);
    await expect(readModel(set)).rejects.toThrow(/which is not beside it: put all files of the model into one folder/);
  });
});

describe("layers of other names than the weights have", () => {
  /** The architecture with every name changed: `conv` becomes `my_conv`. */
  const renamed = (text: string): string =>
    text.replace(/("name": ")(?=[a-z_0-9]+")/g, "$1my_").replace(/\["(?=[a-z_]+", 0, 0)/g, '["my_');
  const shapes = async (source: ByteSource, architecture?: ByteSource) => {
    const { layers, graph } = await readModel(source, architecture ? { architecture } : {});
    return layers!.map((layer) => [
      layer.name.replaceAll("my_", ""),
      layer.weights.map((weight) => {
        const constant = graph.constants.get(weight.value)!;
        return [weight.name.replaceAll("my_", ""), constant.dims, "stored" in constant && constant.stored.offset];
      }),
    ]);
  };
  const text = (name: string): string => readFileSync(join(folder, name), "utf8");

  it.each([
    ["weights.h5", "weights.json"],
    ["sequential.keras2.weights.h5", "sequential.keras2.json"],
    ["sequential.keras3.weights.h5", "sequential.keras3.json"],
    ["nested.keras3.weights.h5", "nested.keras3.json"],
  ])("%s goes by Keras' order", async (weights, architecture) => {
    const source = await nodePlatform.open(join(folder, weights));
    const other = renamed(text(architecture));
    expect(other).toContain("my_");
    const given = await nodePlatform.open(new TextEncoder().encode(other), "other.json");
    expect(await shapes(source, given)).toEqual(await shapes(source));
  });

  it("a TensorFlow.js model goes by order", async () => {
    const { weightsManifest, ...model } = JSON.parse(text("tfjs_keras2/model.json"));
    const bytes = new TextEncoder().encode(
      JSON.stringify({ ...JSON.parse(renamed(JSON.stringify(model).replaceAll('":"', '": "'))), weightsManifest }),
    );
    const own = await nodePlatform.open(join(folder, "tfjs_keras2/model.json"));
    const changed = { ...(await nodePlatform.open(bytes, "model.json")), sibling: own.sibling };
    expect(await shapes(changed)).toEqual(await shapes(own));
  });
});

describe("preprocessing", () => {
  const chosen = async (name: string) => {
    const { notes, preprocessing, release } = await openModel(nodePlatform, join(folder, name));
    await release();
    return { note: notes.find((note) => note.startsWith("preprocessing")), preprocessing };
  };

  it("is raw where the model scales its pictures itself", async () => {
    for (const [name, by] of [
      ["augmented.keras2.keras", "Rescaling"],
      ["augmented.keras3.keras", "Rescaling"],
      ["prepared.keras2.h5", "SlicingOpLambda"],
      ["prepared.keras3.h5", "GetItem"],
    ]) {
      const { note, preprocessing } = await chosen(name!);
      expect(note).toContain(`the network scales its input itself (${by})`);
      expect(preprocessing.scale).toBe(1);
    }
  });

  it("is 0 to 1 elsewhere, stretched with nearest pixels, and both are said", async () => {
    const { note, preprocessing } = await chosen("sequential.keras3.h5");
    expect(note).toContain('preprocessing "unit"');
    expect(preprocessing).toMatchObject({ fit: "stretch", resize: "nearest", resizeLibrary: "pil", layout: "NHWC" });
    expect(preprocessing.scale).toBeCloseTo(1 / 255, 10);
  });
});
