/** Attacks that change all pixels a little, against torchattacks on the same network; and on a network with one output unit. */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import type { Picture } from "../../src/core/picture.ts";
import type { Attack } from "../../src/core/result.ts";
import { fgsm, pgd } from "../../src/methods/index.ts";
import type { Model } from "../../src/model/model.ts";
import { embeddedPhotograph, openImage, openModel } from "../../src/node.ts";
import { attack, best, keeper, twoLayerModel } from "./attack-models.ts";

const { dense } = JSON.parse(readFileSync(new URL("../fixtures/attack/attack.json", import.meta.url), "utf8"));
const keep = keeper();

describe("against torchattacks", () => {
  const wide = 8;
  const picture: Picture = {
    width: wide,
    height: wide,
    data: Uint8ClampedArray.from({ length: wide * wide * 4 }, (_, i) =>
      i % 4 === 3 ? 255 : dense.levels[Math.floor(i / 4) * 3 + (i % 4)],
    ),
  };
  const levels = ({ attacked }: Attack): number[] => [...attacked.data].filter((_, i) => i % 4 < 3);
  let model: Model;
  beforeAll(async () => {
    model = await keep(twoLayerModel(dense.weights));
  });

  it("the network is the same", async () => {
    const all = await best(model, picture);
    for (const [index, logit] of dense.logits.entries())
      expect(all.find((p) => p.index === index)!.score).toBeCloseTo(logit, 5);
  });
  it("FGSM, any class and a wanted one", async () => {
    expect(levels(await attack(fgsm, model, picture, { epsilon: 1 }))).toEqual(dense.fgsm.levels);
    expect(levels(await attack(fgsm, model, picture, { epsilon: 1, to: dense.wanted }))).toEqual(
      dense.fgsmTargeted.levels,
    );
  });
  it("FGSM that succeeds", async () => {
    const result = await attack(fgsm, model, picture, { epsilon: 60 });
    expect(levels(result)).toEqual(dense.strong.levels);
    expect([result.success, result.after.index]).toEqual([dense.strong.after !== dense.label, dense.strong.after]);
  });
  it("PGD, L-infinity: every level", async () => {
    const result = await attack(pgd, model, picture, { epsilon: 2, alpha: 1, steps: 4, randomStart: false });
    expect(levels(result)).toEqual(dense.pgd.levels);
    expect(result.distance.max).toBeLessThanOrEqual(2);
  });
  it("PGD, L2: every level, rounded", async () => {
    const result = await attack(pgd, model, picture, {
      norm: "l2",
      epsilon: 12,
      alpha: 5,
      steps: 4,
      randomStart: false,
    });
    const off = levels(result).filter((level, i) => level !== Math.round(dense.pgdL2.levels[i]));
    expect(off.length).toBeLessThanOrEqual(2);
    // Rounding moves each of 192 levels by at most a half.
    expect(result.distance.l2).toBeLessThan(12 + 0.5 * Math.sqrt(192));
  });
  it("never judges more than it announces, where rounding undoes what seemed to succeed too", async () => {
    for (const options of [
      { norm: "l2", epsilon: 40, restarts: 2 },
      { norm: "linf", epsilon: 1.3, restarts: 2 },
      { norm: "linf", epsilon: 2, alpha: 1, randomStart: false },
    ] as const)
      for (const to of ["any", dense.wanted]) {
        const plans: { queries: number }[] = [];
        const onPlan = (plan: { queries: number }) => plans.push(plan);
        const { queries } = await attack(pgd, model, picture, { ...options, to, onPlan } as object);
        expect(queries).toBeLessThanOrEqual(plans[0]!.queries);
      }
  });
  it("random starts stay within epsilon, and repeat", async () => {
    for (const norm of ["linf", "l2"] as const) {
      const options = { norm, epsilon: norm === "linf" ? 3 : 90, alpha: 0.001, steps: 1, seed: 5 };
      const result = await attack(pgd, model, picture, options);
      expect(result.distance.max).toBeLessThanOrEqual(norm === "linf" ? 3 : 90);
      expect(result.distance.l2).toBeGreaterThan(0);
      expect((await attack(pgd, model, picture, options)).attacked).toEqual(result.attacked);
    }
  });
});

describe("a network with one output unit", () => {
  it("is two classes: each can be wanted, and gradients point the right way", async () => {
    const model = await keep(openModel("cats-and-dogs"));
    const { picture } = await openImage(await embeddedPhotograph());
    const { seen } = model.prepare(picture);
    const result = await attack(pgd, model, seen, { epsilon: 4 });
    expect([result.success, result.before.label, result.after.label]).toEqual([true, "cat", "dog"]);
    const wanted = await attack(pgd, model, seen, { epsilon: 4, to: "dog" });
    expect([wanted.success, wanted.after.label]).toEqual([true, "dog"]);
    const step = await attack(fgsm, model, seen, { epsilon: 1 });
    expect(step.margin.after).toBeLessThan(step.margin.before);
  });
});
