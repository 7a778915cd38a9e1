/** Golden pictures of what the renderers draw. */
import { describe, it } from "vitest";
import { activationSheets } from "../../src/render/activations.ts";
import { measureChart, predictionChart } from "../../src/render/charts.ts";
import { filterSheets } from "../../src/render/filters.ts";
import { matshow } from "../../src/render/matshow.ts";
import { sceneToPicture } from "../../src/render/scene.ts";
import { expectGolden } from "./golden.ts";
import { measure, noise, prediction, tensor, waves } from "./make.ts";

const layout = "NHWC";

describe("golden pictures", () => {
  it("matshow of 148 x 148 with NaN and infinity", () => {
    const values = waves(148, 148, 1);
    values.fill(Number.NaN, 3000, 3300);
    values[20000] = Number.POSITIVE_INFINITY;
    expectGolden(matshow(values, 148, 148, { title: "conv2d, channel 3" }), "matshow-148");
  });
  it("matshow of 7 x 7", () => {
    expectGolden(matshow(waves(7, 7, 1), 7, 7, { title: "max_pooling2d_3, channel 5", map: "magma" }), "matshow-7");
  });
  it("matshow of one value", () => {
    expectGolden(matshow([3.25], 1, 1, { title: "pool, channel 0" }), "matshow-1");
  });
  it("a sheet of 20 channels, some dead, constant, NaN", () => {
    const values = waves(9, 7, 20);
    for (let i = 0; i < values.length; i++) {
      if (i % 20 === 3) values[i] = 0;
      if (i % 20 === 18) values[i] = -2;
      if (i % 20 === 5 && i < 300) values[i] = Number.NaN;
    }
    expectGolden(activationSheets(tensor("conv2d_3", "Conv2D", [1, 9, 7, 20], values), { layout })[0]!, "sheet-20");
  });
  it("a sheet of wide tiles", () => {
    expectGolden(
      activationSheets(tensor("conv2d", "Conv2D", [1, 110, 120, 3], waves(110, 120, 3)), { layout })[0]!,
      "sheet-wide",
    );
  });
  it("dense layers: bars, cells", () => {
    expectGolden(activationSheets(tensor("logits", "Dense", [1, 10], noise(10)), { layout })[0]!, "dense-10");
    expectGolden(activationSheets(tensor("dense", "Dense", [1, 512], noise(512)), { layout })[0]!, "dense-512");
  });
  it("filters: RGB with bias, deeper, depthwise", () => {
    const bias = tensor("conv2d", "Conv2D", [20], noise(20, 5), "bias");
    expectGolden(
      filterSheets(tensor("conv2d", "Conv2D", [3, 3, 3, 20], noise(540), "kernel"), bias, { layout })[0]!,
      "filters-rgb",
    );
    expectGolden(
      filterSheets(tensor("conv2d_1", "Conv2D", [3, 3, 24, 6], noise(1296), "kernel"), undefined, { layout })[0]!,
      "filters-deep",
    );
    expectGolden(
      filterSheets(tensor("dw", "DepthwiseConv2D", [3, 3, 18, 1], noise(162), "depthwise_kernel"), undefined, {
        layout,
      })[0]!,
      "filters-depthwise",
    );
  });
  it("charts", () => {
    const rows = [
      ["Egyptian cat", 0.9123, 11],
      ["a label that does not fit in its room at all", 0.05, 8],
      ["Ürümqi 猫", 0.00001, -3],
    ] as const;
    expectGolden(sceneToPicture(predictionChart(prediction(rows))), "prediction");
    const layers = Array.from({ length: 8 }, (_, i) => [`conv2d_${i}`, i / 7, i * i] as const);
    expectGolden(sceneToPicture(measureChart(measure(layers))), "measure");
  });
});
