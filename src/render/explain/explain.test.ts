/** What the golden pictures cannot say: places, scales, numbers. */
import { describe, expect, it } from "vitest";
import { attribution, heatMap, hills, photograph } from "../../../test/render/make.ts";
import { float32 } from "../../core/tensor.ts";
import { resizeMap } from "../../image/map.ts";
import { comparisonRow, comparisonSheet } from "../comparison.ts";
import { barePicture, explanationPicture, explanationScene } from "../overlay.ts";
import { boxesOf, explanationBoxes } from "./boxes.ts";
import { caption, draw, drawingOf, shownSize } from "./draw.ts";
import { fieldOf, outlineField, scaleOf, standing } from "./field.ts";
import { inside, lay, notFinite, outside } from "./layers.ts";
import { palette } from "./palette.ts";
import { resample } from "./resample.ts";
import { wrapText } from "./text.ts";

const ramp = (height: number, width: number): Float32Array =>
  Float32Array.from({ length: height * width }, (_, i) => Math.sin(i * 1.3));
const field = (values: readonly number[], height: number, signed = false) => ({
  values: Float32Array.from(values),
  height,
  width: values.length / height,
  signed,
});

describe("resampling", () => {
  it("enlarges a map over the whole picture as OpenCV and PyTorch do", () => {
    for (const [h, w, down, across] of [
      [7, 7, 224, 224],
      [3, 5, 17, 41],
      [1, 1, 4, 6],
      [4, 4, 4, 4],
    ] as const) {
      const wanted = resizeMap(ramp(h, w), h, w, down, across);
      const got = resample(ramp(h, w), h, w, down, across);
      for (const [i, v] of wanted.entries()) expect(got[i]).toBeCloseTo(v, 5);
    }
  });
  it("puts a map where the network's input lies: a crop, fractions, beyond the edges", () => {
    // Enlarged alone and then placed is the same as enlarged in its place.
    const alone = resizeMap(ramp(6, 6), 6, 6, 30, 30);
    const crop = resample(ramp(6, 6), 6, 6, 30, 50, { x: 10, y: 0, width: 30, height: 30 });
    const pad = resample(ramp(6, 6), 6, 6, 20, 30, { x: 0, y: -5, width: 30, height: 30 });
    for (let y = 0; y < 20; y++)
      for (let x = 0; x < 30; x++) {
        expect(crop[y * 50 + 10 + x]).toBeCloseTo(alone[y * 30 + x]!, 5);
        expect(pad[y * 30 + x]).toBeCloseTo(alone[(y + 5) * 30 + x]!, 5);
      }
    expect([crop[9], crop[40]]).toEqual([0, 0]);
    // Two cells over 10.25 to 14.25: pixel 11 has its centre 1.25 of 2 pixels into the first, an eighth of the way on.
    const fraction = resample(Float32Array.of(0, 8), 1, 2, 1, 20, { x: 10.25, y: 0, width: 4, height: 1 });
    expect([...fraction.subarray(9, 16)]).toEqual([0, 0, 1, 5, 8, 0, 0]);
  });
  it("averages where a picture shrinks, and keeps blocks where asked", () => {
    const even = resample(new Float32Array(100).fill(3), 10, 10, 3, 3);
    for (const v of even) expect(v).toBeCloseTo(3, 5);
    const checks = Float32Array.from({ length: 64 * 64 }, (_, i) => (i + Math.floor(i / 64)) % 2);
    for (const v of resample(checks, 64, 64, 8, 8)) expect(Math.abs(v - 0.5)).toBeLessThan(0.02);
    expect([...resample(Float32Array.of(1, 2), 1, 2, 1, 6, undefined, false)]).toEqual([1, 1, 1, 2, 2, 2]);
  });
});

