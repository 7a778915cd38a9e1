import { describe, expect, it, test } from "vitest";
import { bytesPerElement, fromBytes, halfToNumber, sizeOf, type Tensor, toFloat32, transpose } from "./tensor.ts";

describe("toFloat32", () => {
  it("expands half precision: zeros, subnormals, both ends, infinity, NaN", () => {
    const bits = [0x0000, 0x8000, 0x0001, 0x03ff, 0x0400, 0x3c01, 0xc000, 0x7bff, 0x7c00, 0xfc00, 0x7e00];
    const wanted = [0, -0, 2 ** -24, 1023 * 2 ** -24, 2 ** -14, 1 + 2 ** -10, -2, 65504, Infinity, -Infinity, NaN];
    expect([...toFloat32({ type: "float16", dims: [11], data: Uint16Array.from(bits) })]).toEqual(wanted);
  });
  it("gives every half the number that lies between its neighbours", () => {
    for (let bits = 1; bits < 0x7c00; bits++) {
      expect(halfToNumber(bits)).toBeGreaterThan(halfToNumber(bits - 1));
      expect(halfToNumber(bits | 0x8000)).toBe(-halfToNumber(bits));
    }
  });
  it("expands bfloat16, which is the upper half of a float32", () => {
    const bits = [0x0000, 0x8000, 0x0001, 0x3f80, 0xc049, 0x7f7f, 0x7f80, 0xff80, 0x7fc0];
    const wanted = [0, -0, 2 ** -133, 1, -3.140625, 2 ** 127 * (2 - 2 ** -7), Infinity, -Infinity, NaN];
    expect([...toFloat32({ type: "bfloat16", dims: [9], data: Uint16Array.from(bits) })]).toEqual(wanted);
  });
  it("rounds what float32 cannot hold", () => {
    const int64 = BigInt64Array.of(2n ** 24n + 1n, -(2n ** 63n), 2n ** 63n - 1n);
    expect([...toFloat32({ type: "int64", dims: [3], data: int64 })]).toEqual([2 ** 24, -(2 ** 63), 2 ** 63]);
    const uint64 = BigUint64Array.of(2n ** 64n - 1n);
    expect([...toFloat32({ type: "uint64", dims: [1], data: uint64 })]).toEqual([2 ** 64]);
    expect([...toFloat32({ type: "float64", dims: [2], data: Float64Array.of(0.1, 1e300) })]).toEqual([
      Math.fround(0.1),
      Infinity,
    ]);
  });
  it("shares float32", () => {
    const data = Float32Array.of(1, 2);
    expect(toFloat32({ type: "float32", dims: [2], data })).toBe(data);
  });
});

describe("fromBytes", () => {
  const bytes = Uint8Array.from({ length: 25 }, (_, i) => i);
  it.each(["float32", "int64", "bfloat16", "uint8"] as const)("reads %s at any offset, little-endian", (type) => {
    const at = (offset: number) => fromBytes(type, [3], bytes.subarray(offset, offset + 3 * bytesPerElement(type)));
    expect(at(1).data).toEqual(fromBytes(type, [3], bytes.slice(1, 1 + 3 * bytesPerElement(type))).data);
    expect(at(1).data).toHaveLength(3);
  });
  it("copies a Buffer that is not aligned, whose slice() would not", () => {
    expect([...fromBytes("uint16", [2], Buffer.from(bytes).subarray(1, 5)).data]).toEqual([0x0201, 0x0403]);
  });
});

test.each([
  [
    [2, 3, 4, 5],
    [3, 1, 0, 2],
  ],
  [
    [2, 3, 4, 5],
    [0, 2, 3, 1],
  ],
  [
    [2, 3],
    [1, 0],
  ],
  [[4], [0]],
  [[], []],
  [
    [2, 0, 3],
    [2, 0, 1],
  ],
])("transposes %j by %j, element by element", (dims, axes) => {
  const size = sizeOf(dims);
  const tensor: Tensor<"int64"> = {
    type: "int64",
    dims,
    data: BigInt64Array.from({ length: size }, (_, i) => BigInt(i)),
  };
  const turned = transpose(tensor, axes);
  expect(turned.dims).toEqual(axes.map((axis) => dims[axis]));
  const place = (index: readonly number[], shape: readonly number[]) =>
    shape.reduce((at, n, axis) => at * n + index[axis]!, 0);
  for (let i = 0; i < size; i++) {
    let rest = i;
    const index = dims.toReversed().map((n) => {
      const digit = rest % n;
      rest = (rest - digit) / n;
      return digit;
    });
    index.reverse();
    expect(
      turned.data[
        place(
          axes.map((axis) => index[axis]!),
          turned.dims,
        )
      ],
    ).toBe(BigInt(i));
  }
});
