import { describe, expect, it } from "vitest";
import type { Picture } from "../core/picture.ts";
import type { Preprocessing } from "./card.ts";
import { checkPreprocessing, parseCard, parsePreprocessing } from "./card-parse.ts";
import { choosePreprocessing, type PreprocessingSources } from "./choose-preprocessing.ts";
import { preprocessingMode, preprocessingModes } from "./modes.ts";
import { preparePicture } from "./preprocess.ts";

const picture = (width: number, height: number, pixel: (x: number, y: number) => readonly number[]): Picture => {
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data.set([...pixel(x, y), 255], (y * width + x) * 4);
  return { width, height, data };
};

const base: Preprocessing = {
  size: [2, 2],
  resize: "nearest",
  resizeLibrary: "pil",
  fit: "stretch",
  ...preprocessingMode("raw").rule,
  layout: "NCHW",
};
const flat = picture(2, 2, () => [255, 0, 51]);
const first = (name: string): number[] => {
  const { tensor } = preparePicture(flat, { ...base, ...preprocessingMode(name).rule });
  return [tensor.data[0]!, tensor.data[4]!, tensor.data[8]!];
};

describe("modes", () => {
  // Expected numbers: keras.applications.imagenet_utils.preprocess_input on the pixel (255, 0, 51).
  it.each([
    ["raw", [255, 0, 51]],
    ["unit", [1, 0, 0.2]],
    ["tf", [1, -1, -0.6]],
    ["torch", [2.2489083, -2.0357144, -0.9155556]],
    ["caffe", [51 - 103.939, -116.779, 255 - 123.68]],
  ])("%s", (name, expected) => {
    for (const [i, value] of first(name).entries()) expect(value).toBeCloseTo(expected[i]!, 4);
  });

  it("finds a Keras network's mode by its name", () => {
    const ids = (...names: string[]) => names.map((name) => preprocessingMode(`keras:${name}`).id);
    expect(
      ids("vgg16", "ResNet50", "resnet50_v2", "ResNet152V2", "MobileNet", "MobileNetV2", "MobileNetV3Large"),
    ).toEqual(["caffe", "caffe", "tf", "tf", "tf", "tf", "raw"]);
    expect(ids("DenseNet121", "EfficientNetB0", "EfficientNetV2S", "inception_v3", "InceptionResNetV2")).toEqual([
      "torch",
      "raw",
      "raw",
      "tf",
      "tf",
    ]);
    expect(() => preprocessingMode("keras:vg")).toThrow(/no network of keras.applications/);
    expect(() => preprocessingMode("troch")).toThrow(/Did you mean "torch"/);
  });

  it("every mode says its formula and its networks", () => {
    for (const mode of preprocessingModes)
      expect([mode.formula.length > 0, mode.networks.length > 0]).toEqual([true, true]);
  });
});

