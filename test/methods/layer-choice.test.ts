/** Where class-activation maps are taken when nobody says where: each family's last convolutional stage, activated. */
import { describe, expect, it } from "vitest";
import { float32 } from "../../src/core/tensor.ts";
import { writeOnnx } from "../../src/formats/onnx/write.ts";
import { builder, float, int, ints } from "../../src/graph/builder.ts";
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

describe("attention over tokens gives no feature maps", () => {
  it.each([
    ["the first token's", false],
    ["the tokens' mean", true],
  ])("the convolution that makes the tokens is taken, where %s score counts", async (_, isMean) => {
    const model = await openModel(await transformer({ isMean, isConvolved: true }), { name: "vit.onnx" });
    const { layer, why } = await chooseCamLayer(model);
    expect(layer).toBe("/patches/Relu");
    expect(why).toMatch(/, before (the pooling and )?attention over its places: 8 channels of 4 x 4$/);
    await model.release();
  });

  it("tokens that no convolution made are refused", async () => {
    const model = await openModel(await transformer({ isMean: true, isConvolved: false }), { name: "vit.onnx" });
    await expect(chooseCamLayer(model)).rejects.toMatchObject({
      code: "model-unsupported",
      message:
        '"vit.onnx" has no feature maps in front of its scores: class-activation maps need feature maps of a convolution; gradient methods work',
    });
    await model.release();
  });
});

/** Two blocks of two-headed attention over 4 x 4 patches of 8 channels; queries, keys and values have four axes, as PyTorch cuts them. */
function transformer({ isMean, isConvolved }: { readonly isMean: boolean; readonly isConvolved: boolean }) {
  const build = builder();
  const wave = (...dims: number[]): string =>
    build.constant(
      float32(
        dims,
        Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i * 0.7)),
      ),
    );
  const x = build.input("x", { type: "float32", shape: [null, 3, 16, 16] });
  const turned = (value: string, ...perm: number[]): string =>
    build.node("Transpose", [value], { attributes: { perm: ints(perm) } });
  const shaped = (value: string, ...dims: number[]): string => build.node("Reshape", [value, build.ints(dims)]);
  const patches = (): string => {
    const attributes = { strides: ints([4, 4]) };
    const made = build.node("Conv", [x, wave(8, 3, 4, 4)], { name: "/patches/Conv", attributes });
    return turned(shaped(build.node("Relu", [made], { name: "/patches/Relu" }), 0, 8, -1), 0, 2, 1);
  };
  const cut = (): string => {
    const parts = build.node("Reshape", [x, build.ints([0, 3, 4, 4, 4, 4])]);
    return build.node("MatMul", [shaped(turned(parts, 0, 2, 4, 1, 3, 5), 0, 16, 48), wave(48, 8)]);
  };
  let tokens = isConvolved ? patches() : cut();
  for (let block = 0; block < 2; block++) {
    const normed = build.node("LayerNormalization", [tokens, wave(8)], { attributes: { axis: int(-1) } });
    const part = (...perm: number[]): string =>
      turned(shaped(build.node("MatMul", [normed, wave(8, 8)]), 0, -1, 2, 4), ...perm);
    const scores = build.node("MatMul", [part(0, 2, 1, 3), part(0, 2, 3, 1)]);
    const weights = build.node("Softmax", [build.node("Mul", [scores, build.scalar(0.5)])], {
      attributes: { axis: int(-1) },
    });
    const mixed = build.node("MatMul", [weights, part(0, 2, 1, 3)], { name: `/block${block}/MatMul` });
    const joined = build.node("MatMul", [shaped(turned(mixed, 0, 2, 1, 3), 0, -1, 8), wave(8, 8)]);
    tokens = build.node("Add", [tokens, joined]);
  }
  const seen = isMean
    ? build.node("ReduceMean", [tokens, build.ints([1])], { attributes: { keepdims: int(0) } })
    : build.node("Gather", [tokens, build.constant({ type: "int64", dims: [], data: BigInt64Array.of(0n) })], {
        attributes: { axis: int(1) },
      });
  const attributes = { transB: int(1), alpha: float(1) };
  return writeOnnx(build.finish([build.node("Gemm", [seen, wave(5, 8)], { attributes, outputs: ["scores"] })]));
}

/** The layer's name and shape, in source layout. */
async function chosen(file: string): Promise<string> {
  const model = await openModel(file, { preprocessing: "unit" });
  const { layer } = await chooseCamLayer(model);
  const { shape } = (await model.layers()).find(({ name }) => name === layer)!;
  return `${layer} [${shape.slice(1).join(", ")}]`;
}
