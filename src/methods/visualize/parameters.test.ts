/** Parameterisations against NumPy's conventions and Lucid's numbers, and their gradients as transposed maps. */
import { describe, expect, it } from "vitest";
import { random } from "../../core/random.ts";
import { float32, type Tensor } from "../../core/tensor.ts";
import { encodeGraph } from "../../formats/onnx/write.ts";
import { checkGraph } from "../../graph/check.ts";
import type { Graph } from "../../graph/graph.ts";
import { nodePlatform } from "../../platform/node.ts";
import { optimizers } from "./optimizers.ts";
import {
  colourMatrix,
  fourier,
  frequencies,
  type Parameters,
  phases,
  photographSpectrum,
  pixels,
  spectrumScale,
} from "./parameters.ts";

async function run(graph: Graph, feeds: Readonly<Record<string, Tensor>>): Promise<Float32Array> {
  checkGraph(graph);
  const session = await (await nodePlatform.engine()).createSession(encodeGraph(graph));
  const results = await session.run(feeds);
  await session.release();
  return results[graph.outputs[0]!]!.data as Float32Array;
}
const draw = ({ forward, dims }: Parameters, values: Float32Array): Promise<Float32Array> =>
  run(forward, { parameters: float32(dims, values) });

const logit = (p: number): number => Math.log(p / (1 - p));

describe("Fourier", () => {
  it("has NumPy's frequencies", () => {
    const f = frequencies(4, 4);
    expect([...f.slice(0, 3)]).toEqual([0, 0.25, 0.5]);
    expect(f[2 * 3 + 2]).toBeCloseTo(Math.SQRT1_2, 8);
    // Odd: NumPy's rfftfreq, 3 columns; the negative frequencies in the upper half of the rows.
    expect([...frequencies(5, 5)].slice(0, 3)).toEqual([0, 0.2, 0.4]);
    expect(frequencies(5, 5)[4 * 3]).toBeCloseTo(0.2, 12);
    expect(frequencies(16, 24)).toHaveLength(16 * 13);
    expect(frequencies(256, 512)).toHaveLength(256 * 257);
  });

  it("weighs them as Lucid", () => {
    expect([...spectrumScale(4, 4)].map((x) => Number(x.toFixed(4)))).toEqual([
      16, 16, 8, 16, 11.3137, 7.1554, 8, 7.1554, 5.6569, 16, 11.3137, 7.1554,
    ]);
    const sums = { 32: 61105.96, 64: 478341.27, 128: 3773157.67, 224: 20074424.58 };
    for (const [size, sum] of Object.entries(sums)) {
      const scale = spectrumScale(Number(size), Number(size));
      expect(scale[0]).toBe(Number(size) ** 2);
      // The corner where both frequencies are highest: sqrt(2) times the size.
      const half = Number(size) / 2;
      expect(scale[half * (half + 1) + half]).toBeCloseTo(Math.SQRT2 * Number(size), 3);
      expect(scale.reduce((a, b) => a + b, 0) / sum).toBeCloseTo(1, 6);
    }
  });

  it("turns single coefficients into Lucid's waves", async () => {
    for (const [size, at, wanted] of [
      [32, 0, 0.25],
      [33, 0, 0.25],
      [32, 1, 0.5],
    ] as const) {
      const made = fourier({ count: 1, channels: 1, height: size, width: size });
      const values = new Float32Array(made.dims.reduce((a, b) => a * b, 1));
      values[at] = 1;
      const picture = (await draw(made, values)).map(logit);
      expect(Math.max(...picture)).toBeCloseTo(wanted, 4);
      if (at === 0) expect(Math.min(...picture)).toBeCloseTo(wanted, 4);
    }
  });

  it("starts as an even grey", async () => {
    const made = fourier({ count: 1, channels: 3, height: 128, width: 128 });
    const picture = await draw(made, made.start(random(0)));
    const deviation = Math.sqrt(picture.reduce((sum, x) => sum + (x - 0.5) ** 2, 0) / picture.length);
    expect(deviation).toBeGreaterThan(0.002);
    expect(deviation).toBeLessThan(0.004);
  });
});

it("colours: Lucid's matrix", () => {
  const wanted = [0.5628286, 0.1948253, 0.0432945, 0.5844758, 0, -0.1082363, 0.5844758, -0.1948253, 0.0649418];
  for (const [i, value] of colourMatrix.flat().entries()) expect(value).toBeCloseTo(wanted[i]!, 6);
  expect(colourMatrix.map((row) => row.reduce((a, b) => a + b, 0)).map((x) => Number(x.toFixed(5)))).toEqual([
    0.80095, 0.47624, 0.45459,
  ]);
  expect(determinant(colourMatrix)).toBeCloseTo(-0.0365183, 6);
  // The first row of its inverse, a column of the identity at a time.
  for (const unit of [0, 1, 2]) {
    const [first] = solved(
      colourMatrix,
      [0, 1, 2].map((k) => (k === unit ? 1 : 0)),
    );
    expect(first).toBeCloseTo(0.57744, 5);
  }
});

