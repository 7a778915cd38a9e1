/** Every Keras layer class, option and operation against what Keras computes (test/fixtures/keras/layers.py). */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ConvlensError } from "../../src/core/errors.ts";
import { float32, sizeOf, type Tensor } from "../../src/core/tensor.ts";
import { functions } from "../../src/formats/keras/layers/functions.ts";
import { emitters } from "../../src/formats/keras/layers/index.ts";
import { operationEmitters, tensorflowFunctions } from "../../src/formats/keras/layers/operations.ts";
import { refused } from "../../src/formats/keras/layers/refused.ts";
import { encodeGraph } from "../../src/formats/onnx/write.ts";
import { checkGraph } from "../../src/graph/check.ts";
import { nodePlatform } from "../../src/platform/node.ts";
import { emitCase, families, type LayerCase, layerCases, made } from "./keras-fixtures.ts";

const firstPicture = ({ dims, data }: Tensor<"float32">): Tensor<"float32"> =>
  float32([1, ...dims.slice(1)], data.slice(0, sizeOf(dims.slice(1))));

/** The largest difference, in parts of `scale`. */
const difference = (got: Float32Array, expected: Float32Array, scale: number): number =>
  expected.reduce((most, x, i) => Math.max(most, Math.abs(x - got[i]!)), 0) / Math.max(scale, 1e-6);

const largest = ({ data }: Tensor<"float32">): number => data.reduce((most, x) => Math.max(most, Math.abs(x)), 0);

/** How far the numbers of two pictures lie apart: a network could be wrong in all that its pictures change otherwise. */
function spread({ dims, data }: Tensor<"float32">): number {
  const size = sizeOf(dims.slice(1));
  return difference(data.subarray(0, size), data.subarray(size, 2 * size), 1);
}

/** Runs a case at several batch sizes and compares its outputs with Keras'. */
async function compare(
  one: LayerCase,
  scaleOf: typeof largest,
  tolerance: number,
  batches: readonly (1 | 3)[] = [3, 1],
): Promise<void> {
  const { graph } = emitCase(one);
  checkGraph(graph);
  const session = await (await nodePlatform.engine()).createSession(encodeGraph(graph));
  for (const batch of batches) {
    const taken = (tensor: Tensor<"float32">) => (batch === 1 ? firstPicture(tensor) : tensor);
    const feeds = graph.inputs.map((name, i) => [name, taken(made(one.inputs[i]!))] as const);
    const got = await session.run(Object.fromEntries(feeds));
    one.outputs.forEach(({ shape, data }, i) => {
      const bytes = Buffer.from(data, "base64");
      const whole = float32(shape, new Float32Array(new Uint8Array(bytes).buffer));
      const expected = taken(whole);
      const tensor = got[graph.outputs[i]!]!;
      expect(tensor.dims).toEqual(expected.dims);
      expect(difference(tensor.data as Float32Array, expected.data, scaleOf(whole))).toBeLessThan(tolerance);
    });
  }
  await session.release();
}

describe.each([3, 2])("Keras %i", (version) => {
  const own = layerCases.filter((one) => one.version === version);
  test.each(own.map((one) => [one.name, one] as const))("%s", (_, one) => compare(one, largest, 1e-5));
});

describe("families of keras.applications", () => {
  test.each(families.map((one) => [one.name, one] as const))("%s", (_, one) => compare(one, spread, 1e-4));
});

/** The case with the height and width of its input left open; `undefined` where it does not take one picture. */
function opened(one: LayerCase): LayerCase | undefined {
  const model = structuredClone(one.model) as { config: { layers: { class_name: string; config: Entries }[] } };
  const inputs = model.config.layers.filter((layer) => layer.class_name === "InputLayer");
  const shape = (inputs[0]!.config.batch_shape ?? inputs[0]!.config.batch_input_shape) as (number | null)[];
  if (inputs.length !== 1 || shape.length !== 4 || one.name.startsWith("channels_first")) return undefined;
  shape.fill(null, 1, 3);
  return { ...one, model };
}
type Entries = Record<string, unknown>;

/** What cannot be told without knowing the sides: sizes of weights, crops, products over them. */
const fixed = /fixed|do not broadcast|cannot (take the shape|squeeze|multiply)|across the pictures of a batch|asks for/;

describe("sides left open change nothing, or are refused", () => {
  const cases = layerCases.flatMap((one) => opened(one) ?? []);
  test.each(cases.map((one) => [`${one.version} ${one.name}`, one] as const))("%s", async (_, one) => {
    try {
      emitCase(one);
    } catch (error) {
      expect(error).toBeInstanceOf(ConvlensError);
      expect((error as ConvlensError).message).toMatch(fixed);
      return;
    }
    await compare(one, largest, 1e-5, [3]);
  });
});

describe("each entry of the registry has a case", () => {
  const text = layerCases.map((one) => JSON.stringify(one.model)).join("\n");
  const seen = (pattern: RegExp): Set<string> => new Set([...text.matchAll(pattern)].map((match) => match[1]!));
  test("classes", () => {
    const classes = seen(/"class_name":"([^"]+)"/g);
    expect(Object.keys(emitters).filter((name) => !(name in refused) && !classes.has(name))).toEqual([]);
  });
  test("activations", () => {
    const names = seen(/"activation":"([^"]+)"/g);
    expect(Object.keys(functions).filter((name) => !names.has(name))).toEqual([]);
  });
  test("and a place in docs/keras-layers.md", () => {
    const page = readFileSync(new URL("../../docs/keras-layers.md", import.meta.url), "utf8");
    const named = new Set([...page.matchAll(/`(\w+)`/g)].map((match) => match[1]!));
    const layers = Object.keys(emitters).filter((name) => !(name in refused) && !(name in operationEmitters));
    expect([...layers, ...Object.keys(functions)].filter((name) => !named.has(name))).toEqual([]);
  });
  test("TensorFlow's functions", () => {
    const names = seen(/"function":"([^"]+)"/g);
    expect(tensorflowFunctions.filter((name) => !names.has(name))).toEqual([]);
  });
});
