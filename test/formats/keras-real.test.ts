/** Real Keras and TensorFlow.js files against Keras itself (test/fixtures/keras/real.py). */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { float32, sizeOf } from "../../src/core/tensor.ts";
import { openModel } from "../../src/node.ts";
import { dataPath } from "../data.ts";

const here = dirname(fileURLToPath(import.meta.url));

interface Expected {
  readonly input: readonly number[];
  readonly output: readonly number[];
  readonly rows: readonly (readonly [name: string, className: string, parameters: number])[];
  readonly totals: readonly [all: number, trainable: number, nonTrainable: number];
}
const expected = JSON.parse(readFileSync(join(here, "../fixtures/keras/real.json"), "utf8")) as Record<
  string,
  Expected
>;

describe.each(Object.keys(expected))("%s", (name) => {
  const path = dataPath("models", name);
  const { input, output, rows, totals } = expected[name]!;

  it.skipIf(!path)("computes what Keras computes and lists what Keras lists", async () => {
    const model = await openModel(path!);
    const x = Float32Array.from({ length: sizeOf(input) }, (_, i) => ((37 * i) % 101) / 101);
    const [result] = Object.values(await model.run(float32(input, x)));
    const scale = Math.max(...output.map(Math.abs));
    expect(result!.data.length).toBe(output.length);
    output.forEach((value, i) => {
      expect(Math.abs(result!.data[i]! - value) / scale).toBeLessThan(1e-5);
    });
    const layers = await model.layers();
    expect(layers.map((layer) => [layer.name, layer.class, layer.parameters])).toEqual(rows);
    const weights = layers.flatMap((layer) => layer.weights);
    const count = (list: typeof weights) => list.reduce((sum, weight) => sum + sizeOf(weight.shape), 0);
    const trainable = weights.filter((weight) => weight.trainable);
    expect([count(weights), count(trainable), count(weights) - count(trainable)]).toEqual(totals);
    await model.release();
  });
});
