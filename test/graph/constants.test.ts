/** Weights read from files and through the nodes that exporters put behind them, against the engine's own answer. */
import { describe, expect, test } from "vitest";
import type { ByteSource } from "../../src/core/platform.ts";
import { type ElementType, float32, int64, type Tensor, toFloat32 } from "../../src/core/tensor.ts";
import { encodeGraph } from "../../src/formats/onnx/write.ts";
import { type Builder, builder, float, int, ints, tensor } from "../../src/graph/builder.ts";
import { constantOf, readConstant } from "../../src/graph/constants.ts";
import { nodePlatform } from "../../src/platform/node.ts";

const numbers = Float32Array.from({ length: 24 }, (_, i) => Math.round(Math.sin(i * 1.3) * 64) / 16);
const weight = float32([2, 3, 4], numbers);
const bytes = (type: "int8" | "uint8", dims: number[]): Tensor => ({
  type,
  dims,
  data: Uint8Array.from({ length: 24 }, (_, i) => i * 9 + 2) as Tensor["data"],
});
/** 1, -2, 0.5, the smallest subnormal, 65504, infinity as half-precision bits. */
const halves: Tensor = { type: "float16", dims: [6], data: Uint16Array.of(0x3c00, 0xc000, 0x3800, 1, 0x7bff, 0x7c00) };
const bfloats: Tensor = { type: "bfloat16", dims: [3], data: Uint16Array.of(0x3f80, 0xc020, 0x4049) };

const chains: Readonly<Record<string, (b: Builder) => string>> = {
  Identity: (b) => b.node("Identity", [b.constant(weight)]),
  "Cast of halves": (b) => b.node("Cast", [b.constant(halves)], { attributes: { to: int(1) } }),
  "Cast of bfloat16": (b) => b.node("Cast", [b.constant(bfloats)], { attributes: { to: int(1) } }),
  "Cast to integers": (b) => b.node("Cast", [b.constant(weight)], { attributes: { to: int(7) } }),
  "Cast to bool": (b) => b.node("Cast", [b.constant(weight)], { attributes: { to: int(9) } }),
  Transpose: (b) => b.node("Transpose", [b.constant(weight)], { attributes: { perm: ints([2, 0, 1]) } }),
  "Transpose of all axes": (b) => b.node("Transpose", [b.constant(weight)]),
  Reshape: (b) => b.node("Reshape", [b.constant(weight), b.ints([0, -1])]),
  Flatten: (b) => b.node("Flatten", [b.constant(weight)], { attributes: { axis: int(-1) } }),
  Unsqueeze: (b) => b.node("Unsqueeze", [b.constant(weight), b.ints([0, -1])]),
  Squeeze: (b) => b.node("Squeeze", [b.constant(float32([1, 4, 1, 6], numbers)), b.ints([0, -2])]),
  "Squeeze of all": (b) => b.node("Squeeze", [b.constant(float32([1, 4, 1, 6], numbers))]),
  Constant: (b) => b.node("Constant", [], { attributes: { value: tensor(weight) } }),
  "Constant of floats": (b) =>
    b.node("Constant", [], { attributes: { value_floats: { kind: "floats", value: [0.5, 2] } } }),
  "Constant of a float": (b) => b.node("Constant", [], { attributes: { value_float: float(0.5) } }),
  "DequantizeLinear per tensor": (b) =>
    b.node("DequantizeLinear", [
      b.constant(bytes("uint8", [2, 12])),
      b.scalar(0.25),
      b.constant({ type: "uint8", dims: [], data: Uint8Array.of(7) }),
    ]),
  "DequantizeLinear per axis": (b) =>
    b.node(
      "DequantizeLinear",
      [
        b.constant({ ...bytes("uint8", [2, 3, 4]) }),
        b.constant(float32([3], [0.5, 2, 4])),
        b.constant({ type: "uint8", dims: [3], data: Uint8Array.of(1, 2, 3) }),
      ],
      { attributes: { axis: int(-2) } },
    ),
  "DequantizeLinear by blocks": (b) =>
    b.node(
      "DequantizeLinear",
      [
        b.constant(bytes("uint8", [2, 12])),
        b.constant(float32([2, 3], [1, 2, 3, 4, 5, 6])),
        b.constant({ type: "uint8", dims: [2, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 6) }),
      ],
      { attributes: { axis: int(1), block_size: int(4) } },
    ),
  "a chain": (b) => {
    const wide = b.node("Cast", [b.constant(halves)], { attributes: { to: int(1) } });
    return b.node("Transpose", [b.node("Reshape", [b.node("Identity", [wide]), b.ints([2, 3])])]);
  },
};

