/** Gradient ascent against Keras, and what pictures must keep: seeds, batches, objectives, plain words for bad input. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readNpy } from "../../src/core/npy.ts";
import { float32, type Tensor } from "../../src/core/tensor.ts";
import { visualize } from "../../src/methods/index.ts";
import type { Model } from "../../src/model/model.ts";
import { embeddedPhotograph, openImage, openModel } from "../../src/node.ts";

const file = (name: string): string => `test/fixtures/visualize/${name}`;
const array = (name: string): Tensor => readNpy(readFileSync(file(name)), name);
let model: Model;
let demo: Model;
beforeAll(async () => {
  [model, demo] = await Promise.all([openModel(file("network.keras")), openModel("cats-and-dogs")]);
});
afterAll(() => Promise.all([model.release(), demo.release()]));

describe("preset chollet is the book's generate_pattern in Keras", () => {
  const start = array("start.npy");
  const patterns = array("patterns.npy");
  const raw = array("raw.npy");
  const area = 32 * 32 * 3;
  it.each([
    ["conv1", [1, 4], 0],
    ["conv3", [2, 5], 2],
  ] as const)("%s, channels %j", async (layer, channels, first) => {
    const rows = float32([2, 32, 32, 3], (start.data as Float32Array).slice(first * area, (first + 2) * area));
    const { images } = await visualize.run(model, { start: rows }, { preset: "lecture", layer, channels });
    expect(images).toHaveLength(2);
    for (const [n, { picture, values, dead }] of images.entries()) {
      const at = (first + n) * area;
      // Channel 1 of conv1 is off at the book's grey: Keras gives its noise back, and so do the values here.
      expect(dead !== null).toBe(layer === "conv1" && channels[n] === 1);
      let [grey, far] = [0, 0];
      for (let i = 0; i < area; i++) {
        const pixel = picture.data[4 * Math.floor(i / 3) + (i % 3)]!;
        if (dead === null) grey = Math.max(grey, Math.abs(pixel - Number(patterns.data[at + i])));
        far = Math.max(far, Math.abs(values.data[i]! - Number(raw.data[at + i])));
      }
      expect(grey).toBeLessThanOrEqual(1);
      expect(far).toBeLessThan(0.01);
    }
  });
});

describe("the ascent", () => {
  const small = { layer: "conv2d_1", channels: [3, 5, 9], steps: 6, size: [40], batch: 3 };
  const values = (result: Awaited<ReturnType<typeof visualize.run>>, n: number): Float32Array =>
    result.images[n]!.values.data;
  const farthest = (a: Float32Array, b: Float32Array): number =>
    a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);

  it("gives the same bytes for the same seed, others for another", async () => {
    const [a, b, c] = [
      await visualize.run(demo, {}, small),
      await visualize.run(demo, {}, small),
      await visualize.run(demo, {}, { ...small, seed: 1 }),
    ];
    expect(a.images.map(({ picture }) => picture.data)).toEqual(b.images.map(({ picture }) => picture.data));
    expect(farthest(values(a, 0), values(c, 0))).toBeGreaterThan(0.05);
  });

  it("draws a filter in a batch as alone, within 1e-3 of the input's range", async () => {
    const together = await visualize.run(demo, {}, small);
    const alone = await visualize.run(demo, {}, { ...small, channels: [5] });
    const inTwos = await visualize.run(demo, {}, { ...small, batch: 2 });
    expect(farthest(values(together, 1), values(alone, 0))).toBeLessThan(1e-3);
    expect(farthest(values(together, 2), values(inTwos, 2))).toBeLessThan(1e-3);
  });

  it("goes on where it stopped, step for step", async () => {
    const whole = await visualize.run(demo, {}, small);
    let stopped: Parameters<NonNullable<NonNullable<Parameters<typeof visualize.run>[2]>["onState"]>>[0] = [];
    const control = new AbortController();
    const half = await visualize.run(
      demo,
      {},
      {
        ...small,
        signal: control.signal,
        onStep: ({ step }) => void (step === 3 && control.abort()),
        onState: (states) => {
          stopped = states;
        },
      },
    );
    expect(half.notes.join()).toContain("stopped at step 3 of 6");
    expect(half.images).toHaveLength(3);
    expect(farthest(values(half, 0), values(whole, 0))).toBeGreaterThan(0.01);
    const rest = await visualize.run(demo, { resume: stopped }, small);
    expect(values(rest, 0)).toEqual(values(whole, 0));
  });

  it("raises what it is asked to raise", async () => {
    const layer = "conv2d_1";
    const reached = async (options: object): Promise<number> =>
      (await visualize.run(demo, {}, { layer, size: [40], steps: 12, ...options })).images[0]!.reached;
    for (const options of [
      { channels: [3] },
      { channels: [3], objective: "neuron" },
      { objective: "layer" },
      { objective: "direction", direction: Array.from({ length: 64 }, (_, i) => (i % 3) - 1), power: 2 },
      { channels: [3, 5], weights: [1, 0.5] },
    ])
      expect(await reached(options)).toBeGreaterThan(2 * (await reached({ ...options, steps: 1, rate: 1e-6 })));
    const less = { channels: [3], weights: [-1] };
    expect(await reached(less)).toBeGreaterThan(await reached({ ...less, steps: 1, rate: 1e-6 }));
  });

  it("makes copies unlike with diversity", async () => {
    const options = { layer: "conv2d_1", channels: [3], copies: 2, size: [40], steps: 12 };
    const likeness = async (diversity: number): Promise<number> => {
      const { images } = await visualize.run(demo, {}, { ...options, diversity });
      const grams = await Promise.all(
        images.map(({ values: { dims, data } }) => gramOf(demo, float32([1, ...dims], data))),
      );
      return grams[0]!.reduce((sum, x, i) => sum + x * grams[1]![i]!, 0);
    };
    expect(await likeness(100)).toBeLessThan((await likeness(0)) - 0.005);
  });

  it("draws the first channels of several layers, a row for each", async () => {
    const { images, grid } = await visualize.run(demo, {}, { layer: "conv2d*", steps: 1, size: [64] });
    expect(images).toHaveLength(32);
    expect(grid.across).toBe(8);
    expect(images[9]!.label).toBe("conv2d_1 channel 1");
  });

  it("dreams on a photograph: it keeps the photograph and raises the layer", async () => {
    const { picture } = await openImage(await embeddedPhotograph());
    const feeds = demo.prepare(picture).tensor;
    const { images } = await visualize.run(demo, { feeds }, { preset: "dream", layer: "conv2d_1", steps: 3 });
    const { data } = images[0]!.values;
    expect(images[0]!.reached).toBeGreaterThan(2 * images[0]!.reference!);
    const far = data.reduce((sum, x, i) => sum + Math.abs(x - Number(feeds.data[i])), 0) / data.length;
    expect(far).toBeGreaterThan(0.002);
    expect(far).toBeLessThan(0.06);
    await expect(visualize.run(demo, {}, { preset: "dream" })).rejects.toThrow(/a photograph is what it starts from/);
  });

  it("sees the picture as the transforms say, in place of the preset's", async () => {
    const seen = async (transforms: string, options: object = {}): Promise<Float32Array> =>
      values(await visualize.run(demo, {}, { ...small, channels: [3], transforms, ...options }), 0);
    const plain = await seen("none");
    for (const text of [
      "pad:6",
      "jitter:8",
      "scale:0.8:1.2",
      "rotate:20",
      "flip",
      "blur:1",
      "noise:0.05",
      "crop:0.5:0.25",
    ])
      expect([text, farthest(await seen(text), plain) > 0.01]).toEqual([text, true]);
  });

  it.each(["pixels", "fourier", "phases"])("changes %s where asked to", async (parameters) => {
    const options = { layer: "conv2d_1", channels: [3], size: [40], parameters };
    const [before, after] = [
      await visualize.run(demo, {}, { ...options, steps: 1, rate: 1e-6 }),
      await visualize.run(demo, {}, { ...options, steps: 16 }),
    ];
    expect(after.images[0]!.reached).toBeGreaterThan(2 * before.images[0]!.reached);
  });

  it("goes from one channel to another", async () => {
    const { images } = await visualize.run(
      demo,
      {},
      { layer: "conv2d_1", channels: [3, 9], between: 3, size: [40], steps: 3 },
    );
    expect(images.map(({ label }) => label)).toEqual(["100 % 3, 0 % 9", "50 % 3, 50 % 9", "0 % 3, 100 % 9"]);
  });

  it("says the class's probability of the picture in 8 bits", async () => {
    const { images } = await visualize.run(demo, {}, { targets: ["dog"], steps: 30 });
    const [answer] = await demo.predict(demo.prepare(images[0]!.picture).tensor);
    expect(images[0]).toMatchObject({
      label: "dog",
      probability: answer!.predictions.find(({ label }) => label === "dog")!.probability,
    });
    expect(images[0]!.probability).toBeGreaterThan(0.95);
  });

  it("takes the middle for a neuron when no place is named", async () => {
    // 40 pixels are 17 places of this layer.
    const [middle, named, other] = [
      await visualize.run(demo, {}, { ...small, objective: "neuron" }),
      await visualize.run(demo, {}, { ...small, position: [8, 8] }),
      await visualize.run(demo, {}, { ...small, position: [8, 3] }),
    ];
    expect(values(middle, 0)).toEqual(values(named, 0));
    expect(farthest(values(other, 0), values(named, 0))).toBeGreaterThan(0.01);
  });

  it("draws units of dense layers at the network's own size, also on a larger canvas", async () => {
    const { images } = await visualize.run(demo, {}, { layer: "dense", channels: [0, 3], steps: 12 });
    const [before] = (await visualize.run(demo, {}, { layer: "dense", channels: [0], steps: 1, rate: 1e-6 })).images;
    expect(images[0]!.reached).toBeGreaterThan(before!.reached);
    expect(images[0]!.picture.width).toBe(Math.round((150 * 8) / 7));
  });

  it("says of units that are off what was tried, and what is known of them", async () => {
    const { picture } = await openImage(await embeddedPhotograph());
    const feeds = demo.prepare(picture).tensor;
    const options = { layer: "conv2d_1", preset: "chollet", steps: 2 };
    const { images, notes } = await visualize.run(demo, { feeds }, { ...options, channels: [1, 62] });
    for (const { dead, reference, picture: drawn } of images) {
      expect(reference).toBeGreaterThan(0);
      expect(dead).toBe("0 in all 2 steps; the photograph switches it on");
      expect(new Set(drawn.data)).toEqual(new Set([128, 255]));
    }
    expect(notes.join()).toContain("all 2 pictures of conv2d_1 are blank");
    const alone = await visualize.run(demo, {}, { ...options, channels: [1, 11] });
    const { data: biases } = (await demo.weight((await demo.findLayers("conv2d_1"))[0]!, "bias"))!;
    expect(alone.images.map(({ dead }) => dead)).toEqual([
      "0 in all 2 steps",
      `0 in all 2 steps; its bias is ${Number(biases[11]!.toPrecision(2))}`,
    ]);
  });

  it("calls no unit dead that it was told to avoid", async () => {
    const { images, notes } = await visualize.run(
      demo,
      {},
      {
        layer: "conv2d",
        channels: [3],
        weights: [-1],
        parameters: "pixels",
        transforms: "none",
        size: [40],
        steps: 60,
      },
    );
    expect(images[0]).toMatchObject({ reached: 0, dead: null });
    expect(new Set(images[0]!.picture.data).size).toBeGreaterThan(2);
    expect(notes.join()).not.toMatch(/switche[sd]/);
  });

  it("names units that views switched on but the picture in the end does not", async () => {
    const options = {
      layer: "conv2d_1",
      channels: [3, 9],
      position: [2, 3],
      objective: "neuron",
      size: [40],
      steps: 12,
    };
    const { images, notes } = await visualize.run(demo, {}, options);
    expect(images[0]!.reached).toBeGreaterThan(0);
    expect(images[1]).toMatchObject({ reached: 0, dead: null });
    expect(notes.join()).toContain("channel 9 at (2, 3) of conv2d_1 is 0 for the picture in the end");
  });

  it("adds classes up with weights, also where one output stands for two", async () => {
    const sum = async (network: Model, targets: string[], weights: number[]): Promise<number> => {
      const { images } = await visualize.run(network, {}, { targets, weights, steps: 30 });
      const [answer] = await network.predict(network.prepare(images[0]!.picture).tensor);
      return answer!.predictions.find(({ label }) => label === targets[0])!.probability!;
    };
    expect(await sum(demo, ["cat", "dog"], [1, -1])).toBeGreaterThan(0.95);
    expect(await sum(demo, ["cat", "dog"], [-1, 1])).toBeLessThan(0.05);
    const ten = await openModel("cifar10");
    expect(await sum(ten, ["horse", "ship"], [1, -0.5])).toBeGreaterThan(0.9);
    await ten.release();
  }, 60_000);

  it("stops with the last good picture when values grow beyond all bounds", async () => {
    const start = float32([1, 40, 40, 3], new Float32Array(4800).fill(1e20));
    const options = { layer: "conv2d_1", objective: "layer", preset: "chollet" };
    const result = await visualize.run(demo, { start }, options);
    expect(result.notes.join()).toContain("grew beyond all bounds at step 1");
    expect(result.images[0]!.values.data).toEqual(start.data);
  });

  it.each([
    [{ layer: "conv2d_9" }, /conv2d_9/],
    [{ layer: "conv2d_1", channels: [64] }, /layer "conv2d_1" has no channel 64: its 64 channels are 0 to 63/],
    [{ layer: "conv2d_3", size: [20] }, /cannot be computed for pictures of 20 x 20/],
    [{ layer: "conv2d", targets: ["dog"] }, /two different pictures/],
    [{ targets: ["horse"] }, /horse/],
    [{ layer: "conv2d_1", channels: [1], diversity: 1 }, /copies of 2 or more/],
    [{ layer: "conv2d_1", objective: "direction" }, /give 64 numbers/],
    [{ layer: "conv2d_1", channels: [1, 2], weights: [1] }, /1 weights are given for 2 channels/],
    [{ layer: "conv2d_1", channels: [1], position: [99, 0], size: [40] }, /there is none at 99/],
    [{ layer: "conv2d_1", size: [0] }, /"size" is 0/],
    [{ layer: "dense", size: [64] }, /needs the whole network, which takes 150 x 150: pictures of 64 x 64/],
    [{ targets: ["dog"], size: [64] }, /a class needs the whole network/],
    [{ layer: "conv2d_1", direction: [1] }, /the direction has 1 numbers/],
    [{ layer: "conv2d_1", power: 2 }, /power belong to the objective "direction"/],
    [{ targets: ["dog"], between: 3 }, /leave them out for classes/],
    [{ targets: ["dog"], preset: "dream" }, /of whole layers: leave out the class/],
    [{ layer: "dense", preset: "dream" }, /layer "dense" has no maps: name a layer before it/],
    [{ layer: "conv2d_1", channels: [1], copies: 2, diversity: 1, batch: 1 }, /a batch of 2 or more/],
    [{ layer: "conv2d", preset: "chollet", parameters: "fourier" }, /changes the network's own numbers/],
    [{ layer: "conv2d", from: "photograph", parameters: "phases" }, /leave out parameters/],
    [{ layer: "conv2d", transforms: "jitter:x" }, /is not jitter:PIXELS/],
  ])("refuses %j in plain words", async (options, message) => {
    await expect(visualize.run(demo, {}, { steps: 1, ...options })).rejects.toThrow(message);
  });
});

/** The Gram matrix of a layer's channels, of length 1. */
async function gramOf(network: Model, feeds: Tensor): Promise<Float64Array> {
  const { gradient } = network;
  const { values } = await gradient(feeds, {
    targets: [{ layer: "conv2d_1", channel: 0 }],
    outputs: ["conv2d_1"],
    anySize: true,
  });
  const { dims, data } = values.conv2d_1!;
  const channels = dims[3]!;
  const gram = new Float64Array(channels * channels);
  for (let at = 0; at < data.length; at += channels)
    for (let i = 0; i < channels; i++)
      for (let j = 0; j < channels; j++) gram[i * channels + j]! += data[at + i]! * data[at + j]!;
  const length = Math.hypot(...gram);
  return gram.map((x) => x / length);
}
