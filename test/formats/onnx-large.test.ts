/** Files beyond 2 GiB: only structure is read, places beyond 2^32 are right, and writing one says what the limit is. */
import { create, toBinary } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import type { ByteSource } from "../../src/core/platform.ts";
import { readModel } from "../../src/formats/index.ts";
import { ModelProtoSchema } from "../../src/formats/onnx/onnx_pb.ts";
import { lengthHeader } from "../../src/formats/onnx/wire.ts";
import { encodeGraph, writeOnnx } from "../../src/formats/onnx/write.ts";

const join = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));

/** A model with two weights of 3 GiB each that exist only as lengths: [start of a run, its bytes], the rest zeros. */
function hugeModel(): { source: ByteSource; bytesRead: () => number } {
  const rows = 3 * 2 ** 8;
  const length = rows * 2 ** 20 * 4;
  const edges = toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 10n,
      opsetImport: [{ version: 21n }],
      graph: {
        node: [
          { opType: "MatMul", input: ["x", "w0"], output: ["h"] },
          { opType: "MatMul", input: ["h", "w1"], output: ["y"] },
        ],
        input: [
          { name: "x", type: { value: { case: "tensorType", value: { elemType: 1, shape: { dim: [{}, {}] } } } } },
        ],
        output: [{ name: "y" }],
      },
    }),
  );
  const runs: { start: number; bytes: Uint8Array }[] = [{ start: 0, bytes: edges }];
  let end = edges.length;
  for (const name of ["w0", "w1"]) {
    const head = toBinary(
      ModelProtoSchema,
      create(ModelProtoSchema, { graph: { initializer: [{ name, dataType: 1, dims: [BigInt(rows), 2n ** 20n] }] } }),
    );
    // The message without its two outer headers, then the payload's own header: graph { initializer { head, raw_data } }.
    const tensor = join(head.subarray(4), lengthHeader(9, length));
    const inner = join(lengthHeader(5, tensor.length + length), tensor);
    const bytes = join(lengthHeader(7, inner.length + length), inner);
    runs.push({ start: end, bytes });
    end += bytes.length + length;
  }
  let total = 0;
  const source: ByteSource = {
    name: "huge.onnx",
    size: end,
    read: async (offset, count) => {
      total += count;
      const out = new Uint8Array(count);
      for (const { start, bytes } of runs)
        for (let i = 0; i < bytes.length; i++)
          if (start + i >= offset && start + i < offset + count) out[start + i - offset] = bytes[i]!;
      return out;
    },
    sibling: async () => undefined,
  };
  return { source, bytesRead: () => total };
}

it("a file of 6 GiB", async () => {
  const { source, bytesRead } = hugeModel();
  expect(source.size).toBeGreaterThan(6 * 2 ** 30);
  const { graph } = await readModel(source);
  expect(graph.nodes).toHaveLength(2);
  const second = graph.constants.get("w1")!;
  expect(second).toMatchObject({ dims: [768, 2 ** 20], stored: { length: 3 * 2 ** 30 } });
  expect("stored" in second && second.stored.offset + second.stored.length).toBe(source.size);
  expect(bytesRead()).toBeLessThan(200_000);

  const { bytes, files } = encodeGraph(graph);
  expect(bytes.length).toBeLessThan(1000);
  expect(files.map((file) => file.location)).toEqual(["huge.onnx"]);
  await expect(writeOnnx(graph)).rejects.toThrow(
    "the weights are 6.0 GiB and an ONNX file holds at most 2 GiB; keep the original file",
  );
});
