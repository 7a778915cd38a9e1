/** Keras files written as ONNX: the same numbers, names and shapes, with pictures in either order of axes. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { float32, sizeOf, transpose } from "../../src/core/tensor.ts";
import { writeOnnx } from "../../src/formats/onnx/write.ts";
import { checkGraph } from "../../src/graph/check.ts";
import { convertModel } from "../../src/model/convert.ts";
import { openModel } from "../../src/node.ts";

const folder = join(dirname(fileURLToPath(import.meta.url)), "../fixtures/keras");

describe.each(["sequential.keras2.h5", "functional.keras3.keras", "nested.keras3.h5", "bfloat16.keras"])(
  "%s",
  (name) => {
    it.each([undefined, "NHWC", "NCHW"] as const)("with pictures %s", async (layout) => {
      const model = await openModel(join(folder, name));
      const { graph, metadata } = await convertModel(model, layout === undefined ? {} : { layout });
      checkGraph(graph);
      const converted = await openModel(await writeOnnx(graph, metadata), { name: "converted.onnx" });

      const feeds = model.inputs.map((input, k) => {
        const dims = input.shape.map((n) => n ?? 2);
        return float32(
          dims,
          Float32Array.from({ length: sizeOf(dims) }, (_, i) => (((37 + k) * i) % 101) / 101),
        );
      });
      const isTurned = layout === "NCHW" && feeds[0]!.dims.length === 4;
      if (isTurned) expect(converted.input.shape).toEqual([0, 3, 1, 2].map((axis) => model.input.shape[axis]));
      const own = Object.fromEntries(model.inputs.map((input, i) => [input.name, feeds[i]!]));
      const turned = Object.fromEntries(
        converted.inputs.map((input, i) => [input.name, isTurned ? transpose(feeds[i]!, [0, 3, 1, 2]) : feeds[i]!]),
      );
      const [a, b] = [Object.values(await model.run(own)), Object.values(await converted.run(turned))];
      expect(b.map((tensor) => tensor.dims)).toEqual(a.map((tensor) => tensor.dims));
      a.forEach((tensor, k) => {
        tensor.data.forEach((value, i) => {
          expect(b[k]!.data[i]).toBeCloseTo(value, 5);
        });
      });

      const table = async (of: typeof model) =>
        (await of.layers()).map((layer) => [
          layer.name,
          layer.class,
          layer.shape,
          layer.inputs,
          layer.within,
          layer.weights.map((weight) => [weight.name, weight.shape, weight.trainable]),
        ]);
      expect(await table(converted)).toEqual(await table(model));
      const layer = (await model.layers()).find(({ weights }) => weights.some((weight) => weight.name === "kernel"))!;
      const same = (await converted.layers()).find((other) => other.name === layer.name)!;
      expect(await converted.weight(same, "kernel")).toEqual(await model.weight(layer, "kernel"));
      await Promise.all([model.release(), converted.release()]);
    });
  },
);