it.each(["pixels", "fourier"] as const)("%s can be fitted to any picture (Lucid's test, smaller)", async (which) => {
  const size = { count: 1, channels: 3, height: 24, width: 28 };
  const made = { pixels, fourier }[which](size);
  const area = size.height * size.width;
  // Soft shapes in all colours, away from black and white.
  const wanted = Float32Array.from({ length: 3 * area }, (_, i) => {
    const [c, y, x] = [Math.floor(i / area), Math.floor((i % area) / size.width), i % size.width];
    return 0.5 + 0.3 * Math.sin(0.4 * x + c) * Math.cos(0.3 * y - c);
  });
  const engine = await nodePlatform.engine();
  const [forward, backward] = await Promise.all(
    [made.forward, made.backward].map((graph) => engine.createSession(encodeGraph(graph))),
  );
  const values = made.start(random(0));
  const adam = optimizers.adam(0.05);
  let error = 1;
  for (let step = 0; step < 800; step++) {
    const parameters = float32(made.dims, values);
    const picture = (await forward!.run({ parameters }))[made.forward.outputs[0]!]!.data as Float32Array;
    error = picture.reduce((sum, x, i) => sum + Math.abs(x - wanted[i]!), 0) / picture.length;
    const slope = float32(
      [1, 3, size.height, size.width],
      picture.map((x, i) => wanted[i]! - x),
    );
    const back = await backward!.run({ parameters, slope });
    adam.step(values, back[made.backward.outputs[0]!]!.data as Float32Array, values);
  }
  await Promise.all([forward!.release(), backward!.release()]);
  expect(error).toBeLessThan(0.01);
});

describe("phases", () => {
  const size = { count: 2, channels: 3, height: 16, width: 24 };
  const made = phases(size, photographSpectrum(16, 24, 3));

  it("shifted by a constant give the same picture, standardised before its colours", async () => {
    expect(made.dims).toEqual([2, 3, 16, 13]);
    const values = Float32Array.from([...made.start(random(1)), ...made.start(random(2))]);
    const picture = await draw(made, values);
    const shifted = await draw(
      made,
      values.map((x) => x + 1.25),
    );
    for (const [i, x] of picture.entries()) expect(shifted[i]).toBeCloseTo(x, 4);
    // Undone: the sigmoid, then the colours; mean 0 and deviation 1 over each picture.
    const area = 16 * 24;
    for (const n of [0, 1]) {
      let [sum, squares] = [0, 0];
      for (let i = 0; i < area; i++) {
        const rgb = [0, 1, 2].map((k) => logit(picture[(3 * n + k) * area + i]!));
        for (const value of solved(colourMatrix, rgb)) {
          sum += value;
          squares += value * value;
        }
      }
      expect(sum / area / 3).toBeCloseTo(0, 3);
      expect(squares / area / 3).toBeCloseTo(1, 2);
    }
  });

  it("have the slopes of photographs", () => {
    const spectrum = photographSpectrum(512, 512, 1);
    const at = (k: number): number => spectrum[k]!;
    const slope = (from: number, to: number): number => Math.log(at(to) / at(from)) / Math.log(to / from);
    expect(slope(5, 50)).toBeCloseTo(-1.3, 2);
    expect(slope(60, 150)).toBeCloseTo(-2.1, 2);
    expect(slope(160, 250)).toBeCloseTo(-6.7, 2);
  });
});

function determinant(rows: readonly (readonly number[])[]): number {
  const [a, b, c, d, e, f, g, h, i] = rows.flat() as [
    ...[number, number, number, number, number],
    ...[number, number, number, number],
  ];
  return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
}

/** Cramer's rule. */
function solved(m: readonly (readonly number[])[], v: readonly number[]): number[] {
  const column = (k: number): number => determinant(m.map((row, r) => row.map((x, j) => (j === k ? v[r]! : x))));
  return [0, 1, 2].map((k) => column(k) / determinant(m));
}

describe.each([
  ["fourier, odd sides", fourier({ count: 2, channels: 3, height: 7, width: 5 })],
  ["fourier, one channel", fourier({ count: 1, channels: 1, height: 6, width: 9 })],
  ["fourier, own colours", fourier({ count: 1, channels: 3, height: 8, width: 8 }, { decorrelate: false, decay: 1.5 })],
  ["phases", phases({ count: 2, channels: 3, height: 6, width: 8 }, photographSpectrum(6, 8, 3))],
  ["pixels", pixels({ count: 2, channels: 3, height: 5, width: 4 })],
] as const)("%s", (_, made) => {
  it("has the gradient that differences have", async () => {
    const source = random(5);
    const length = made.dims.reduce((a, b) => a * b, 1);
    const values = Float32Array.from({ length }, () => source.normal());
    const along = Float32Array.from({ length }, () => source.normal());
    const step = 1e-2;
    const at = (by: number): Promise<Float32Array> =>
      draw(
        made,
        values.map((x, i) => x + by * step * along[i]!),
      );
    const [more, less] = [await at(1), await at(-1)];
    const slope = more.map(() => source.normal());
    const picture = made.forward.values.get("slope")?.shape ?? made.backward.values.get("slope")!.shape;
    const back = await run(made.backward, {
      parameters: float32(made.dims, values),
      slope: float32(picture as number[], slope),
    });
    const numeric = slope.reduce((sum, s, i) => sum + (s * (more[i]! - less[i]!)) / (2 * step), 0);
    const exact = back.reduce((sum, s, i) => sum + s * along[i]!, 0);
    expect(exact / numeric).toBeCloseTo(1, 2);
  });
});