describe("preparePicture", () => {
  it("orders axes as the network has them", () => {
    const source = picture(3, 2, (x, y) => [10 * y + x, 100, 200]);
    const nhwc = preparePicture(source, { ...base, size: [2, 3], layout: "NHWC" }).tensor;
    expect(nhwc.dims).toEqual([1, 2, 3, 3]);
    expect([...nhwc.data.slice(0, 6)]).toEqual([0, 100, 200, 1, 100, 200]);
    const nchw = preparePicture(source, { ...base, size: [2, 3] }).tensor;
    expect(nchw.dims).toEqual([1, 3, 2, 3]);
    expect([...nchw.data.slice(0, 7)]).toEqual([0, 1, 2, 10, 11, 12, 100]);
  });

  it("grey networks get Pillow's luma", () => {
    const gray = { ...base, channels: "gray", mean: [0], std: [1] } as const;
    const { tensor, seen } = preparePicture(
      picture(2, 2, () => [255, 0, 51]),
      gray,
    );
    expect(tensor.dims).toEqual([1, 1, 2, 2]);
    // Image.new("RGB", (1, 1), (255, 0, 51)).convert("L").getpixel((0, 0))
    expect(tensor.data[0]).toBe(82);
    expect([...seen.data.slice(0, 4)]).toEqual([82, 82, 82, 255]);
  });

  it("a picture of the network's size is neither resized nor cropped", () => {
    const source = picture(4, 4, (x, y) => [x, y, 0]);
    const { seen } = preparePicture(source, { ...base, size: [4, 4], fit: "crop", cropSide: 8, resize: "bilinear" });
    expect(seen).toBe(source);
  });

  it("crop takes the middle after scaling the shorter side", () => {
    // 8 wide, 4 high; the side 4 keeps its pixels, so the middle 4 columns remain.
    const source = picture(8, 4, (x, y) => [x * 10, y * 10, 0]);
    const { seen } = preparePicture(source, { ...base, size: [4, 4], fit: "crop", cropSide: 4 });
    expect([seen.width, seen.height, seen.data[0], seen.data[12]]).toEqual([4, 4, 20, 50]);
    // With a side of 8 the picture is doubled to 16x8 and the middle 4x4 are doubled pixels.
    const wide = preparePicture(source, { ...base, size: [4, 4], fit: "crop", cropSide: 8 }).seen;
    expect([wide.data[0], wide.data[4], wide.data[8], wide.data[1]]).toEqual([30, 30, 40, 10]);
  });

  it("crop fills sizes that are not square", () => {
    const { seen } = preparePicture(
      picture(9, 5, () => [1, 2, 3]),
      { ...base, size: [6, 4], fit: "crop", cropSide: 5 },
    );
    expect([seen.height, seen.width]).toEqual([6, 4]);
  });

  it("pad keeps the aspect and fills with black", () => {
    const { seen } = preparePicture(
      picture(8, 4, () => [9, 9, 9]),
      { ...base, size: [4, 4], fit: "pad" },
    );
    const rows = Array.from({ length: 4 }, (_, y) => seen.data[y * 16]);
    expect(rows).toEqual([0, 9, 9, 0]);
  });
});

const sources = (more: Partial<PreprocessingSources> = {}): PreprocessingSources => ({
  given: undefined,
  overrides: {},
  card: undefined,
  scalingLayer: undefined,
  format: "onnx",
  input: { name: "x", shape: [null, 3, 224, 224], layout: "NCHW", type: "float32" },
  ...more,
});