describe("constantOf", () => {
  test.each(Object.entries(chains))("%s", async (_, make) => {
    const b = builder();
    const value = make(b);
    const graph = b.finish([value]);
    const read = await constantOf(graph, value);
    const session = await (await nodePlatform.engine()).createSession(encodeGraph(graph));
    const wanted = (await session.run({}))[value]!;
    await session.release();
    expect({ type: read?.type, dims: read?.dims }).toEqual({ type: wanted.type, dims: wanted.dims });
    expect(toFloat32(read!)).toEqual(toFloat32(wanted));
  });
  test("says nothing of values that depend on an input, or that other operators make", async () => {
    const b = builder();
    b.input("x", { type: "float32", shape: [24] });
    const computed = b.node("Relu", [b.constant(weight)]);
    const mixed = b.node("Reshape", ["x", b.ints([2, 12])]);
    const graph = b.finish([computed, mixed]);
    for (const value of ["x", computed, mixed, "constructor"]) expect(await constantOf(graph, value)).toBeUndefined();
  });
  test("follows a value once, however many nodes read it twice", async () => {
    const b = builder();
    let value = b.node("Identity", [b.constant(float32([], [1]))]);
    for (let i = 0; i < 40; i++) value = b.node("DequantizeLinear", [value, value]);
    expect(toFloat32((await constantOf(b.finish([value]), value))!)).toEqual(Float32Array.of(1));
  });
  test("casts NaN and infinity to whole numbers", async () => {
    const b = builder();
    const odd = b.constant(float32([4], [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -2.5]));
    const value = b.node("Cast", [odd], { attributes: { to: int(7) } });
    expect((await constantOf(b.finish([value]), value))?.data).toEqual(BigInt64Array.of(0n, 0n, 0n, -2n));
  });
  test("refuses a reshape that does not hold the elements", async () => {
    const b = builder();
    const value = b.node("Reshape", [b.constant(weight), b.ints([5, 5])]);
    await expect(constantOf(b.finish([value]), value)).rejects.toThrow("cannot give [2, 3, 4] the shape [5, 5]");
  });
});

describe("readConstant", () => {
  const source = (content: Uint8Array): ByteSource => ({
    name: "weights.bin",
    size: content.length,
    read: async (offset, length) => content.slice(offset, offset + length),
    sibling: async () => undefined,
  });
  const stored = (type: ElementType, dims: number[], length: number) => ({
    type,
    dims,
    stored: { source: source(new Uint8Array([9, ...new Uint8Array(numbers.buffer)])), offset: 1, length },
  });
  test("reads from the file, at any offset", async () => {
    expect(await readConstant(stored("float32", [4, 6], 96))).toEqual(float32([4, 6], numbers));
  });
  test("gives constants in memory as they are", async () => {
    const constant = int64([2], [3, 4]);
    expect(await readConstant(constant)).toBe(constant);
  });
  test("refuses a size that is not the shape's", async () => {
    await expect(readConstant(stored("float32", [4, 6], 92))).rejects.toThrow(
      '"weights.bin": a weight float32[4, 6] needs 96 bytes, the file gives 92',
    );
  });
});