describe("fields", () => {
  it("reduce the channels of an attribution, whatever the layout", () => {
    // Two places: 1, -4, 2 and 0, 3, -3.
    const nchw = float32([3, 1, 2], [1, 0, -4, 3, 2, -3]);
    const nhwc = float32([1, 2, 3], [1, -4, 2, 0, 3, -3]);
    const reduce = (channelReduce: "sum" | "max" | "mean" | "norm", signed: boolean) => {
      const a = fieldOf(attribution(1, 2, { values: nchw, layout: "NCHW", channelReduce, signed }));
      const b = fieldOf(attribution(1, 2, { values: nhwc, layout: "NHWC", channelReduce, signed }));
      expect(b).toEqual(a);
      return [...a.values];
    };
    expect(reduce("sum", true)).toEqual([-1, 0]);
    expect(reduce("sum", false)).toEqual([7, 6]);
    expect(reduce("mean", true)[0]).toBeCloseTo(-1 / 3, 6);
    expect(reduce("max", false)).toEqual([4, 3]);
    expect(reduce("max", true)).toEqual([-4, 3]);
    expect(reduce("norm", true)[0]).toBeCloseTo(Math.sqrt(21), 5);
  });
  it("say when they cannot be drawn", () => {
    expect(() => fieldOf(attribution(2, 2, { values: float32([4], [1, 2, 3, 4]) }))).toThrow("three axes");
  });
});

describe("scales", () => {
  it("start at 0, or at the least value where it is negative; NaN and infinity count for nothing", () => {
    expect(scaleOf([field([2, 5, Number.NaN, Number.POSITIVE_INFINITY], 1)])).toEqual({
      min: 0,
      max: 5,
      signed: false,
    });
    expect(scaleOf([field([-2, 5], 1)])).toEqual({ min: -2, max: 5, signed: false });
    expect(scaleOf([field([Number.NaN], 1)])).toEqual({ min: 0, max: 0, signed: false });
  });
  it("are symmetric for signed results, so that 0 is the middle colour", () => {
    const scale = scaleOf([field([-3, 1], 1, true)]);
    expect(scale).toEqual({ min: -3, max: 3, signed: true });
    expect([standing(0, scale), standing(-3, scale), standing(9, scale)]).toEqual([0, -1, 1]);
    const drawing = drawingOf(heatMap(1, 3, Float32Array.of(-1, 0, 2), { signed: true }), false);
    const { data } = draw(drawing, undefined, [1, 3]);
    const table = palette("RdBu_r");
    const pixel = (x: number) => [...data.subarray(4 * x, 4 * x + 3)];
    const entry = (i: number) => [...table.subarray(3 * i, 3 * i + 3)];
    expect([pixel(0), pixel(1), pixel(2)]).toEqual([entry(64), entry(128), entry(255)]);
  });
  it("end at a percentile of the sizes where outliers are cut, and say so", () => {
    const values = Array.from({ length: 101 }, (_, i) => (i === 100 ? 1000 : i));
    expect(scaleOf([field(values, 1)], 99)).toEqual({
      min: 0,
      max: 99,
      signed: false,
      clipped: { percentile: 99, largest: 1000 },
    });
    expect(scaleOf([field(values, 1)], 100).clipped).toBeUndefined();
    // Mostly zeros: a scale of no width would hide all there is.
    expect(scaleOf([field([0, 0, 0, 4], 1)], 50)).toEqual({ min: 0, max: 4, signed: false });
  });
  describe("on a sheet", () => {
    const photo = { picture: photograph(60, 60), region: { x: 0, y: 0, width: 60, height: 60 } };
    const weak = heatMap(
      7,
      7,
      hills(7, 7).map((v) => v / 100),
    );
    /** A pixel of the first map of the first line. */
    const color = (rows: Parameters<typeof comparisonSheet>[0], x: number, y: number) => {
      const { data, width } = comparisonSheet(rows)[0]!;
      const at = 4 * ((124 + y) * width + 12 + 232 + 14 + x);
      return [...data.subarray(at, at + 3)];
    };
    const alone = color([{ name: "a", photo, results: [weak] }], 90, 90);

    it("are shared by the classes of one photograph: little evidence looks faint", () => {
      expect(color([{ name: "a", photo, results: [weak, heatMap(7, 7)] }], 90, 90)).not.toEqual(alone);
    });
    it("are not shared by photographs: one with larger values leaves no other blank", () => {
      const rows = [weak, heatMap(7, 7)].map((map, i) => ({ name: String(i), photo, results: [map] }));
      expect(color(rows, 90, 90)).toEqual(alone);
    });
    it("are those of the pixels drawn: where values of both signs cancel as they shrink, the rest is seen", () => {
      const seen = attribution(600, 600);
      // Strong pixels beside their opposites, and a corner of evidence that is a hundred times weaker.
      const data = seen.values.data.map((_, i) => {
        const [x, y] = [i % 600, Math.floor(i / 600) % 600];
        return x < 300 && y < 300 ? 0.01 : (x + y) % 2 === 0 ? 1 : -1;
      });
      const rows = [{ name: "a", results: [{ ...seen, layout: "NCHW" as const, values: { ...seen.values, data } }] }];
      expect(color(rows, 50, 50)).toEqual([...palette("RdBu_r").subarray(-3)]);
    });
  });
});

