/** Attacks against what can be worked out: linear networks, brute force, counted calls. */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import type { Picture } from "../../src/core/picture.ts";
import { random } from "../../src/core/random.ts";
import type { Attack } from "../../src/core/result.ts";
import type { Tensor } from "../../src/core/tensor.ts";
import type { AttackMethod } from "../../src/methods/index.ts";
import { corners, methods, onePixel, ranked, sparseRs } from "../../src/methods/index.ts";
import type { Model } from "../../src/model/model.ts";
import {
  attack,
  best,
  counting,
  keeper,
  linearModel,
  meanModel,
  noise,
  pictureOf,
  twoLayerModel,
} from "./attack-models.ts";

const { dense } = JSON.parse(readFileSync(new URL("../fixtures/attack/attack.json", import.meta.url), "utf8"));
const attacks = methods.filter((method): method is AttackMethod => method.kind === "attack");
const few = attacks.filter(({ family }) => family === "few");

const keep = keeper();
let small: Model;
let steady: Model;
beforeAll(async () => {
  // Without its lead the network wavers: one pixel is enough, and with half of it sometimes.
  const less = (lead: number) => {
    const bias = dense.weights["dense.bias"].map((value: number, index: number) => value - (index === 1 ? lead : 0));
    return keep(twoLayerModel({ ...dense.weights, "dense.bias": bias }));
  };
  [small, steady] = [await less(0.4), await less(0.25)];
});

/** The margin that `corners` lowers: the present class's score over the best other's. */
const marginOf = async (model: Model, picture: Picture, own: number): Promise<number> => {
  const all = await best(model, picture);
  return all.find(({ index }) => index === own)!.score - all.find(({ index }) => index !== own)!.score;
};

function changed(picture: Picture, at: number, color: readonly number[]): Picture {
  const data = new Uint8ClampedArray(picture.data);
  data.set(color, 4 * at);
  return { ...picture, data };
}

const cornerList = Array.from({ length: 8 }, (_, i) => [i & 4 ? 255 : 0, i & 2 ? 255 : 0, i & 1 ? 255 : 0]);

