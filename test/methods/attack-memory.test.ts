/** Candidates of one pixel that come again are answered from memory. */
import { beforeAll, describe, expect, it } from "vitest";
import { random } from "../../src/core/random.ts";
import type { Tensor } from "../../src/core/tensor.ts";
import { corners, onePixel } from "../../src/methods/index.ts";
import type { Model } from "../../src/model/model.ts";
import { attack, keeper, meanModel, pictureOf } from "./attack-models.ts";

const keep = keeper();
let model: Model;
beforeAll(async () => {
  model = await keep(meanModel(3));
});

/** The model, and every picture that it was asked about, as text. */
function recording(inner: Model): { model: Model; asked: string[] } {
  const asked: string[] = [];
  const predict: Model["predict"] = (feeds, options) => {
    const { data, dims } = feeds as Tensor;
    const size = data.length / dims[0]!;
    for (let from = 0; from < data.length; from += size) asked.push(data.slice(from, from + size).join());
    return inner.predict(feeds, options);
  };
  return { model: { ...inner, predict }, asked };
}

describe("one-pixel", () => {
  const picture = pictureOf(3, 3, random(5));
  const gathering = { population: 40, generations: 80, stop: "never", batch: 16 } as object;

  it("asks the network about no candidate twice, and finds what corners finds", async () => {
    const { model: watched, asked } = recording(model);
    const result = await attack(onePixel, watched, picture, gathering);
    // Neither the original before the search nor the picture that is found, alone at the end, is a candidate.
    const candidates = asked.slice(1, -1);
    expect(new Set(candidates).size).toBe(candidates.length);
    expect(result.queries).toBe(asked.length - 1);
    expect(result.queries).toBeLessThan((40 * 81) / 2);
    const all = await attack(corners, model, picture, {});
    expect(result.margin.after).toBeCloseTo(all.margin.after, 5);
  });

  it("of several pixels asks about all", async () => {
    const { model: watched, asked } = recording(model);
    const result = await attack(onePixel, watched, picture, { ...gathering, pixels: 2, generations: 10 } as object);
    expect(result.queries).toBeGreaterThanOrEqual(40 * 11);
    expect(asked.length).toBe(result.queries + 1);
  });

  it("can be cancelled when all that comes is remembered", async () => {
    const control = new AbortController();
    const { model: watched, asked } = recording(model);
    let last = 0;
    // The network is asked nothing more: from then on only memory answers.
    const watch = setInterval(() => {
      if (asked.length > 1000 && asked.length === last) control.abort();
      last = asked.length;
    }, 20);
    const run = attack(onePixel, watched, picture, {
      ...gathering,
      generations: 1_000_000,
      signal: control.signal,
    } as object);
    await expect(run).rejects.toMatchObject({ code: "cancelled" });
    clearInterval(watch);
  });
});
