/** Gradients of miniature networks of each family against PyTorch's (fixtures/networks/make.py), and against themselves. */
import { afterAll, describe, expect, it } from "vitest";
import { deconvnet, guided } from "../../src/autodiff/overlays/rectifiers.ts";
import { float32, transpose } from "../../src/core/tensor.ts";
import type { Gradients, Model } from "../../src/model/model.ts";
import { openModel } from "../../src/node.ts";
import {
  fixtureArray,
  fixtureFeeds,
  fixtureTarget,
  type NetworkFixture,
  networkFixtures,
  networkOptions,
  networkPath,
  picture,
  relativeError,
} from "../fixtures/networks/read.ts";

const tolerance = 1e-4;

/** A network and its gradients for both classes at once, worked out on first use. */
function lazy(fixture: NetworkFixture): { model: () => Promise<Model>; both: () => Promise<Gradients> } {
  let model: Promise<Model> | undefined;
  let both: Promise<Gradients> | undefined;
  const open = (): Promise<Model> => {
    model ??= openModel(networkPath(fixture), networkOptions(fixture));
    return model;
  };
  afterAll(async () => (await model?.catch(() => undefined))?.release());
  return {
    model: open,
    both: () => {
      both ??= open().then((network) => differentiate(network, fixture, fixture.classes));
      return both;
    },
  };
}

const inputsOf = (fixture: NetworkFixture): string[] => Object.keys(fixtureFeeds(fixture));

function differentiate(
  model: Model,
  fixture: NetworkFixture,
  classes: readonly number[],
  index?: number,
): Promise<Gradients> {
  const value = fixture.camLayer.value;
  return model.gradient(fixtureFeeds(fixture, index), {
    targets: classes.map((c) => fixtureTarget(fixture, c)),
    wrt: [...inputsOf(fixture), value],
    outputs: [value],
  });
}

/** The gradient that make.py stores: picture 0 by the first class, picture 1 by the second. */
function diagonal({ targets }: Gradients, name: string): number[] {
  return targets.flatMap(({ gradients }, i) => [...picture(gradients[name]!, i).data]);
}

describe.each(networkFixtures.map((fixture) => [fixture.name, fixture] as const))("%s", (_, fixture) => {
  const { model, both } = lazy(fixture);
  const value = fixture.camLayer.value;
  const expected = (name: string): Float32Array => fixtureArray(fixture, name)!.data;

  it("scores are PyTorch's", async () => {
    const logits = fixtureArray(fixture, "logits")!;
    const classes = logits.dims[1]!;
    for (const [k, { scores }] of (await both()).targets.entries()) {
      const column = [0, 1].map((i) => logits.data[i * classes + fixture.classes[k]!]!);
      expect(relativeError(scores, column)).toBeLessThan(tolerance);
    }
  });

  it("the gradient by the input is PyTorch's", async () => {
    const found = await both();
    for (const [name, array] of [
      ["input", "gradient"],
      ["numbers", "numbersGradient"],
    ] as const) {
      if (!fixture.arrays[array]) continue;
      expect(found.targets[0]!.gradients[name]!.dims).toEqual(fixture.arrays[array].shape);
      expect(relativeError(diagonal(found, name), expected(array))).toBeLessThan(tolerance);
    }
  });

  it("the gradient by the CAM layer, and its activation, are PyTorch's", async () => {
    const found = await both();
    const { sourceLayout } = await model();
    for (const [name, data] of [
      ["layerGradient", diagonal(found, value)],
      ["activation", found.values[value]!.data],
    ] as const) {
      const theirs = fixtureArray(fixture, name)!;
      // A network that takes N, H, W, C gives its layers so.
      const wanted = sourceLayout === "NHWC" ? transpose(theirs, [0, 2, 3, 1]) : theirs;
      expect(found.values[value]!.dims).toEqual(wanted.dims);
      expect(relativeError(data, wanted.data as Float32Array)).toBeLessThan(tolerance);
    }
  });

  it("one picture and one class give what two at once give", async () => {
    const together = await both();
    for (const index of [0, 1]) {
      const alone = await differentiate(await model(), fixture, [fixture.classes[index]!], index);
      for (const name of [...inputsOf(fixture), value]) {
        const row = picture(together.targets[index]!.gradients[name]!, index).data;
        expect(relativeError(alone.targets[0]!.gradients[name]!.data, row)).toBeLessThan(1e-5);
      }
    }
  });

  it("the gradient by the layer alone is the same, and so is that by a layer's name", async () => {
    const network = await model();
    const layer = (await network.layers()).find(({ output }) => output === value)!;
    const alone = await network.gradient(fixtureFeeds(fixture), {
      targets: [fixtureTarget(fixture, fixture.classes[0])],
      wrt: [layer.name],
    });
    const wanted = (await both()).targets[0]!.gradients[value]!.data;
    expect(relativeError(alone.targets[0]!.gradients[layer.name]!.data, wanted)).toBeLessThan(1e-5);
  });

  it("the score rises along its gradient as steeply as the gradient says", async () => {
    const network = await model();
    const target = fixtureTarget(fixture, fixture.classes[0]);
    const feeds = fixtureFeeds(fixture, 0);
    const slope = picture((await both()).targets[0]!.gradients.input!, 0).data;
    const length = Math.hypot(...slope);
    // Small: the score of a network of rectifiers bends every few thousandths.
    const step = 1 / 4096;
    const score = async (way: number): Promise<number> => {
      const moved = feeds.input!.data.map((x, i) => x + (way * step * slope[i]!) / length);
      const at = { ...feeds, input: float32(feeds.input!.dims, moved) };
      return (await network.gradient(at, { targets: [target] })).targets[0]!.scores[0]!;
    };
    const rise = ((await score(1)) - (await score(-1))) / (2 * step);
    expect(Math.abs(rise / length - 1)).toBeLessThan(0.02);
  });

  it.runIf(fixture.arrays["guided-backprop"])("guided backpropagation and deconvnet are PyTorch's", async () => {
    const network = await model();
    const targets = fixture.classes.map((c) => fixtureTarget(fixture, c));
    for (const [overlay, array] of [
      [guided, "guided-backprop"],
      [deconvnet, "deconvnet"],
    ] as const) {
      const found = await network.gradient(fixtureFeeds(fixture), { targets, overlay });
      expect(relativeError(diagonal(found, "input"), expected(array))).toBeLessThan(tolerance);
    }
  });
});

