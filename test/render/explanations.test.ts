/** Golden pictures of explanations: every mode, every kind of trouble, sheets. */
import { describe, it } from "vitest";
import { comparisonSheet } from "../../src/render/comparison.ts";
import type { ExplanationMode, Placed } from "../../src/render/explain/draw.ts";
import { explanationPicture } from "../../src/render/overlay.ts";
import { expectGolden } from "./golden.ts";
import { attribution, heatMap, hills, photograph } from "./make.ts";

/** The network sees the middle of a landscape photograph. */
const photo: Placed = { picture: photograph(480, 320), region: { x: 80, y: 0, width: 320, height: 320 } };

describe("golden pictures of explanations", () => {
  it.each<ExplanationMode>(["overlay", "map", "mask", "contour", "boxes"])("a map as %s", (mode) => {
    expectGolden(explanationPicture(heatMap(14, 14), photo, { mode }), `explain-${mode}`);
  });
  it("a signed map diverges around zero", () => {
    const result = heatMap(14, 14, hills(14, 14, true), { signed: true });
    expectGolden(explanationPicture(result, photo), "explain-signed");
  });
  it("attributions on a faint photograph, their outliers cut", () => {
    expectGolden(explanationPicture(attribution(96, 96), photo), "explain-attribution");
    const unsigned = attribution(32, 32, { signed: false, channelReduce: "max", title: "Gradient" });
    const tiny: Placed = { picture: photograph(32, 32), region: { x: 0, y: 0, width: 32, height: 32 } };
    expectGolden(explanationPicture(unsigned, tiny), "explain-tiny");
  });
  it("a blank map says why, and so does one with values that are no numbers", () => {
    const notes = ["all weighted sums are negative: nothing at this layer speaks for the class"];
    expectGolden(explanationPicture(heatMap(7, 7, new Float32Array(49), { notes }), photo), "explain-blank");
    const values = hills(7, 7).fill(Number.NaN, 10, 13);
    values[33] = Number.POSITIVE_INFINITY;
    expectGolden(
      explanationPicture(heatMap(7, 7, values, { notes: ["4 values are not finite"] }), photo),
      "explain-nan",
    );
  });
  it("a map without a photograph", () => {
    expectGolden(explanationPicture(heatMap(5, 9)), "explain-alone");
  });
  it("a sheet of photographs by methods, and the strip of many layers", () => {
    const tall: Placed = { picture: photograph(200, 340), region: { x: 0, y: 70, width: 200, height: 200 } };
    const results = [
      heatMap(14, 14),
      heatMap(7, 7, new Float32Array(49), {
        title: "LayerCAM",
        origin: { ...heatMap(1, 1).origin, method: "layercam" },
      }),
      attribution(64, 64),
    ];
    const rows = [
      { name: "cat.png", photo, results },
      { name: "tall.jpg", photo: tall, results },
    ];
    expectGolden(comparisonSheet(rows)[0]!, "explain-sheet");
    const layers = Array.from({ length: 8 }, (_, i) =>
      heatMap(16 >> (i / 3), 16 >> (i / 3), undefined, { layers: [`conv_${i}`] }),
    );
    expectGolden(comparisonSheet([{ name: "cat.png", photo, results: layers }])[0]!, "explain-strip");
  });
});
