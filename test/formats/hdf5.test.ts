/** HDF5 files that h5py wrote (test/fixtures/keras/hdf5.py): arrays, attributes, and what is not read. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { halfToNumber, sizeOf } from "../../src/core/tensor.ts";
import { type Hdf5Array, type Hdf5Group, openHdf5 } from "../../src/formats/hdf5/index.ts";
import { wholeOf } from "../../src/formats/region.ts";
import { readConstant } from "../../src/graph/constants.ts";
import { nodePlatform } from "../../src/platform/node.ts";

const folder = join(dirname(fileURLToPath(import.meta.url)), "../fixtures/keras");

interface Expected {
  readonly type: string;
  readonly dims: readonly number[];
  readonly values: readonly number[];
}
const expected = JSON.parse(readFileSync(join(folder, "hdf5.json"), "utf8")) as Record<
  string,
  Record<string, Expected>
>;
const open = async (name: string): Promise<Hdf5Group> => openHdf5(wholeOf(await nodePlatform.open(join(folder, name))));

async function array(root: Hdf5Group, path: string): Promise<Hdf5Array> {
  const found = await root.get(path);
  if (found?.kind !== "array") throw new Error(`no array ${path}`);
  return found;
}

describe.each(Object.keys(expected))("%s", (name) => {
  it.each(Object.keys(expected[name]!))("%s", async (path) => {
    const { type, dims, values } = expected[name]![path]!;
    const found = await array(await open(name), path);
    expect(found.dims).toEqual(dims);
    const constant = await found.constant();
    // h5py writes booleans as an enumeration of int8.
    expect(constant.type).toBe(type === "bool" ? "int8" : type);
    const { data } = await readConstant(constant);
    const numbers = Array.from(data, Number);
    expect(type === "float16" ? numbers.map(halfToNumber) : numbers).toEqual(values);
    // What lies in one piece stays in the file.
    const isWhole = !/chunk|packed|shuffled/.test(path) && sizeOf(dims) > 0;
    expect("stored" in constant).toBe(isWhole);
  });

  it("attributes", async () => {
    const root = await open(name);
    const texts = async (attribute: string) => {
      const value = await root.attribute(attribute);
      return value?.kind === "texts" ? value.texts : value;
    };
    expect(await texts("fixed")).toEqual(["one", "three"]);
    expect(await texts("variable")).toEqual(["ein", "zwei", "drei ü"]);
    expect(await texts("text")).toEqual(["café"]);
    expect(await texts("none")).toEqual([""]);
    expect(await texts("long")).toEqual(["x".repeat(5000)]);
    expect(await texts("absent")).toBeUndefined();
    const numbers = await root.attribute("numbers");
    expect(numbers?.kind === "numbers" && [...numbers.tensor.data]).toEqual([3, 1, 2]);
  });

  it("paths that lead nowhere", async () => {
    const root = await open(name);
    for (const path of ["ghost", "deep/ghost", "scalar/below", ""]) expect(await root.get(path)).toBeUndefined();
    expect((await root.get("deep/er"))?.kind).toBe("group");
  });
});

it("a group of many members", async () => {
  const crowd = await (await open("hdf5-old.h5")).get("crowd");
  if (crowd?.kind !== "group") throw new Error("no group");
  expect(crowd.names).toHaveLength(60);
  for (const i of [0, 7, 59]) {
    const { data } = await readConstant(await (await array(crowd, `member_${i}`)).constant());
    expect(data[0]).toBe(i);
  }
});

it.each([
  ["unwritten", 'model-invalid: "hdf5-old.h5" is damaged: "unwritten" was never written'],
  ["swapped", 'model-unsupported: "hdf5-old.h5" uses big-endian numbers in the array "swapped"'],
  ["lzf", 'model-unsupported: "hdf5-old.h5" uses filter 32000 for "lzf"'],
  ["holes", 'model-invalid: "hdf5-old.h5" is damaged: "holes" has 1 of 3 chunks'],
])("%s is refused", async (path, message) => {
  const found = await array(await open("hdf5-old.h5"), path);
  const error = await found.constant().catch((thrown: { code: string; message: string }) => thrown);
  expect("code" in error ? `${error.code}: ${error.message}` : "").toContain(message);
});