describe.each(["resnet-basic", "mobilenet-v1", "sigmoid", "lenet"])("targets of %s", (name) => {
  const fixture = networkFixtures.find((one) => one.name === name)!;
  const { model } = lazy(fixture);
  const feeds = fixtureFeeds(fixture);
  const logits = fixtureArray(fixture, "logits")!;
  const count = logits.dims[1]!;
  const rows = [0, 1].map((i) => logits.data.slice(i * count, (i + 1) * count));
  const classes = Array.from({ length: count }, (_, i) => i);
  /** Gradients of a picture by every class's logit. */
  const byClass = async (): Promise<Float32Array[][]> => {
    const { targets } = await (await model()).gradient(feeds, { targets: classes.map((c) => ({ class: c })) });
    return [0, 1].map((i) => targets.map(({ gradients }) => picture(gradients.input!, i).data));
  };
  const mixed = (parts: readonly Float32Array[], weights: readonly number[]): Float32Array =>
    parts[0]!.map((_, i) => parts.reduce((sum, part, k) => sum + part[i]! * weights[k]!, 0));

  it("the top class is each picture's own", async () => {
    const { targets } = await (await model()).gradient(feeds, { targets: [{ class: "top" }] });
    const tops = rows.map((row) => row.indexOf(Math.max(...row)));
    expect(targets[0]!.classes).toEqual(tops);
    const parts = await byClass();
    for (const [i, top] of tops.entries())
      expect(relativeError(picture(targets[0]!.gradients.input!, i).data, parts[i]![top]!)).toBeLessThan(1e-5);
  });

  it("a probability's gradient follows from those of all logits", async () => {
    const { targets } = await (await model()).gradient(feeds, {
      targets: classes.slice(0, 2).map((c) => ({ class: c, of: "probability" })),
    });
    const parts = await byClass();
    for (const [c, { gradients, scores }] of targets.entries())
      for (const [i, row] of rows.entries()) {
        // One sigmoid unit: the logits are z and -z, and its two probabilities the softmax of z/2 and -z/2.
        const scale = name === "sigmoid" ? 0.5 : 1;
        const powers = [...row].map((z) => Math.exp(z * scale));
        const total = powers.reduce((a, b) => a + b);
        const probabilities = powers.map((power) => power / total);
        expect(scores[i]).toBeCloseTo(probabilities[c]!, 5);
        const weights = probabilities.map((p, k) => scale * probabilities[c]! * ((k === c ? 1 : 0) - p));
        const wanted = mixed(parts[i]!, weights);
        expect(relativeError(picture(gradients.input!, i).data, wanted)).toBeLessThan(1e-3);
      }
  });

  it.skipIf(name === "sigmoid")("weights of classes mix their gradients", async () => {
    const weights = classes.map((c) => Math.sin(c + 1));
    const { targets } = await (await model()).gradient(feeds, { targets: [{ weights }] });
    const parts = await byClass();
    for (const i of [0, 1])
      expect(relativeError(picture(targets[0]!.gradients.input!, i).data, mixed(parts[i]!, weights))).toBeLessThan(
        1e-4,
      );
  });
});
