/** Model cards and labels: found beside the file, named in the call, or refused. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openModel } from "../../src/node.ts";
import { classifier, small } from "./classifier.ts";

let folder: string;
const at = (name: string): string => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "convlens-cards-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("cards and labels", () => {
  it("a card beside the file is found and obeyed; the call outranks it", async () => {
    writeFileSync(at("net.onnx"), await classifier(3));
    const card = { version: 1, preprocessing: "unit", labels: ["a", "b", "n01440764 tench"], activation: "sigmoid" };
    writeFileSync(at("net.card.json"), JSON.stringify(card));
    const model = await openModel(at("net.onnx"));
    expect(model.preprocessing.scale).toBe(1 / 255);
    expect(model.labels).toEqual([{ name: "a" }, { name: "b" }, { wnid: "n01440764", name: "tench" }]);
    const [prediction] = await model.predict(small());
    const { score, probability } = prediction!.predictions[0]!;
    expect(probability).toBeCloseTo(1 / (1 + Math.exp(-score)), 6);
    writeFileSync(at("names.txt"), "x\ny\nz\n");
    const other = await openModel(at("net.onnx"), {
      labels: at("names.txt"),
      preprocessing: "tf",
      activation: "none",
      fit: "pad",
    });
    expect(other.labels!.map(({ name }) => name).join("")).toBe("xyz");
    expect(other.preprocessing).toMatchObject({ scale: 1 / 127.5, fit: "pad" });
    expect((await other.predict(small()))[0]!.predictions[0]!.probability).toBeNull();
    await model.release();
    await other.release();
  });

  it("takes ImageNet's names for 1000 and 1001 classes, with a note", async () => {
    for (const [classes, id, first] of [
      [1000, "imagenet", "tench"],
      [1001, "imagenet-1001", "background"],
    ] as const) {
      const model = await openModel(await classifier(classes, "softmax"), { name: "net.onnx", preprocessing: "unit" });
      // The file's output shape is unknown to it, as in many exports: the names must be there all the same.
      const [prediction] = await model.predict(small(), { top: 2000 });
      expect(prediction!.predictions.find(({ index }) => index === 0)!.label).toBe(first);
      expect([...model.notes, ...prediction!.notes].join()).toContain(`"${id}"`);
      await model.release();
    }
  });

  it("takes imagenet for 1001 classes as imagenet-1001: its names would all be one class off", async () => {
    const bytes = await classifier(1001, "softmax");
    const model = await openModel(bytes, { name: "net.onnx", labels: "imagenet", preprocessing: "unit" });
    const [prediction] = await model.predict(small(), { top: 2000 });
    const nameOf = (wanted: number) => prediction!.predictions.find(({ index }) => index === wanted)!.label;
    expect([nameOf(0), nameOf(1)]).toEqual(["background", "tench"]);
    expect([...model.notes, ...prediction!.notes].join()).toContain('"imagenet-1001"');
    await model.release();
  });

  it("says when labels and classes do not match in number", async () => {
    const model = await openModel(await classifier(3), { name: "net.onnx", labels: "cifar10", preprocessing: "unit" });
    const [prediction] = await model.predict(small());
    expect([...model.notes, ...prediction!.notes].join()).toMatch(/10 labels for 3 classes/);
    await model.release();
  });

  it.each([
    [{ labels: "imagnet" }, "option-invalid"],
    [{ labels: "no/such.txt" }, "file-missing"],
    [{ preprocessing: "troch" }, "option-invalid"],
    [{ preprocessing: "no/such.json" }, "file-missing"],
    [{ preprocessing: { std: [0, 0, 0] } }, "card-invalid"],
    [{ card: "no/such.json" }, "file-missing"],
    [{ size: [9, 9] as const }, "option-invalid"],
    [{ head: "nothing" }, "option-invalid"],
    [{ threads: -1 }, "option-invalid"],
  ])("refuses %j", async (options, code) => {
    const opened = openModel(await classifier(3), { name: "net.onnx", ...options });
    await expect(opened).rejects.toMatchObject({ code });
  });
});
