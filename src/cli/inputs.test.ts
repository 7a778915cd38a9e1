import { describe, expect, it } from "vitest";
import { float32, type Model, type Tensor } from "../index.ts";
import { partNames } from "./files.ts";
import { batchRows, keepingPass } from "./inputs.ts";
import { readChannels, readDuration } from "./options.ts";
import { fileName } from "./outputs.ts";

const input = (shape: readonly (number | null)[]) => ({ name: "x", shape, layout: "NCHW", type: "float32" }) as const;

describe("keepingPass", () => {
  it("runs again only for other tensors or further outputs", async () => {
    const asked: string[] = [];
    const run: Model["run"] = async (_, options) => {
      const outputs = options?.outputs ?? [];
      asked.push(outputs.join("+"));
      return Object.fromEntries(outputs.map((name, i) => [name, float32([1], [i])]));
    };
    const model = keepingPass({ run } as Model);
    const [first, second] = [float32([1], [1]), float32([1], [2])];
    const whole = await model.run(first, { outputs: ["a", "b"] });
    expect(await model.run(first, { outputs: ["b"] })).toEqual({ b: whole["b"] });
    await model.run(first, { outputs: ["c"] });
    await model.run(second, { outputs: ["c"] });
    expect(asked).toEqual(["a+b", "c", "c"]);
  });
});

describe("batchRows", () => {
  const batch = float32([2, 3], [1, 2, 3, 4, 5, 6]);
  const rows = (shape: readonly (number | null)[], feeds: Tensor) =>
    batchRows({ input: input(shape), inputs: [input(shape)] } as unknown as Model, feeds);

  it("splits a batch along its first axis", () => {
    expect(rows([null, 3], batch)).toEqual([{ x: float32([1, 3], [1, 2, 3]) }, { x: float32([1, 3], [4, 5, 6]) }]);
  });

  it("leaves alone what is no free batch, or has another rank than the network takes", () => {
    expect(rows([2, 3], batch)).toEqual([batch]);
    expect(rows([null, 2, 3], batch)).toEqual([batch]);
  });
});

describe("names of files", () => {
  it.each([
    ["conv2d_1", "conv2d_1"],
    ["fire2/squeeze1x1", "fire2%2Fsqueeze1x1"],
    ["a:0", "a%3A0"],
    ["50%", "50%25"],
    ["..", "%2E%2E"],
    [".hidden", "%2Ehidden"],
    ["", "%00"],
    ["Größe 2", "Größe 2"],
  ])("%s becomes %s", (name, wanted) => {
    expect(fileName(name)).toBe(wanted);
  });

  it("are cut when they are very long, and still differ", () => {
    const [a, b] = [fileName(`${"x".repeat(400)}a`), fileName(`${"x".repeat(400)}b`)];
    expect(Buffer.byteLength(a!)).toBeLessThan(200);
    expect(a).not.toBe(b);
    expect(Buffer.byteLength(fileName("層".repeat(300)))).toBeLessThan(255);
  });

  it.each([
    [
      ["a/cat.png", "b/dog.jpg"],
      ["cat", "dog"],
    ],
    [
      ["cat.png", "cat.jpg"],
      ["cat.png", "cat.jpg"],
    ],
    [
      ["a/cat.png", "b/cat.png"],
      ["a%2Fcat.png", "b%2Fcat.png"],
    ],
  ])("of pictures %j have folders %j", (paths, wanted) => {
    expect(partNames(paths)).toEqual(wanted);
  });
});

describe("values of options", () => {
  it("channels are lists, ranges without their end, each once", () => {
    expect(readChannels("3,4,7,30")).toEqual([3, 4, 7, 30]);
    expect(readChannels("0:3, 2,9:10")).toEqual([0, 1, 2, 9]);
    for (const wrong of ["", "a", "3-5", "5:5", "-1", "1,,2"]) expect(() => readChannels(wrong)).toThrow(/--channel/);
  });

  it("times are seconds or minutes", () => {
    expect([readDuration("90"), readDuration("90s"), readDuration("1.5m")]).toEqual([90_000, 90_000, 90_000]);
    for (const wrong of ["", "0", "5h", "-3s"]) expect(() => readDuration(wrong)).toThrow(/--budget/);
  });
});