describe("oracles", () => {
  it("finds the optimum of a linear network, which is a corner", async () => {
    const size = 12;
    const source = random(4);
    // Smooth, as those of trained networks are: the speed and phase of a wave for each class and colour.
    const waves = Array.from({ length: 30 }, () => noise([3], source));
    const weights = Array.from({ length: 3 * size * size }, (_, i) => {
      const [k, y, x] = [Math.floor(i / size / size), Math.floor(i / size) % size, i % size];
      return Array.from({ length: 10 }, (_, c) => {
        const [across, down, phase] = waves[c * 3 + k] as [number, number, number];
        return Math.sin(across * x + down * y + 3 * phase) / 4;
      });
    });
    const model = await keep(linearModel(size, weights));
    const picture = pictureOf(size, size, source);
    const [first] = await best(model, picture);
    // Every pixel and corner, by hand: the least probability of the present class.
    const start = await best(model, picture);
    const logits = Array.from({ length: 10 }, (_, c) => start.find(({ index }) => index === c)!.score);
    let least = 1;
    for (let at = 0; at < size * size; at++)
      for (const color of cornerList) {
        const moved = logits.map((logit, c) => {
          let sum = logit;
          for (let k = 0; k < 3; k++)
            sum += (weights[k * size * size + at]![c]! * (color[k]! - picture.data[4 * at + k]!)) / 255;
          return sum;
        });
        const total = moved.reduce((a, z) => a + Math.exp(z), 0);
        least = Math.min(least, Math.exp(moved[first!.index]!) / total);
      }
    const found = await attack(onePixel, model, picture, { stop: "never", generations: 100, batch: 400 });
    const own = found.after.predictions.find(({ index }) => index === first!.index)?.probability ?? 0;
    expect(own).toBeGreaterThan(least - 1e-5);
    expect(own).toBeLessThan(least + 1e-2);
    expect(found.queries).toBeLessThanOrEqual(400 * 101 + 3);
  });

  it("moves a mean by exactly the step over the number of pixels", async () => {
    const model = await keep(meanModel(8));
    const picture = pictureOf(8, 8, random(1), 100, 150);
    // Red leads by far: no single pixel changes that.
    for (let i = 0; i < picture.data.length; i += 4) picture.data[i] = 200;
    const result = await attack(corners, model, picture, {});
    expect(result.success).toBe(false);
    expect(result.ended).toBe("exhausted");
    const [{ from, to }] = result.pixels as [Attack["pixels"][number]];
    const before = await best(model, picture);
    const after = await best(model, result.attacked);
    for (const c of [0, 1, 2]) {
      const step = (to[c]! - from[c]!) / 255 / 64;
      const score = (list: typeof before) => list.find(({ index }) => index === c)!.score;
      expect(score(after) - score(before)).toBeCloseTo(step, 6);
    }
    expect(to[0]).toBe(0);
  });

  it("corners is brute force: the lowest margin, its place, and the map", async () => {
    const picture = pictureOf(8, 8, random(9));
    const own = (await best(small, picture))[0]!.index;
    const result = await attack(corners, small, picture, {});
    const lowest: number[] = [];
    for (let at = 0; at < 64; at++) {
      const margins: number[] = [];
      for (const color of cornerList) margins.push(await marginOf(small, changed(picture, at, color), own));
      lowest.push(Math.min(...margins));
    }
    const least = Math.min(...lowest);
    expect(result.margin.after).toBeCloseTo(least, 5);
    expect(result.success).toBe(least < 0);
    const { map } = result.vulnerability!;
    expect(map.dims).toEqual([8, 8]);
    for (let at = 0; at < 64; at++) expect(map.data[at]).toBeCloseTo(lowest[at]!, 5);
    const [pixel] = result.pixels as [Attack["pixels"][number]];
    expect(lowest[pixel.y * 8 + pixel.x]).toBeCloseTo(least, 5);
  });

  it("a proof needs all changes, and no more queries than are announced", async () => {
    const picture = pictureOf(8, 8, random(1), 100, 150);
    for (let i = 0; i < picture.data.length; i += 4) picture.data[i] = 200;
    const model = await keep(meanModel(8));
    const proof = /^all 512 changes of one pixel to a corner colour were tried: none/;
    for (const [method, all] of [
      [corners, 512],
      [ranked, 513],
    ] as const) {
      const whole = await attack<object>(method, model, picture, { maxQueries: all });
      expect([whole.queries, whole.ended, whole.notes.some((note) => proof.test(note))]).toEqual([
        all,
        "exhausted",
        true,
      ]);
      const cut = await attack<object>(method, model, picture, { maxQueries: all - 1 });
      expect([cut.ended, cut.notes.some((note) => proof.test(note))]).toEqual(["budget", false]);
    }
    // The rule for ending sooner takes nothing from a search that never could.
    const sooner = await attack(corners, model, picture, { stop: "success" });
    expect(sooner.notes.some((note) => proof.test(note))).toBe(true);
    expect(sooner.vulnerability?.map.dims).toEqual([8, 8]);
  });

  it("the best is found among any number of candidates that succeed", async () => {
    // Green lies so close behind red that hundreds of changes succeed: far more than are kept for being judged alone.
    const model = await keep(meanModel(8));
    const picture = pictureOf(8, 8, random(1), 100, 150);
    for (let i = 0; i < picture.data.length; i += 4) picture.data.set([121, 120, 10], i);
    picture.data.set([200, 61, 10], 4 * 37);
    const result = await attack(corners, model, picture, {});
    expect(result.vulnerability!.map.data.filter((margin) => margin < 0).length).toBeGreaterThan(60);
    expect(result.success).toBe(true);
    expect(result.pixels).toEqual([{ x: 5, y: 4, from: [200, 61, 10], to: [0, 255, expect.any(Number)] }]);
  });

  it("ranked decides as corners does, with fewer pictures where one succeeds", async () => {
    const outcomes: boolean[] = [];
    for (let seed = 0; seed < 12; seed++) {
      const picture = pictureOf(8, 8, random(seed));
      const whole = await attack(corners, steady, picture, {});
      const sooner = await attack(ranked, steady, picture, {});
      expect(sooner.success, `seed ${seed}`).toBe(whole.success);
      expect(sooner.gradients).toBe(1);
      if (whole.success) expect(sooner.queries).toBeLessThan(whole.queries / 4);
      else expect([sooner.ended, sooner.margin.after]).toEqual(["exhausted", expect.closeTo(whole.margin.after, 5)]);
      outcomes.push(whole.success);
    }
    expect(new Set(outcomes).size, outcomes.join()).toBe(2);
  });
});