describe("sheets", () => {
  const photo = { picture: photograph(232, 116), region: { x: 0, y: 0, width: 232, height: 116 } };
  const made = (method: string, layer: string | undefined, label: string) =>
    heatMap(4, 4, undefined, {
      title: method,
      origin: { ...heatMap(1, 1).origin, method },
      layers: layer === undefined ? [] : [layer],
      target: { index: label.length, label, of: "logit", score: 1, probability: null },
    });
  /** Columns (the photograph's among them) and lines that a sheet's size stands for; heads count as 36 pixels. */
  const layout = (results: ReturnType<typeof made>[], heads: number) => {
    const { width, height } = comparisonSheet([{ name: "a", photo, results }])[0]!;
    return [(width - 24 + 14) / (232 + 14), (height - 88 - 36 * heads) / (116 + 38)];
  };
  const names = (count: number, letter: string) => Array.from({ length: count }, (_, i) => letter.repeat(i + 1));

  it("put methods, layers and classes side by side while there is room", () => {
    const all = names(3, "m").flatMap((m) => names(2, "t").map((t) => made(m, "conv", t)));
    expect(layout(all, 1)).toEqual([7, 1]);
  });
  it("give classes lines of their own where there is none", () => {
    const all = names(3, "m").flatMap((m) => names(4, "t").map((t) => made(m, "conv", t)));
    expect(layout(all, 1)).toEqual([4, 4]);
  });
  it("break many layers of one method, and many methods, into lines of six", () => {
    expect(
      layout(
        names(9, "l").map((l) => made("m", l, "t")),
        2,
      ),
    ).toEqual([7, 2]);
    expect(
      layout(
        names(8, "m").map((m, i) => made(m, i === 3 ? undefined : "conv", "t")),
        2,
      ),
    ).toEqual([7, 2]);
  });
  it("look the same of rows that keep only what a sheet needs", () => {
    const large = { picture: photograph(900, 700), region: { x: 100, y: 0, width: 700, height: 700 } };
    const unsigned = attribution(64, 64, {
      signed: false,
      channelReduce: "max",
      origin: { ...heatMap(1, 1).origin, method: "gradient" },
    });
    const row = { name: "a", photo: large, results: [heatMap(7, 7), attribution(64, 64), unsigned] };
    const small = comparisonRow(row);
    expect(small.photo!.picture.width).toBe(232);
    const [a, b] = [comparisonSheet([row])[0]!, comparisonSheet([small])[0]!];
    expect([a.width, a.height]).toEqual([b.width, b.height]);
    expect(a.data.filter((v, i) => Math.abs(v - b.data[i]!) > 1)).toHaveLength(0);
  });
  it("are cut into pages", () => {
    const results = names(100, "l").map((l) => made("m", l, "t"));
    const pages = comparisonSheet([{ name: "a", photo, results }]);
    expect(pages.length).toBeGreaterThan(1);
    for (const { height } of pages) expect(height).toBeLessThanOrEqual(2600);
    expect(comparisonSheet([])).toEqual([]);
  });
});

