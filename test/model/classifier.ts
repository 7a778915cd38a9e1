/** A small network and what it takes, for tests of what is around a network. */
import { float32, int64, type Tensor } from "../../src/core/tensor.ts";
import { writeOnnx } from "../../src/formats/onnx/write.ts";
import { builder, int, ints } from "../../src/graph/builder.ts";

/** A small classifier with PyTorch's names: conv, batch norm, ReLU, pooling, a dense layer. */
export async function classifier(classes: number, finish: "logits" | "softmax" = "logits"): Promise<Uint8Array> {
  const build = builder();
  const wave = (...dims: number[]): string =>
    build.constant(
      float32(
        dims,
        Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i * 0.7) + 0.1),
      ),
    );
  const ones = (n: number): string => build.constant(float32([n], new Float32Array(n).fill(1)));
  const x = build.input("x", { type: "float32", shape: [null, 3, 8, 8] });
  const attributes = { kernel_shape: ints([3, 3]), pads: ints([1, 1, 1, 1]) };
  const c = build.node("Conv", [x, wave(4, 3, 3, 3)], { name: "/features/features.0/Conv", attributes });
  const b = build.node("BatchNormalization", [c, ones(4), wave(4), wave(4), ones(4)], {
    name: "/features/features.1/BatchNormalization",
  });
  const r = build.node("Relu", [b], { name: "/features/features.2/Relu" });
  const p = build.node("GlobalAveragePool", [r], { name: "/pool/GlobalAveragePool" });
  // The flattening that exporters write through the shape: no layer but the last of it.
  const batch = build.node("Gather", [build.node("Shape", [p], { name: "/Shape" }), build.constant(int64([1], [0]))], {
    name: "/Gather",
  });
  const target = build.node("Concat", [batch, build.ints([-1])], { name: "/Concat", attributes: { axis: int(0) } });
  const f = build.node("Reshape", [p, target], { name: "/Reshape" });
  const z = build.node("Gemm", [f, wave(classes, 4), wave(classes)], {
    name: "/fc/Gemm",
    attributes: { transB: int(1) },
  });
  const last =
    finish === "softmax" ? build.node("Softmax", [z], { outputs: ["probabilities"], attributes: { axis: int(1) } }) : z;
  return writeOnnx(build.finish([last]));
}

/** One picture of 8 x 8, of one number. */
export const small = (value = 0.5): Tensor<"float32"> => float32([1, 3, 8, 8], new Float32Array(192).fill(value));
