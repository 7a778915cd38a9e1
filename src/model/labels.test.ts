import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { dataPath } from "../../test/data.ts";
import { findClass, labelList, labelName, parseLabels } from "./labels.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("lists", () => {
  const keras = dataPath("models", "imagenet_class_index.json");
  it.skipIf(!keras)("imagenet equals Keras' list, ids and names", async () => {
    const ours = await labelList("imagenet")!;
    const theirs = JSON.parse(readFileSync(keras!, "utf8")) as Record<string, [string, string]>;
    expect(ours).toHaveLength(1000);
    for (const [index, [wnid, name]] of Object.entries(theirs))
      expect([ours[Number(index)]!.wnid, ours[Number(index)]!.name.replaceAll(" ", "_").toLowerCase()]).toEqual([
        wnid,
        name.toLowerCase(),
      ]);
  });

  it("imagenet-1001 is imagenet behind a background class", async () => {
    const [plain, shifted] = [await labelList("imagenet")!, await labelList("imagenet-1001")!];
    expect(shifted[0]).toEqual({ name: "background" });
    expect(shifted.slice(1)).toEqual(plain);
  });

  it("cifar10 has its order", async () => {
    expect((await labelList("cifar10")!).map(({ name }) => name).join(" ")).toBe(
      "airplane automobile bird cat deer dog frog horse ship truck",
    );
    expect(labelList("toString")).toBeUndefined();
  });
});

describe("files", () => {
  it.each([
    ["lines", "cat\r\ndog\n", [{ name: "cat" }, { name: "dog" }]],
    ["synsets", "n01440764 tench, Tinca tinca", [{ wnid: "n01440764", name: "tench, Tinca tinca" }]],
    ["a list", '["cat", "dog"]', [{ name: "cat" }, { name: "dog" }]],
    [
      "Keras' index",
      '{"1": ["n2", "b"], "0": ["n1", "a"]}',
      [
        { wnid: "n1", name: "a" },
        { wnid: "n2", name: "b" },
      ],
    ],
    ["names by index", ' {"0": "a", "1": "b"}', [{ name: "a" }, { name: "b" }]],
    ["an empty name within", "a\n\nc", [{ name: "a" }, { name: "" }, { name: "c" }]],
  ])("%s", (_, text, expected) => expect(parseLabels(bytes(text), "labels")).toEqual(expected));

  it.each([
    ["{", /"labels" is no JSON/],
    ['{"a": "cat"}', /"a" is no index/],
    ['{"0": "cat", "7": "dog"}', /"7" is no index from 0 to 1/],
    ["[1, 2]", /1 is no name/],
    ["[]", /holds no labels/],
  ])("refuses %s", (text, message) => expect(() => parseLabels(bytes(text), "labels")).toThrow(message));

  it("refuses what is no text", () => {
    expect(() => parseLabels(Uint8Array.of(0xff, 0xfe, 0), "labels")).toThrow(/not UTF-8/);
  });
});

describe("findClass", () => {
  it("finds by index, name, id and part of a name", async () => {
    const imagenet = await labelList("imagenet")!;
    const find = (wanted: string | number) => findClass(imagenet, 1000, wanted);
    expect([find("386"), find(386), find("African_elephant"), find("african elephant"), find("n02504458")]).toEqual([
      386, 386, 386, 386, 386,
    ]);
    expect(find("chihuahua")).toBe(151);
    expect(find("goldfis")).toBe(1);
    expect(() => find("crane")).toThrow(/"crane" may be 134 "crane", 517 "crane": give the index/);
    expect(() => find("elephant seal lion")).toThrow(/no class is called/);
    expect(() => find("elephnat")).toThrow(/Did you mean/);
    expect(() => find(1000)).toThrow(/the 1000 classes are 0 to 999/);
    expect(() => findClass(undefined, 10, "cat")).toThrow(/have no names/);
  });

  it("knows each of a class's synonyms", () => {
    const synonyms = [{ name: "tench, Tinca tinca" }, { name: "tench pond" }];
    expect(findClass(synonyms, 2, "Tinca_tinca")).toBe(0);
    expect(findClass(synonyms, 2, "tench")).toBe(0);
  });

  it("names classes without labels by index", () => {
    expect(labelName(undefined, 7)).toBe("class 7");
    expect(labelName([{ name: "cat" }], 0)).toBe("cat");
  });
});