describe("fields laid on pictures", () => {
  it("know what is outside the network's input and what is no number", () => {
    const laid = lay(field([1, Number.NaN, 3, 4], 2), 8, 4, { x: 2, y: 0, width: 4, height: 4 }, true);
    expect([...laid.places.subarray(0, 8)]).toEqual([
      outside,
      outside,
      inside,
      inside,
      notFinite,
      notFinite,
      outside,
      outside,
    ]);
    expect([...laid.places.subarray(24, 32)]).toEqual([outside, outside, ...Array(4).fill(inside), outside, outside]);
    expect(laid.values.every((v) => Number.isFinite(v))).toBe(true);
  });
  it("leave the photograph outside dimmed and untinted, at fractional edges too", () => {
    const picture = { width: 9, height: 3, data: new Uint8ClampedArray(108).fill(200) };
    const photo = { picture, region: { x: 2.4, y: -1, width: 4.2, height: 5 } };
    const { data } = barePicture(heatMap(1, 1, Float32Array.of(1)), photo);
    const bare = barePicture(heatMap(1, 1, Float32Array.of(1)), photo, { opacity: 0 }).data;
    const red = Array.from({ length: 9 }, (_, x) => [data[4 * (9 + x)], bare[4 * (9 + x)]]);
    for (const x of [0, 1, 7, 8]) expect(red[x]![0]).toBe(red[x]![1]);
    expect(red[0]![1]).toBeLessThan(red[4]![1]!);
    for (const x of [2, 3, 4, 5, 6]) expect(red[x]![0]).not.toBe(red[x]![1]);
  });
  it("are transparent where a mask hides the photograph", () => {
    const picture = { width: 2, height: 1, data: new Uint8ClampedArray([9, 8, 7, 255, 6, 5, 4, 255]) };
    const mask = barePicture(
      heatMap(1, 2, Float32Array.of(0, 3)),
      { picture, region: { x: 0, y: 0, width: 2, height: 1 } },
      { mode: "mask" },
    );
    expect([...mask.data]).toEqual([9, 8, 7, 0, 6, 5, 4, 255]);
  });
});

it("a largest value on the padding beside the photograph is told on the picture", () => {
  const values = new Float32Array(16).fill(0.1);
  values[1] = 1;
  const at = (y: number) => ({ picture: photograph(420, 420), region: { x: 0, y, width: 420, height: 420 } });
  const words = (y: number) =>
    explanationScene(heatMap(4, 4, values), at(y)).marks.flatMap((m) => (m.kind === "text" ? m.text : []));
  expect(words(0).join(" ")).not.toContain("padding");
  expect(words(-200).join(" ")).toContain("the largest value lies beside the photograph, on the padding");
});

describe("boxes", () => {
  const whole = { x: 0, y: 0, width: 8, height: 8 };
  it("surround what is connected, corners included, the largest part first", () => {
    const values = new Float32Array(64);
    for (const at of [9, 18, 19]) values[at] = 1; // (1,1), (2,2) and (3,2): joined over a corner
    values[55] = 0.5; // (7,6)
    values[63] = 0.1; // under the threshold of 0.15
    const boxes = boxesOf({ values, height: 8, width: 8, signed: false }, whole, { width: 8, height: 8 });
    expect(boxes).toEqual([
      { x: 1, y: 1, width: 3, height: 2, peak: 1, share: expect.closeTo(3 / 3.6, 5) },
      { x: 7, y: 6, width: 1, height: 1, peak: 0.5, share: expect.closeTo(0.5 / 3.6, 5) },
    ]);
    expect(
      boxesOf({ values, height: 8, width: 8, signed: false }, whole, { width: 8, height: 8 }, 0.05)[1],
    ).toMatchObject({ y: 6, height: 2 });
  });
  it("are in the photograph's pixels and end at its edges", () => {
    const values = new Float32Array(64).fill(0);
    for (const at of [0, 1, 8, 9]) values[at] = 2;
    const region = { x: -4, y: 10, width: 80, height: 80 };
    const [box] = boxesOf({ values, height: 8, width: 8, signed: false }, region, { width: 60, height: 100 }, 0.9);
    expect(box!.x).toBe(0);
    expect(box!.y).toBe(10);
    // Enlarged bilinearly, 0.9 of the maximum ends short of the border between cells.
    expect(box!.width).toBeGreaterThan(8);
    expect(box!.width).toBeLessThan(16);
  });
  it("have the number of the largest even where it is smaller than its number", () => {
    const values = new Float32Array(32 * 32);
    values[16 * 32 + 16] = 1;
    const map = heatMap(32, 32, values);
    const picture = photograph(160, 160);
    const region = { x: 0, y: 0, width: 160, height: 160 };
    const drawn = barePicture(map, { picture, region }, { mode: "boxes" });
    const [box] = explanationBoxes(map, { picture, region });
    expect(box!.width).toBeLessThan(20);
    // Just above the box, in the band of its colour.
    const at = 4 * (Math.round(box!.y - 17) * drawn.width + Math.round(box!.x + 2));
    expect([...drawn.data.slice(at, at + 3)]).toEqual([255, 176, 32]);
  });
  it("leave specks out", () => {
    const values = new Float32Array(64);
    values.fill(1, 0, 32);
    values[62] = 0.15;
    expect(boxesOf({ values, height: 8, width: 8, signed: false }, whole, { width: 8, height: 8 })).toHaveLength(1);
  });
  it("of attributions are drawn around what their pixels gather to, not around each pixel", () => {
    const photo = { picture: photograph(96, 96), region: { x: 0, y: 0, width: 96, height: 96 } };
    const result = attribution(96, 96, { signed: false, channelReduce: "max" });
    const boxes = explanationBoxes(result, photo);
    expect(boxes.length).toBeLessThan(4);
    expect(boxesOf(fieldOf(result), photo.region, photo.picture).length).toBeGreaterThan(boxes.length);
    // The first hill under the made-up noise has its middle at 0.4, 0.4.
    expect(boxes[0]!.x).toBeLessThan(38);
    expect(boxes[0]!.x + boxes[0]!.width).toBeGreaterThan(38);
  });
  it("smooth as a Gaussian does, keeping an even field even", () => {
    const even = outlineField(attribution(50, 30, { values: float32([3, 50, 30], new Float32Array(4500).fill(1)) }));
    for (const v of even.values) expect(v).toBeCloseTo(3, 5);
    const peak = new Float32Array(3 * 101 * 101);
    peak[50 * 101 + 50] = 1;
    const { values } = outlineField(attribution(101, 101, { values: float32([3, 101, 101], peak) }));
    // Sigma is 2.02 cells.
    expect(values[50 * 101 + 52]! / values[50 * 101 + 50]!).toBeCloseTo(Math.exp(-((2 / 2.02) ** 2) / 2), 4);
    expect(values.reduce((a, b) => a + b)).toBeCloseTo(1, 4);
  });
  it("are none where nothing is positive", () => {
    expect(boxesOf(field([0, -1, Number.NaN, 0], 2), whole, { width: 8, height: 8 })).toEqual([]);
  });
});

