/** Where class-activation maps are taken when nobody says where: each family's last convolutional stage, activated. */
import { describe, expect, it } from "vitest";
import { chooseCamLayer } from "../../src/methods/explain/layer-choice.ts";
import { openModel } from "../../src/node.ts";
import { dataPath } from "../data.ts";
import { networkFixtures, networkOptions, networkPath } from "../fixtures/networks/read.ts";

describe("the layer of class-activation maps", () => {
  it.each(networkFixtures.map((fixture) => [fixture.name, fixture] as const))("%s", async (_, fixture) => {
    const model = await openModel(networkPath(fixture), networkOptions(fixture));
    const { layer } = await chooseCamLayer(model);
    const { output } = (await model.layers()).find(({ name }) => name === layer)!;
    expect(output).toBe(fixture.camLayer.value);
  });

  const named: readonly (readonly [string, string])[] = [
    ["mobilenet_v2_1.0_224_keras_ptq_deq.onnx", "[1280, 7, 7]"],
    ["squeezenet_v1.1_fp32.onnx", "fire9/concat [512, 13, 13]"],
    ["shufflenet-v2-12-int8.onnx", "[1024, 7, 7]"],
    ["cifar10_lenet_keras2.h5", "conv2d_2 [10, 10, 16]"],
    ["cifar10_resnet8_mlperf_tiny.h5", "activation_6 [8, 8, 64]"],
    ["vww_mobilenet_v1_0.25_96.h5", "activation_26 [3, 3, 256]"],
    ["tfjs_tiny_vgg/model.json", "relu_2_2 [26, 26, 10]"],
  ];
  for (const [file, wanted] of named) {
    const path = dataPath("models", ...file.split("/"));
    it.skipIf(!path)(file, async () => expect(await chosen(path!)).toContain(wanted));
  }

  it("of the networks that ship with Convlens", async () => {
    expect(await chosen("cats-and-dogs")).toBe("conv2d_3 [15, 15, 128]");
    expect(await chosen("cifar10")).toBe("layer2/block2/relu2 [128, 8, 8]");
  });
});

/** The layer's name and shape, in source layout. */
async function chosen(file: string): Promise<string> {
  const model = await openModel(file, { preprocessing: "unit" });
  const { layer } = await chooseCamLayer(model);
  const { shape } = (await model.layers()).find(({ name }) => name === layer)!;
  return `${layer} [${shape.slice(1).join(", ")}]`;
}
