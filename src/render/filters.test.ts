import { describe, expect, it } from "vitest";
import { noise, tensor } from "../../test/render/make.ts";
import type { Picture } from "../core/picture.ts";
import { transpose } from "../core/tensor.ts";
import { filterSheets } from "./filters.ts";
import { textWidth } from "./font.ts";

const same = (a: Picture[], b: Picture[]) =>
  a.length === b.length && a.every((p, i) => Buffer.compare(Buffer.from(p.data), Buffer.from(b[i]!.data)) === 0);
const at = (picture: Picture, x: number, y: number) => [...picture.data.slice(4 * (y * picture.width + x)).slice(0, 3)];

/** The first tile of a page with small tiles begins here. */
const [left, top] = [12, 67];

describe("filter sheets", () => {
  it("scale each filter, or the layer, to 0..255 in its own colours", () => {
    // Two 1 x 2 filters over RGB: [rows, columns, in, out].
    const kernel = tensor("conv", "Conv2D", [1, 2, 3, 2], [-1, 0, 0, 1, 1, 2, 0, 8, 1, 4, -1, 0], "kernel");
    const [own] = filterSheets(kernel, undefined, { layout: "NHWC" });
    expect(at(own!, left + 2, top + 2)).toEqual([0, 128, 255]);
    expect(at(own!, left + 46, top + 2)).toEqual([128, 255, 0]);
    expect(at(own!, left + 50 + 2, top + 2)).toEqual([0, 32, 64]);
    expect(at(own!, left + 50 + 46, top + 2)).toEqual([255, 128, 0]);
    const [whole] = filterSheets(kernel, undefined, { layout: "NHWC", scale: "layer" });
    expect(at(whole!, left + 2, top + 2)).toEqual([0, 28, 57]);
    expect(at(whole!, left + 50 + 46, top + 2)).toEqual([255, 142, 28]);
    const [turned] = filterSheets(kernel, undefined, { layout: "NHWC", channels: "BGR" });
    expect(at(turned!, left + 2, top + 2)).toEqual([255, 128, 0]);
  });
  it("are the same from Keras' and PyTorch's axis orders", () => {
    for (const inputs of [1, 3, 20]) {
      const keras = tensor("conv", "Conv2D", [3, 5, inputs, 7], noise(105 * inputs), "kernel");
      const torch = { ...keras, tensor: transpose(keras.tensor, [3, 2, 0, 1]) };
      const a = filterSheets(keras, undefined, { layout: "NHWC" });
      const b = filterSheets(torch, undefined, { layout: "NCHW" });
      // The headings name different shapes; below them all is equal.
      const body = (p: Picture): Picture => ({ ...p, data: p.data.slice(4 * p.width * 46) });
      expect(same(a.map(body), b.map(body))).toBe(true);
    }
  });
  it("know Keras' depthwise and transposed kernels", () => {
    const height = (named: Parameters<typeof filterSheets>[0], layout: "NHWC" | "NCHW") =>
      filterSheets(named, undefined, { layout })[0]!.height;
    // 20 x 2 depthwise filters are 40 single tiles in 3 rows; read as Conv2D they would be 2 rows of 20 inputs.
    const dims = [3, 3, 20, 2];
    const values = noise(360);
    const three = height(tensor("d", "Conv2D", [3, 3, 1, 40], values, "kernel"), "NHWC");
    expect(height(tensor("d", "DepthwiseConv2D", dims, values, "depthwise_kernel"), "NHWC")).toBe(three);
    expect(height(tensor("d", "Conv2D", dims, values, "kernel"), "NHWC")).not.toBe(three);
    const up = tensor("t", "Conv2DTranspose", [3, 3, 40, 1], values, "kernel");
    expect(height(up, "NHWC")).toBe(three);
    expect(height(tensor("t", "ConvTranspose", [1, 40, 3, 3], values, "weight"), "NCHW")).toBe(three);
  });
  it("page deep layers by 64 filters and 1 x 1 or dense kernels too", () => {
    expect(
      filterSheets(tensor("c", "Conv2D", [3, 3, 30, 130], noise(35100), "kernel"), undefined, { layout: "NHWC" }),
    ).toHaveLength(3);
    expect(
      filterSheets(tensor("p", "Conv2D", [1, 1, 512, 65], noise(33280), "kernel"), undefined, { layout: "NHWC" }),
    ).toHaveLength(2);
    expect(
      filterSheets(tensor("d", "Dense", [300, 10], noise(3000), "kernel"), undefined, { layout: "NHWC" }),
    ).toHaveLength(1);
    expect(
      filterSheets(tensor("r", "Conv2D", [3, 3, 3, 300], noise(8100), "kernel"), undefined, { layout: "NHWC" }),
    ).toHaveLength(2);
  });
  it("have room for the whole line above narrow tables of many filters", () => {
    const kernel = tensor("conv", "Conv", [96, 16, 1, 1], noise(1536), "weight");
    const bias = tensor("conv", "Conv", [96], noise(96), "bias");
    const line = "filters 0–63 of 96 · 16 of 16 inputs across · black to white in each filter · bias at the left";
    const [page] = filterSheets(kernel, bias, { layout: "NCHW" });
    expect(page!.width).toBeGreaterThanOrEqual(textWidth(line, 12) + 24);
  });
  it("draw the bias of each filter, and leave out one of another length", () => {
    const kernel = tensor("conv", "Conv2D", [3, 3, 3, 4], noise(108), "kernel");
    const plain = filterSheets(kernel, undefined, { layout: "NHWC" });
    const bias = filterSheets(kernel, tensor("conv", "Conv2D", [4], noise(4), "bias"), { layout: "NHWC" });
    expect(bias[0]!.height).toBe(plain[0]!.height + 13);
    expect(same(filterSheets(kernel, tensor("conv", "Conv2D", [9], noise(9), "bias"), { layout: "NHWC" }), plain)).toBe(
      true,
    );
  });
  it("draw equal weights mid-grey and NaN magenta", () => {
    const flat = tensor("c", "C", [1, 2, 3, 1], [2, 2, 2, 2, 2, 2], "kernel");
    expect(at(filterSheets(flat, undefined, { layout: "NHWC" })[0]!, left + 2, top + 2)).toEqual([128, 128, 128]);
    const bad = tensor("c", "C", [1, 2, 3, 1], [1, Number.NaN, 1, 0, 1, 2], "kernel");
    const [picture] = filterSheets(bad, undefined, { layout: "NHWC" });
    expect(at(picture!, left + 2, top + 2)).toEqual([200, 60, 160]);
    expect(at(picture!, left + 46, top + 2)).toEqual([0, 128, 255]);
  });
  it("fill the tiles of wide, flat kernels", () => {
    // Three rows of nine weights, the middle one white: 4 pixels across, and 5 down so that the text beside it fits.
    const rows = [0, 1, 0].flatMap((v) => new Array<number>(9).fill(v));
    const kernel = tensor("c", "Conv", [2, 2, 3, 9], [...rows, ...rows, ...rows, ...rows], "weight");
    const [picture] = filterSheets(kernel, undefined, { layout: "NCHW" });
    for (const y of [74, 92]) {
      expect(at(picture!, 52, y)).toEqual([0, 0, 0]);
      expect(at(picture!, 52 + 35, y + 5)).toEqual([255, 255, 255]);
      expect(at(picture!, 52 + 35, y + 14)).toEqual([0, 0, 0]);
    }
  });
  it("refuse tensors that are no kernels", () => {
    expect(() =>
      filterSheets(tensor("bn", "BatchNormalization", [8], noise(8), "gamma"), undefined, { layout: "NHWC" }),
    ).toThrow(/"bn" gamma has the shape \(8,\)/);
  });
});