describe("choosePreprocessing", () => {
  it("an ONNX file without a word gets torch, bilinear and a centre crop, and the notes say so", () => {
    const { preprocessing, notes } = choosePreprocessing(sources());
    expect(preprocessing).toMatchObject({
      resize: "bilinear",
      fit: "crop",
      cropSide: 256,
      channels: "RGB",
      layout: "NCHW",
    });
    expect(preprocessing.mean).toEqual([0.485, 0.456, 0.406]);
    expect(notes.join(" ")).toMatch(/"torch".*usual for ONNX.*--preprocess.*cropped in the centre.*--resize/);
  });

  it("a Keras file without a word gets unit and nearest stretching", () => {
    const { preprocessing, notes } = choosePreprocessing(sources({ format: "keras-h5" }));
    expect(preprocessing).toMatchObject({ scale: 1 / 255, resize: "nearest", fit: "stretch" });
    expect(notes).toHaveLength(2);
  });

  it("a network that scales its input gets raw pixels", () => {
    const { preprocessing, notes, guessedMode } = choosePreprocessing(sources({ scalingLayer: "Rescaling" }));
    expect([guessedMode, choosePreprocessing(sources()).guessedMode]).toEqual([undefined, "torch"]);
    expect(choosePreprocessing(sources({ given: "torch" })).guessedMode).toBeUndefined();
    expect([preprocessing.scale, preprocessing.mean]).toEqual([1, [0, 0, 0]]);
    expect(notes[0]).toMatch(/Rescaling/);
  });

  it("the call outranks the card, single options outrank both", () => {
    const card = { scale: 1, mean: [0, 0, 0], std: [1, 1, 1], resize: "bicubic", fit: "stretch" } as const;
    const { preprocessing, notes } = choosePreprocessing(sources({ card, given: "tf", overrides: { fit: "pad" } }));
    expect(preprocessing).toMatchObject({ resize: "bicubic", fit: "pad", scale: 1 / 127.5, mean: [1, 1, 1] });
    expect(notes).toEqual([]);
  });

  it("grey networks get one mean and one std, and refuse modes of colours", () => {
    const gray = { name: "x", shape: [null, 1, 28, 28], layout: "NCHW", type: "float32" } as const;
    expect(choosePreprocessing(sources({ input: gray })).preprocessing).toMatchObject({
      channels: "gray",
      mean: [0],
      std: [1],
      size: [28, 28],
    });
    expect(choosePreprocessing(sources({ input: gray, given: "tf" })).preprocessing.mean).toEqual([1]);
    expect(() => choosePreprocessing(sources({ input: gray, given: "torch" }))).toThrow(/1 channel/);
  });

  it("an open size is asked for; a wrong one is refused", () => {
    const open = { name: "x", shape: [null, 3, null, null], layout: "NCHW", type: "float32" } as const;
    const { preprocessing, notes } = choosePreprocessing(sources({ input: open, given: "unit" }));
    expect(preprocessing.size).toEqual([224, 224]);
    expect(notes.join(" ")).toMatch(/input size open: 224x224.*--size/);
    expect(choosePreprocessing(sources({ input: open, overrides: { size: [96, 64] } })).preprocessing.size).toEqual([
      96, 64,
    ]);
    expect(() => choosePreprocessing(sources({ overrides: { size: [96, 64] } }))).toThrow(/takes 224x224/);
  });

  it("integer inputs get pixels as they are", () => {
    const bytes = { name: "x", shape: [1, 224, 224, 3], layout: "NHWC", type: "uint8" } as const;
    expect(choosePreprocessing(sources({ input: bytes })).preprocessing).toMatchObject({ scale: 1, layout: "NHWC" });
  });
});

const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

describe("cards", () => {
  it.each([
    [{ preprocessing: "torch" }, /has no "version"/],
    [{ version: 2 }, /"version": 2 .* must be one of 1/],
    [{ version: 1, preprocesing: "torch" }, /unknown field "preprocesing".*Did you mean "preprocessing"/],
    [{ version: 1, preprocessing: { sise: [1, 1] } }, /unknown field "sise" in preprocessing.*"size"/],
    [{ version: 1, preprocessing: { size: [0, 10] } }, /"size": \[0,10\].*whole numbers/],
    [{ version: 1, preprocessing: { std: [1, 0, 1] } }, /"std".*above 0/],
    [{ version: 1, preprocessing: { resize: "cubic" } }, /must be one of "nearest"/],
    [{ version: 1, labels: [1, 2] }, /"labels"/],
    [{ version: 1, sha256: "abc" }, /64 hexadecimal/],
    [{ version: 1, constructor: 1 }, /unknown field "constructor"/],
    [[1], /must be a JSON object/],
  ])("%j", (value, message) => expect(() => parseCard(json(value), "net.card.json")).toThrow(message));

  it("names the file of broken JSON in one line", () => {
    expect(() => parseCard(new TextEncoder().encode("{\n,"), "net.card.json")).toThrow(
      /^"net.card.json" is no JSON: [^\n]+$/,
    );
  });

  it("a preprocessing file may be the fields, or a card", () => {
    expect(parsePreprocessing(json({ fit: "pad" }), "p.json")).toEqual({ fit: "pad" });
    expect(parsePreprocessing(json({ version: 1, preprocessing: "tf" }), "p.json")).toBe("tf");
    expect(() => checkPreprocessing("torch", "options")).toThrow(/JSON object/);
  });
});