describe("options", () => {
  it("out of range are refused by name", () => {
    for (const [options, message] of [
      [{ opacity: 1.5 }, 'option "opacity" is 1.5'],
      [{ clip: -1 }, 'option "clip" is -1'],
      [{ threshold: Number.NaN }, 'option "threshold" is NaN'],
      [{ colorMap: "virdis" as "viridis" }, 'Did you mean "viridis"'],
    ] as const)
      expect(() => explanationPicture(heatMap(3, 3), undefined, options)).toThrow(message);
  });
  it("give photographs a size at which text can be read", () => {
    expect(shownSize({ width: 4000, height: 3000 }, 480, 800)).toEqual([600, 800]);
    expect(shownSize({ width: 32, height: 32 }, 480, 800)).toEqual([480, 480]);
    expect(shownSize({ width: 100, height: 90 }, 480, 800)).toEqual([360, 400]);
    expect(shownSize({ width: 600, height: 1 }, 480, 800)).toEqual([1, 600]);
  });
  it("never give colours of NaN, whatever the map holds", () => {
    for (const values of [
      [0, 0, 0, 0],
      [Number.NaN, Number.NaN, Number.NaN, Number.NaN],
      [7, 7, 7, 7],
      [-1, -2, -3, -4],
    ])
      for (const signed of [true, false])
        for (const mode of ["overlay", "map", "mask", "contour", "boxes"] as const) {
          const photo = { picture: photograph(64, 48), region: { x: 8, y: 0, width: 48, height: 48 } };
          const result = heatMap(2, 2, Float32Array.from(values), { signed });
          const { data } = barePicture(result, photo, { mode });
          expect(data.every((v) => Number.isFinite(v))).toBe(true);
        }
  });
});

it("a reason that is longer than its room ends in an ellipsis", () => {
  const picture = photograph(120, 120);
  const cut = { ...picture, data: picture.data.slice() };
  const whole = { ...picture, data: picture.data.slice() };
  caption(cut, "blank: every value is 0; all weighted sums are negative", 10, 2);
  caption(
    whole,
    `${wrapText("blank: every value is 0; all weighted sums are negative", 10, 104).slice(0, 2).join(" ")}`,
    10,
    2,
  );
  expect(cut.data).not.toEqual(whole.data);
});

it("text is broken between words", () => {
  expect(wrapText("all weighted sums are negative", 12, 100)).toEqual(["all weighted", "sums are", "negative"]);
  expect(wrapText("", 12, 100)).toEqual([]);
});
