/** Damaged Keras and TensorFlow.js files: seeded mutations end in a model or in one clear line, and in bounded work. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { ConvlensError } from "../../src/core/errors.ts";
import type { ByteSource } from "../../src/core/platform.ts";
import { readModel } from "../../src/formats/index.ts";
import { encodeGraph } from "../../src/formats/onnx/write.ts";
import { nodePlatform } from "../../src/platform/node.ts";
import { seeded } from "../random.ts";

const folder = join(dirname(fileURLToPath(import.meta.url)), "../fixtures/keras");
const files = [
  "base_first.keras3.keras",
  "functional.keras2.h5",
  "gzip.h5",
  "latest.h5",
  "deflated.keras",
  "operations.keras3.h5",
  "tfjs_quantized/model.json",
].map((name) => ({ name, bytes: new Uint8Array(readFileSync(join(folder, name))) }));

/** Text of the architecture is damaged by whole words, which leaves JSON that can be parsed. */
const words = ["null", "true", "-1", "0", "4294967296", '"x"', "[]", "{}", "1e300", "0.5"];

function mutate(bytes: Uint8Array, below: (n: number) => number): Uint8Array {
  const copy = bytes.slice();
  const at = (): number => below(below(2) ? copy.length : Math.min(copy.length, 3000));
  switch (below(6)) {
    case 0:
      return copy.subarray(0, 1 + at());
    case 1:
      for (let i = 0; i < 1 + below(8); i++) copy[at()]! ^= 1 << below(8);
      return copy;
    case 2:
      for (let i = 0; i < 1 + below(4); i++) copy[at()] = [0, 0xff, 0x7f, 0x80, 0x08][below(5)]!;
      return copy;
    case 3:
      copy.copyWithin(at(), at(), at());
      return copy;
    default: {
      // A number somewhere in the JSON becomes a word; spaces keep all lengths where they were.
      const text = Buffer.from(copy.buffer, copy.byteOffset, copy.byteLength).toString("latin1");
      const numbers = [...text.matchAll(/(?<=[:[,] ?)(\d+(\.\d+)?|true|false|null)(?=[,}\]])/g)];
      for (let i = 0; i < 1 + below(2) && numbers.length > 0; i++) {
        const found = numbers[below(numbers.length)]!;
        const word = words[below(words.length)]!.slice(0, 20);
        if (word.length <= found[0].length) copy.set(Buffer.from(word.padEnd(found[0].length), "latin1"), found.index);
      }
      return copy;
    }
  }
}

/** Fails on work that no file of this size should cause. */
async function bounded(bytes: Uint8Array, name: string): Promise<ByteSource> {
  const source = await nodePlatform.open(bytes, name.replace(/.*\//, ""));
  let reads = 0;
  return {
    ...source,
    read: (offset, length) => {
      if (++reads > 10_000 || length > bytes.length) throw new Error(`read ${reads} of ${length} bytes`);
      return source.read(offset, length);
    },
    sibling: async (path) => {
      const beside = join(folder, dirname(name), path);
      return path.includes("..") ? undefined : nodePlatform.open(beside).catch(() => undefined);
    },
  };
}

describe("mutations", () => {
  it.each(Array.from({ length: 10 }, (_, i) => 1000 * i))("sixty seeds from %i on", async (first) => {
    for (let seed = first; seed < first + 60; seed++) {
      const next = seeded(seed);
      const below = (n: number): number => Math.floor(next() * n);
      const file = files[below(files.length)]!;
      const bytes = mutate(file.bytes, below);
      try {
        const { graph } = await readModel(await bounded(bytes, file.name));
        expect(graph.outputs.length, `seed ${seed}`).toBeGreaterThan(0);
        encodeGraph(graph);
      } catch (error) {
        if (!(error instanceof ConvlensError))
          throw new Error(`seed ${seed}, ${file.name}: ${error}`, { cause: error });
        expect(error.message.split("\n")[0]!.length, `seed ${seed}: ${error.message}`).toBeLessThan(500);
        expect(error.code, `seed ${seed}: ${error.message}`).toMatch(/^(model|format|file)-/);
      }
    }
  });
});
