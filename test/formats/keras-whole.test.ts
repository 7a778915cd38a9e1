/** Networks whose inputs are whole numbers, as pixels are, against Keras (test/fixtures/keras/whole.py). */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { float32, type Tensor } from "../../src/core/tensor.ts";
import { openModel } from "../../src/model/open.ts";
import { nodePlatform } from "../../src/platform/node.ts";

const folder = fileURLToPath(new URL("../fixtures/keras/", import.meta.url));
const expected = JSON.parse(readFileSync(join(folder, "whole.json"), "utf8")) as Record<string, { output: number[] }>;

const dims = [2, 8, 8, 3];
const pixels = Uint8Array.from({ length: 384 }, (_, i) => 4 * ((37 * i) % 64));
const tensors: readonly Tensor[] = [
  { type: "uint8", dims, data: pixels },
  { type: "int64", dims, data: BigInt64Array.from(pixels, BigInt) },
  float32(dims, Float32Array.from(pixels)),
];

describe.each([
  ["resized.h5", "the network's input is uint8"],
  ["centred.h5", "the network scales its input itself"],
])("%s", (name, why) => {
  const { output } = expected[name]!;

  it("gives Keras' numbers for tensors of whole numbers and of float32", async () => {
    const model = await openModel(nodePlatform, join(folder, name));
    for (const tensor of tensors) {
      const [result] = Object.values(await model.run(tensor));
      output.forEach((value, i) => {
        expect(result!.data[i]).toBeCloseTo(value, 5);
      });
    }
    await model.release();
  });

  it("gets pictures' pixels as they are", async () => {
    const model = await openModel(nodePlatform, join(folder, name));
    expect(model.preprocessing).toMatchObject({ scale: 1, mean: [0, 0, 0], std: [1, 1, 1] });
    expect(model.notes[0]).toContain(why);
  });
});

it("arithmetic that wraps around in Keras is refused by layer and type", async () => {
  await expect(openModel(nodePlatform, join(folder, "wrapping.h5"))).rejects.toMatchObject({
    code: "model-unsupported",
    message: expect.stringMatching(
      /layer "add" \(Add\) of "wrapping.h5" computes in uint8, which rounds and wraps around/,
    ),
  });
});

it("a network of real numbers still refuses a tensor of pixels, which nobody has scaled", async () => {
  const model = await openModel(nodePlatform, join(folder, "open_size.keras3.h5"));
  const tensor: Tensor = { type: "uint8", dims: [1, 8, 8, 3], data: new Uint8Array(192) };
  await expect(model.run(tensor)).rejects.toMatchObject({ code: "tensor-invalid" });
});
