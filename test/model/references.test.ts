/** Real and miniature networks give the numbers that ONNX Runtime gives in Python (fixtures/model/make.py). */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readNpy } from "../../src/core/npy.ts";
import { type Tensor, toFloat32 } from "../../src/core/tensor.ts";
import { openImage, openModel } from "../../src/node.ts";
import { dataPath } from "../data.ts";

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/model/${name}`, import.meta.url));
const npy = async (name: string): Promise<Tensor> => readNpy(await readFile(fixture(name)), name);

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!));
  return most;
}

const networks = [
  {
    file: "mobilenet_v2_1.0_224_keras_ptq_deq.onnx",
    picture: "coral_parrot.jpg",
    preprocessing: "tf",
    labels: "imagenet-1001",
    top: "macaw",
    tolerance: 1e-3,
  },
  {
    file: "squeezenet_v1.1_fp32.onnx",
    picture: "coffee.png",
    preprocessing: "caffe",
    labels: "imagenet",
    top: "espresso",
    tolerance: 1e-3,
  },
  // Sums of 8-bit products round alike on all machines but for the last step of a scale.
  {
    file: "shufflenet-v2-12-int8.onnx",
    picture: "coral_hot_dog.jpg",
    preprocessing: "torch",
    labels: "imagenet",
    top: "hotdog",
    tolerance: 0.5,
  },
] as const;

describe("ImageNet networks", () => {
  for (const { file, picture, preprocessing, labels, top, tolerance } of networks) {
    const [model, photograph] = [dataPath("models", file), dataPath("images", picture)];
    it.skipIf(!model || !photograph)(`${file} sees a ${top} in ${picture}, logit by logit as Python does`, async () => {
      const network = await openModel(model!, { preprocessing, labels, resize: "bilinear", fit: "crop" });
      const image = await openImage(photograph!);
      const [prediction] = await network.predict(network.prepare(image.picture).tensor, { top: 2000 });
      expect(prediction!.predictions[0]!.label).toBe(top);
      expect(prediction!.predictions[0]!.probability).toBeGreaterThan(0.9);
      const stem = (name: string) => name.replace(/\.[^.]*$/, "");
      const expected = toFloat32(await npy(`${stem(file)}.${stem(picture)}.logits.npy`));
      const logits = new Float32Array(expected.length);
      for (const { index, score } of prediction!.predictions) logits[index] = score;
      expect(largestDifference(logits, expected)).toBeLessThan(tolerance);
      await network.release();
    });
  }

  const others = [
    ["mobilenet_v2_1.0_224_keras_ptq_deq.onnx", "tf", "chelsea.png", /tiger cat|Egyptian cat|tabby/],
    ["mobilenet_v2_1.0_224_keras_ptq_deq.onnx", "tf", "coral_cat_720p.jpg", /Egyptian cat/],
    ["squeezenet_v1.1_fp32.onnx", "caffe", "coral_parrot.jpg", /macaw/],
    ["shufflenet-v2-12-int8.onnx", "torch", "coffee.png", /espresso|cup|coffee/],
  ] as const;
  for (const [file, preprocessing, picture, expected] of others) {
    const [model, photograph] = [dataPath("models", file), dataPath("images", picture)];
    it.skipIf(!model || !photograph)(`${file} on ${picture}`, async () => {
      const network = await openModel(model!, { preprocessing });
      const [prediction] = await network.predict(network.prepare((await openImage(photograph!)).picture).tensor);
      expect(prediction!.predictions[0]!.label).toMatch(expected);
      await network.release();
    });
  }
});

describe("miniature networks", () => {
  for (const [name, tolerance] of [
    ["mini-float16", 2e-2],
    ["mini-nhwc", 1e-5],
    ["mini-uint8", 1e-3],
  ] as const)
    it(`${name}: the input's own type and float32 give what Python gives`, async () => {
      const model = await openModel(fixture(`${name}.onnx`), { preprocessing: "raw" });
      const [input, output] = [await npy(`${name}.input.npy`), await npy(`${name}.output.npy`)];
      const cast = { type: "float32", dims: input.dims, data: toFloat32(input) } as const;
      for (const feed of [input, cast]) {
        const [result] = Object.values(await model.run(feed));
        expect(result!.dims).toEqual(output.dims);
        expect(result!.type).toBe("float32");
        expect(largestDifference(result!.data, toFloat32(output))).toBeLessThan(tolerance);
      }
      await model.release();
    });

  it("a network with NHWC pictures shows all its maps NHWC, however they are stored", async () => {
    const model = await openModel(fixture("mini-nhwc.onnx"), { preprocessing: "raw" });
    const layers = await model.layers();
    expect(layers.map((layer) => [layer.name, layer.class, layer.layout, layer.shape])).toEqual([
      ["turn", "Transpose", "NCHW", [null, 7, 6, 3]],
      ["conv", "Conv", "NCHW", [null, 7, 6, 5]],
      ["relu", "Relu", "NCHW", [null, 7, 6, 5]],
      ["back", "Transpose", "NHWC", [null, 7, 6, 5]],
    ]);
    const input = await npy("mini-nhwc.input.npy");
    const maps = await model.run(input, { outputs: ["relu", "back", "turn"] });
    expect(maps.relu).toEqual(maps.back);
    expect(maps.turn!.data).toEqual(input.data);
    await model.release();
  });
});