describe("honesty", () => {
  const picture = pictureOf(8, 8, random(3));

  it.each(attacks.map((method) => [method.id, method] as const))(
    "%s counts what the network judges",
    async (_, method) => {
      const { model, judged, gradients } = counting(small);
      const result = await attack(method, model, picture, { maxQueries: 300, batch: 37 });
      // One more: the picture itself.
      expect(judged()).toBe(result.queries + 1);
      expect(gradients()).toBe(result.gradients);
    },
  );

  it.each(attacks.flatMap((method) => [1, 2, 3, 30].map((most) => [method.id, most, method] as const)))(
    "%s stays within %i pictures",
    async (_, maxQueries, method) => {
      const { model, judged } = counting(small);
      const result = await attack(method, model, picture, { maxQueries, batch: 8 });
      expect(result.queries).toBeLessThanOrEqual(maxQueries);
      expect(judged()).toBe(result.queries + 1);
      if (!result.success && maxQueries === 30)
        expect(result.ended).toBe(method.family === "few" ? "budget" : "exhausted");
    },
  );

  it.each(attacks.map((method) => [method.id, method] as const))(
    "%s says what it changed, and no other pixel",
    async (_, method) => {
      for (let seed = 20; seed < 24; seed++) {
        const original = pictureOf(8, 8, random(seed));
        const result = await attack(method, small, original, {
          maxQueries: 700,
          ...(method === sparseRs ? { pixels: 3 } : {}),
        } as object);
        expect(result.original.data).toEqual(original.data);
        const listed = new Map(result.pixels.map((pixel) => [pixel.y * 8 + pixel.x, pixel]));
        for (let at = 0; at < 64; at++) {
          const [before, after] = [original, result.attacked].map(({ data }) => [...data.slice(4 * at, 4 * at + 4)]);
          const pixel = listed.get(at);
          expect(after![3]).toBe(255);
          if (pixel === undefined) expect(after).toEqual(before);
          else expect([[...pixel.from], [...pixel.to]]).toEqual([before!.slice(0, 3), after!.slice(0, 3)]);
        }
        if (method.family === "few") expect(result.pixels.length).toBeLessThanOrEqual(method === sparseRs ? 3 : 1);
        // What the network answers to the picture alone.
        const [answer] = await best(small, result.attacked);
        expect(result.success).toBe(answer!.index !== result.before.index);
        expect(result.after.index).toBe(answer!.index);
        expect(result.margin.after < 0).toBe(result.success);
      }
    },
  );

  it("a targeted attack succeeds only with the wanted class", async () => {
    for (let seed = 0; seed < 6; seed++) {
      const original = pictureOf(8, 8, random(seed));
      const all = await best(small, original);
      for (const { index } of all.slice(1)) {
        const result = await attack(corners, small, original, { to: index });
        expect(result.targeted).toBe(true);
        expect(result.to?.index).toBe(index);
        expect(result.success).toBe((await best(small, result.attacked))[0]!.index === index);
        expect(result.success).toBe(result.after.index === index);
      }
    }
  });

  it("refuses the present class, an unknown class, more pixels than there are, and an input that is no picture", async () => {
    const present = (await best(small, picture))[0]!.index;
    await expect(attack(onePixel, small, picture, { to: present })).rejects.toThrow(/answers .* already/);
    await expect(attack(onePixel, small, picture, { to: 5 })).rejects.toMatchObject({ code: "label-unknown" });
    await expect(attack(onePixel, small, picture, { pixels: 65 })).rejects.toThrow(
      /"pixels" is 65; the picture has 64/,
    );
    await expect(attack(onePixel, small, picture, { maxQueries: 0 })).rejects.toThrow(/"maxQueries" is 0/);
    await expect(attack(onePixel, small, picture, { stop: "target-above-90" })).rejects.toThrow(/wanted class/);
    await expect(attack(onePixel, small, picture, { stop: "true-below-5", to: (present + 1) % 5 })).rejects.toThrow(
      /"to"/,
    );
    const { tensor } = small.prepare(picture);
    const off = { ...tensor, data: tensor.data.map((v) => v + 1e-3) };
    await expect(onePixel.run(small, { feeds: off })).rejects.toThrow(/no 8-bit picture/);
    const two = { ...tensor, dims: [2, 3, 8, 8], data: new Float32Array(384) };
    await expect(onePixel.run(small, { feeds: two })).rejects.toThrow(/one picture of \[1, 3, 8, 8\]/);
  });

  it("rules for probabilities need some", async () => {
    const bare: Model = {
      ...small,
      predict: async (feeds, options) =>
        (await small.predict(feeds, options)).map((row) => ({
          ...row,
          predictions: row.predictions.map((entry) => ({ ...entry, probability: null })),
        })),
    };
    const short = { population: 10, generations: 1 };
    await expect(attack(onePixel, bare, picture, { ...short, stop: "true-below-5" })).rejects.toThrow(
      /rule for probabilities/,
    );
    expect((await attack(onePixel, bare, picture, { ...short, stop: "never" })).queries).toBeGreaterThanOrEqual(20);
  });

  it("both answers know the present and the wanted class, among the best five or not", async () => {
    const source = random(2);
    const many = await keep(
      linearModel(
        4,
        Array.from({ length: 48 }, () => noise([12], source)),
      ),
    );
    const original = pictureOf(4, 4, random(5));
    const all = await best(many, original);
    const [from, to] = [all[0]!.index, all.at(-1)!.index];
    const result = await attack(sparseRs, many, original, { to, maxQueries: 20 });
    for (const { predictions } of [result.before, result.after])
      expect(predictions.map(({ index }) => index)).toEqual(expect.arrayContaining([from, to]));
    expect(result.before.predictions).toEqual([...all.slice(0, 5), all.at(-1)]);
  });

  it("stops when it is asked to, and the network works on", async () => {
    const control = new AbortController();
    const onProgress = () => control.abort();
    const run = onePixel.run(
      small,
      { feeds: small.prepare(picture).tensor },
      { stop: "never", signal: control.signal, onProgress },
    );
    await expect(run).rejects.toMatchObject({ code: "cancelled" });
    expect((await best(small, picture)).length).toBe(5);
  });

  it("tells its plan before the search", async () => {
    const plans: number[] = [];
    await attack(corners, small, picture, {
      onPlan: ({ queries, milliseconds }: { queries: number; milliseconds: number }) =>
        plans.push(queries, milliseconds),
    } as object);
    expect(plans[0]).toBeGreaterThan(500);
    expect(plans[0]).toBeLessThanOrEqual(512);
    expect(plans[1]).toBeGreaterThan(0);
  });
});

