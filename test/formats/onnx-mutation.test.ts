/** Damaged ONNX files: seeded mutations end in a model or in one clear line, and in bounded work. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ConvlensError } from "../../src/core/errors.ts";
import type { ByteSource } from "../../src/core/platform.ts";
import { readModel } from "../../src/formats/index.ts";
import { encodeGraph } from "../../src/formats/onnx/write.ts";
import { nodePlatform } from "../../src/platform/node.ts";
import { seeded } from "../random.ts";
import { fixturePath } from "./fixtures.ts";

const files = ["types", "constants", "functions", "external", "unordered", "if", "loop", "nhwc", "old", "scopes"].map(
  (name) => readFileSync(fixturePath(`${name}.onnx`)),
);

/** Whole numbers from 0 to below `n`. */
function random(seed: number): (n: number) => number {
  const next = seeded(seed);
  return (n) => Math.floor(next() * n);
}

function mutate(bytes: Uint8Array, below: (n: number) => number): Uint8Array {
  const copy = bytes.slice();
  // Structure is denser at the beginning of weights-heavy files.
  const at = (): number => below(below(2) ? copy.length : Math.min(copy.length, 400));
  switch (below(5)) {
    case 0:
      return copy.subarray(0, 1 + at());
    case 1:
      for (let i = 0; i < 1 + below(8); i++) copy[at()]! ^= 1 << below(8);
      return copy;
    case 2:
      for (let i = 0; i < 1 + below(4); i++) copy[at()] = [0, 0xff, 0x7f, 0x80, 0x0a][below(5)]!;
      return copy;
    case 3: {
      const from = at();
      copy.copyWithin(from, at(), at());
      return copy;
    }
    default: {
      const cut = at();
      return Uint8Array.from([...copy.subarray(0, cut), ...copy.subarray(cut + 1 + below(16))]);
    }
  }
}

/** Fails on work that no file of this size should cause. */
async function bounded(bytes: Uint8Array): Promise<ByteSource> {
  const source = await nodePlatform.open(bytes, "m.onnx");
  let reads = 0;
  return {
    ...source,
    read: (offset, length) => {
      if (++reads > 10_000 || length > bytes.length) throw new Error(`read ${reads} of ${length} bytes`);
      return source.read(offset, length);
    },
    sibling: async () => undefined,
  };
}

describe("mutations", () => {
  it.each(Array.from({ length: 10 }, (_, i) => 1000 * i))("sixty seeds from %i on", async (first) => {
    for (let seed = first; seed < first + 60; seed++) {
      const below = random(seed);
      const bytes = mutate(files[below(files.length)]!, below);
      try {
        const { graph, opaque } = await readModel(await bounded(bytes));
        expect(graph.outputs.length, `seed ${seed}`).toBeGreaterThan(0);
        if (opaque === undefined) encodeGraph(graph);
      } catch (error) {
        if (!(error instanceof ConvlensError)) throw new Error(`seed ${seed}: ${error}`, { cause: error });
        expect(error.message.split("\n")[0]!.length, `seed ${seed}`).toBeLessThan(400);
        expect(error.code, `seed ${seed}: ${error.message}`).toMatch(/^(model|format|file)-/);
      }
    }
  });

  it("every cut of a file is seen as such", async () => {
    const whole = files[1]!;
    for (let length = 1; length < whole.length; length += 7) {
      const outcome = await readModel(await bounded(whole.subarray(0, length))).then(
        () => "read",
        (error: unknown) => (error instanceof ConvlensError ? error.code : String(error)),
      );
      expect(outcome, `${length} bytes`).toMatch(/^(file-truncated|model-invalid|format-unknown)$/);
    }
  });
});
