/** Every Keras layer class, option and operation against what Keras computes (test/fixtures/keras/layers.py). */
import { describe, expect, test } from "vitest";
import { float32, sizeOf, type Tensor } from "../../src/core/tensor.ts";
import { functions } from "../../src/formats/keras/layers/functions.ts";
import { emitters } from "../../src/formats/keras/layers/index.ts";
import { tensorflowFunctions } from "../../src/formats/keras/layers/operations.ts";
import { refused } from "../../src/formats/keras/layers/refused.ts";
import { encodeGraph } from "../../src/formats/onnx/write.ts";
import { checkGraph } from "../../src/graph/check.ts";
import { nodePlatform } from "../../src/platform/node.ts";
import { emitCase, layerCases, made } from "./keras-fixtures.ts";

const firstPicture = ({ dims, data }: Tensor<"float32">): Tensor<"float32"> =>
  float32([1, ...dims.slice(1)], data.slice(0, sizeOf(dims.slice(1))));

/** The largest difference, in parts of the largest number. */
function difference(got: Float32Array, expected: Float32Array): number {
  let [most, scale] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    most = Math.max(most, Math.abs(got[i]! - expected[i]!));
    scale = Math.max(scale, Math.abs(expected[i]!));
  }
  return most / Math.max(scale, 1e-6);
}

const tolerance = 1e-5;

describe.each([3, 2])("Keras %i", (version) => {
  const own = layerCases.filter((one) => one.version === version);
  test.each(own.map((one) => [one.name, one] as const))("%s", async (_, one) => {
    const { graph } = emitCase(one);
    checkGraph(graph);
    const session = await (await nodePlatform.engine()).createSession(encodeGraph(graph));
    const inputs = one.inputs.map(made);
    for (const batch of [3, 1]) {
      const feeds = graph.inputs.map((name) => {
        const tensor = inputs[one.inputs.findIndex((input) => input.name === name)]!;
        return [name, batch === 1 ? firstPicture(tensor) : tensor] as const;
      });
      const got = await session.run(Object.fromEntries(feeds));
      one.outputs.forEach(({ shape, data }, i) => {
        const bytes = Buffer.from(data, "base64");
        const whole = float32(shape, new Float32Array(new Uint8Array(bytes).buffer));
        const expected = batch === 1 ? firstPicture(whole) : whole;
        const tensor = got[graph.outputs[i]!]!;
        expect(tensor.dims).toEqual(expected.dims);
        expect(difference(tensor.data as Float32Array, expected.data)).toBeLessThan(tolerance);
      });
    }
    await session.release();
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
  test("TensorFlow's functions", () => {
    const names = seen(/"function":"([^"]+)"/g);
    expect(tensorflowFunctions.filter((name) => !names.has(name))).toEqual([]);
  });
});
