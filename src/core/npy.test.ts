import { describe, expect, it } from "vitest";
import { ConvlensError } from "./errors.ts";
import { readNpy, writeNpy } from "./npy.ts";
import { float32, type Tensor } from "./tensor.ts";

/** Bytes of numpy.save for np.arange(6, dtype=descr).reshape(2, 3, order=…), header as NumPy writes it. */
function file(descr: string, fortran: boolean, shape: string, data: Uint8Array): Uint8Array {
  const header = `{'descr': '${descr}', 'fortran_order': ${fortran ? "True" : "False"}, 'shape': ${shape}, }`;
  const padded = `${header.padEnd(117)}\n`;
  return new Uint8Array([
    0x93,
    ...new TextEncoder().encode("NUMPY"),
    1,
    0,
    118,
    0,
    ...new TextEncoder().encode(padded),
    ...data,
  ]);
}

describe("npy", () => {
  it("writes the header NumPy writes: 64-byte aligned, version 1.0", () => {
    const bytes = writeNpy(float32([1, 2, 3], [0, 1, 2, 3, 4, 5]));
    const start = bytes.length - 24;
    expect(start % 64).toBe(0);
    expect(new TextDecoder("latin1").decode(bytes.subarray(10, start)).trimEnd()).toBe(
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3), }",
    );
    expect(bytes[8]! + 256 * bytes[9]!).toBe(start - 10);
  });

  it.each<Tensor>([
    float32([], [7]),
    float32([3], [1, 2, 3]),
    { type: "int64", dims: [2], data: BigInt64Array.of(-1n, 5n) },
    { type: "uint8", dims: [2, 0], data: new Uint8Array(0) },
  ])("reads back what it writes: $type $dims", (tensor) => {
    expect(readNpy(writeNpy(tensor), "x.npy")).toEqual(tensor);
  });

  it("turns Fortran order and big-endian data", () => {
    const columns = file("<f4", true, "(2, 3)", new Uint8Array(Float32Array.of(0, 3, 1, 4, 2, 5).buffer));
    expect([...readNpy(columns, "f.npy").data]).toEqual([0, 1, 2, 3, 4, 5]);
    const big = file(">u2", false, "(2,)", Uint8Array.of(1, 2, 0, 9));
    expect(readNpy(big, "b.npy")).toEqual({ type: "uint16", dims: [2], data: Uint16Array.of(258, 9) });
  });

  it.each<[string, Uint8Array, RegExp]>([
    ["text", new TextEncoder().encode("hello, this is text"), /is no .npy file/],
    ["cut short", file("<f4", false, "(2, 3)", new Uint8Array(20)), /needs 24 bytes, it has 20/],
    ["a shape of no numbers", file("<f4", false, "(1 2)", new Uint8Array(8)), /not understood \(shape \(1 2\)\)/],
    ["objects", file("|O", false, "(1,)", new Uint8Array(8)), /not understood/],
    ["complex", file("<c8", false, "(1,)", new Uint8Array(8)), /not understood/],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => readNpy(bytes, "x.npy")).toThrow(ConvlensError);
    expect(() => readNpy(bytes, "x.npy")).toThrow(message);
  });
});
