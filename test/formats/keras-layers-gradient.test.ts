/** Every Keras layer class can be differentiated: its gradient against finite differences along one direction. */
import { expect, test } from "vitest";
import { emitter } from "../../src/autodiff/emitter.ts";
import { gradient } from "../../src/autodiff/gradient.ts";
import { rules } from "../../src/autodiff/rules/index.ts";
import { float32, sizeOf } from "../../src/core/tensor.ts";
import { encodeGraph } from "../../src/formats/onnx/write.ts";
import { withFacts } from "../../src/graph/infer.ts";
import { nodePlatform } from "../../src/platform/node.ts";
import { emitCase, type LayerCase, layerCases, made } from "./keras-fixtures.ts";

/** By definition nothing flows through them. */
const flat = new Set(["Sign", "Floor", "Ceil"]);

const byClass = new Map<string, LayerCase>();
for (const one of layerCases) {
  const layer = (
    one.model as { config: { layers: { class_name: string; config: Record<string, unknown> }[] } }
  ).config.layers.at(-1)!;
  const kind = layer.config.function ?? layer.config.activation ?? layer.config.interpolation ?? "";
  if (!flat.has(layer.class_name)) byClass.set(`${one.version} ${layer.class_name} ${kind}`.trim(), one);
}

const wave = (length: number, pace: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => Math.sin(pace * i + 0.5));
const product = (a: Float32Array, b: Float32Array): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

test.each([...byClass.entries()])("%s", async (_, one) => {
  const { graph } = emitCase(one);
  const [input, output] = [graph.inputs[0]!, graph.outputs[0]!];
  const feeds = Object.fromEntries(graph.inputs.map((name, i) => [name, made(one.inputs[i]!)]));
  const dims = Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, tensor.dims]));
  const emit = emitter(withFacts(graph, dims), "gradient/");
  const { shape } = one.outputs[0]!;
  const weights = float32(shape, wave(sizeOf(shape), 1.7));
  const [dx] = gradient(emit, { of: output, seed: emit.constant(weights), wrt: [input] }, rules);
  const session = await (await nodePlatform.engine()).createSession(encodeGraph(emit.finish([output, dx!])));

  const x = feeds[input]!;
  const direction = wave(x.data.length, 2.3);
  const along = async (by: number): Promise<number> => {
    const moved = {
      ...feeds,
      [input]: float32(
        x.dims,
        x.data.map((v, i) => v + by * direction[i]!),
      ),
    };
    return product((await session.run(moved))[output]!.data as Float32Array, weights.data);
  };
  const given = (await session.run(feeds))[dx!]!;
  expect(given.dims).toEqual(x.dims);
  const slope = async (step: number): Promise<number> => ((await along(step)) - (await along(-step))) / (2 * step);
  const norm = Math.max(1, Math.hypot(...(given.data as Float32Array)));
  const found = product(given.data as Float32Array, direction);
  // Large steps meet the bend of a ReLU now and then, small ones the rounding of float32.
  const errors = [Math.abs(found - (await slope(2e-3))), Math.abs(found - (await slope(2e-4)))];
  expect(Math.min(...errors) / norm).toBeLessThan(2e-3);
  await session.release();
});
