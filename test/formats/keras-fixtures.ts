/** The one-layer Keras models of test/fixtures/keras/layers.py: reading them, and the arrays that a formula gives. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { float32, sizeOf, type Tensor } from "../../src/core/tensor.ts";
import { type Emitted, emitNetwork } from "../../src/formats/keras/emit.ts";
import { readNetwork } from "../../src/formats/keras/network.ts";

/** An array that is not stored: numbers of a formula. */
interface Made {
  readonly shape: readonly number[];
  readonly seed: number;
  readonly low: number;
  readonly high: number;
}
export interface LayerCase {
  readonly name: string;
  /** What `model.to_json()` gives. */
  readonly model: unknown;
  /** By the layer's path, in Keras' order. */
  readonly weights: Readonly<Record<string, readonly (Made & { readonly name: string })[]>>;
  readonly inputs: readonly Made[];
  /** float32, little-endian, in base64. */
  readonly outputs: readonly { readonly shape: readonly number[]; readonly data: string }[];
  /** Major version of Keras. */
  readonly version: number;
}

const folder = new URL("../fixtures/keras/", import.meta.url);

function load(part: string, version: number): readonly LayerCase[] {
  const text = gunzipSync(readFileSync(new URL(`layers-${part}.json.gz`, folder))).toString();
  return (JSON.parse(text) as { cases: Omit<LayerCase, "version">[] }).cases.map((one) => ({ ...one, version }));
}

/** One layer or operation each. */
export const layerCases: readonly LayerCase[] = [...load("3", 3), ...load("2", 2)];

/** Small members of the families of keras.applications. */
export const families: readonly LayerCase[] = load("families", 3);

/** `numbers` of layers.py. */
export function made({ shape, seed, low, high }: Made): Tensor<"float32"> {
  const data = Float32Array.from({ length: sizeOf(shape) }, (_, i) => {
    let x = (Math.imul(i + 1, 2654435761) + Math.imul(seed, 40503)) | 0;
    x = Math.imul(x ^ (x >>> 15), 2246822519);
    x = Math.imul(x ^ (x >>> 13), 3266489917);
    x = (x ^ (x >>> 16)) >>> 0;
    return low + (high - low) * ((x >>> 8) / 2 ** 24);
  });
  return float32(shape, data);
}

/** The graph of a case; `model` stands for the case's own, perhaps changed. */
export function emitCase({ name, weights, version, model }: LayerCase): Emitted {
  const stored = (path: string) => {
    const own = weights[path] ?? [];
    return { weights: own.map(made), names: own.map((one) => one.name) };
  };
  return emitNetwork(readNetwork(model, `${name}.keras`), stored, `${name}.keras`, version);
}
