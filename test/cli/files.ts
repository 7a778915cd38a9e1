/** Small files that the tests of the command line use: a network of 4 filters, ready tensors, pictures. */
import { readFileSync } from "node:fs";
import { deflateSync } from "node:zlib";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Picture } from "../../src/core/picture.ts";
import { float32 } from "../../src/core/tensor.ts";
import { type ModelProto, ModelProtoSchema } from "../../src/formats/onnx/onnx_pb.ts";
import { writeOnnx } from "../../src/formats/onnx/write.ts";
import { builder, int, ints } from "../../src/graph/builder.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { crc32 } from "../../src/image/crc.ts";
import { decodeImage, encodePng } from "../../src/image/index.ts";

/** A picture network: 3x8x8 → Conv (4 filters) → Relu → MaxPool → Conv → Relu → mean → 3 scores. */
export function smallGraph(): Graph {
  const b = builder();
  const wave = (dims: readonly number[], speed: number) =>
    float32(
      dims,
      Array.from({ length: dims.reduce((x, n) => x * n, 1) }, (_, i) => Math.sin(i * speed) / 3),
    );
  const x = b.input("image", { type: "float32", shape: [null, 3, 8, 8] });
  const conv = (from: string, dims: readonly number[], name: string) =>
    b.node(
      "Conv",
      [from, b.constant(wave(dims, 1.3), `${name}.weight`), b.constant(wave([dims[0]!], 2.1), `${name}.bias`)],
      {
        name,
        outputs: [`${name}/out`],
        attributes: { kernel_shape: ints([3, 3]), pads: ints([1, 1, 1, 1]), strides: ints([1, 1]) },
      },
    );
  const first = b.node("Relu", [conv(x, [4, 3, 3, 3], "first")], { name: "first_relu" });
  const pool = b.node("MaxPool", [first], {
    name: "pool",
    attributes: { kernel_shape: ints([2, 2]), strides: ints([2, 2]) },
  });
  const second = b.node("Relu", [conv(pool, [6, 4, 3, 3], "second")], { name: "second_relu" });
  const mean = b.node("Flatten", [b.node("GlobalAveragePool", [second])], { attributes: { axis: int(1) } });
  const scores = b.node("Gemm", [mean, b.constant(wave([6, 3], 0.7), "dense.weight")], {
    name: "dense",
    outputs: ["scores"],
  });
  return {
    ...b.finish([scores]),
    values: new Map([...b.finish([scores]).values, [scores, { type: "float32", shape: [null, 3] }]]),
  };
}

export const smallModel = (): Promise<Uint8Array> => writeOnnx(smallGraph());

/** The small network's file with one thing changed in its protobuf. */
export async function changedModel(change: (model: ModelProto) => void): Promise<Uint8Array> {
  const proto = create(ModelProtoSchema, fromBinary(ModelProtoSchema, await smallModel()));
  change(proto);
  return toBinary(ModelProtoSchema, proto);
}

/** The small network with a tensor of this shape on the way to its scores: filled with zeros, reduced to its maximum. */
export const hugeModel = (shape: readonly number[]): Promise<Uint8Array> =>
  changedModel(({ graph }) => {
    const { node, initializer } = graph!;
    const list = (name: string, values: readonly number[]) =>
      initializer.push({
        ...initializer[0]!,
        name,
        dims: [BigInt(values.length)],
        dataType: 7,
        rawData: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
      });
    const add = (opType: string, input: string[], output: string) =>
      node.push({ ...node[0]!, name: opType, opType, input, output: [output], attribute: [] });
    list("huge.shape", shape);
    list("one", [1]);
    node.at(-1)!.output = ["before"];
    add("ConstantOfShape", ["huge.shape"], "huge");
    add("ReduceMax", ["huge"], "peak");
    add("Reshape", ["peak", "one"], "peak.list");
    add("Add", ["before", "peak.list"], "scores");
  });

/** A colourful PNG. */
export async function smallPng(width = 12, height = 10): Promise<Uint8Array> {
  const data = new Uint8Array(width * height * 4);
  for (let i = 0; i < width * height; i++) data.set([(i * 7) % 256, (i * 13) % 256, (i * 29) % 256, 255], i * 4);
  return encodePng({ width, height, data });
}

/** A PNG file of a few bytes that says it is `width` x `height` pixels. */
export function bombPng(width: number, height: number): Uint8Array {
  const chunk = (type: string, body: Uint8Array) => {
    const out = Buffer.alloc(body.length + 12);
    out.writeUInt32BE(body.length);
    out.write(type, 4, "latin1");
    out.set(body, 8);
    out.writeUInt32BE(crc32(out.subarray(4, 8 + body.length)), 8 + body.length);
    return out;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header.set([8, 2], 8);
  const signature = Buffer.from("89504e470d0a1a0a", "hex");
  const data = deflateSync(Buffer.alloc(1000));
  return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", data), chunk("IEND", Buffer.alloc(0))]);
}

/** The pixels of a PNG file. */
export const decodePngFile = async (path: string): Promise<Picture> =>
  (await decodeImage(readFileSync(path), { codec: async () => undefined })).picture;