describe("repeatable", () => {
  it.each(few.map((method) => [method.id, method] as const))(
    "%s: one seed, one change, whatever the batch",
    async (_, method) => {
      const picture = pictureOf(8, 8, random(21));
      const run = (options: object) => attack(method, small, picture, { maxQueries: 2000, ...options });
      const [first, again, single] = [await run({}), await run({}), await run({ batch: 1 })];
      expect(again).toEqual(first);
      expect(single.pixels).toEqual(first.pixels);
      expect(single.success).toBe(first.success);
    },
  );

  it("another seed searches elsewhere", async () => {
    const picture = pictureOf(8, 8, random(30));
    const ends = new Set<string>();
    for (const seed of [0, 1, 2])
      ends.add(
        JSON.stringify(
          (await attack(onePixel, small, picture, { seed, stop: "never", generations: 0, population: 30 })).pixels,
        ),
      );
    expect(ends.size).toBe(3);
  });

  it("as programs that call SciPy, a child takes all its genes from its mutant", async () => {
    const original = pictureOf(8, 8, random(21));
    const colors: number[][] = [];
    const recording: Model = {
      ...small,
      predict: (feeds, options) => {
        const { dims, data } = feeds as Tensor<"float32">;
        const own = small.prepare(original).tensor.data;
        for (let i = 0; i < dims[0]!; i++) {
          const one = data.subarray(i * own.length, (i + 1) * own.length) as Float32Array;
          const at = one.findIndex((value, k) => value !== own[k]) % 64;
          if (at >= 0) colors.push([0, 64, 128].map((plane) => Math.round(255 * one[plane + at]!)));
        }
        return small.predict(feeds, options);
      },
    };
    const options = { strategy: "scipy", stop: "never", population: 40, generations: 1, batch: 40 } as const;
    await attack(onePixel, recording, original, options);
    const [parents, children] = [colors.slice(0, 40), colors.slice(40, 80)];
    const kept = children.flatMap((child, i) => child.filter((level, k) => level === parents[i]![k]));
    // With SciPy's own crossover of 0.7 it would be about a quarter of 120.
    expect(kept.length).toBeLessThan(8);
  });

  it("the paper's rules end later than the first success", async () => {
    const picture = pictureOf(8, 8, random(21));
    const soon = await attack(onePixel, small, picture, { population: 40 });
    expect(soon.success).toBe(true);
    const to = soon.after.index;
    const rule = await attack(onePixel, small, picture, { population: 40, to, stop: "target-above-true" });
    // Looked at after whole generations; the picture that is given is judged once more.
    expect((rule.queries - 1) % 40).toBe(0);
    const never = await attack(onePixel, small, picture, { population: 40, generations: 3, stop: "never" });
    expect(never.queries).toBe(161);
    expect(never.margin.after).toBeLessThanOrEqual(soon.margin.after);
  });
});
