/** The ONNX fixtures and what the Python package onnx reads from them (test/fixtures/onnx/make.py). */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { EngineModel } from "../../src/core/platform.ts";
import { float32, type Tensor } from "../../src/core/tensor.ts";
import type { Constant } from "../../src/graph/graph.ts";
import { nodePlatform } from "../../src/platform/node.ts";

const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), "fixtures", "onnx");
export const fixturePath = (name: string): string => join(folder, name);

interface Expected {
  readonly models: Readonly<
    Record<
      string,
      {
        readonly feeds: Readonly<Record<string, { dims: number[]; data: number[] }>>;
        readonly outputs: Readonly<Record<string, number[]>>;
      }
    >
  >;
  readonly tensors: Readonly<Record<string, { type: number; dims: number[]; bytes: string }>>;
  readonly real: Readonly<Record<string, { nodes: number; constants: number; opset: number; parameters: number }>>;
}
export const expected: Expected = JSON.parse(readFileSync(fixturePath("expected.json"), "utf8"));

/** A constant's memory, wherever it lies. */
export async function bytesOf(constant: Constant): Promise<Uint8Array> {
  if ("stored" in constant) {
    const { source, offset, length } = constant.stored;
    return source.read(offset, length);
  }
  return new Uint8Array(constant.data.buffer, constant.data.byteOffset, constant.data.byteLength);
}

/** One run in ONNX Runtime: every output as plain numbers. */
export async function outputsOf(
  model: EngineModel,
  feeds: Readonly<Record<string, Tensor>>,
): Promise<Record<string, number[]>> {
  const engine = await nodePlatform.engine();
  const session = await engine.createSession(model, { threads: 1 });
  try {
    const outputs = await session.run(feeds);
    return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, Array.from(data, Number)]));
  } finally {
    await session.release();
  }
}

export const feedsOf = (name: string): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(expected.models[name]!.feeds).map(([input, { dims, data }]) => [input, float32(dims, data)]),
  );

/** The largest difference relative to the largest value. */
export function distance(a: Readonly<Record<string, number[]>>, b: Readonly<Record<string, number[]>>): number {
  let worst = 0;
  for (const [name, values] of Object.entries(a)) {
    const others = b[name];
    if (others?.length !== values.length) return Number.POSITIVE_INFINITY;
    const scale = Math.max(1, ...values.map(Math.abs));
    for (const [i, value] of values.entries()) worst = Math.max(worst, Math.abs(value - others[i]!) / scale);
  }
  return worst;
}
