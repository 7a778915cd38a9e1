/** Explanations of miniature networks of each family against formulas over PyTorch's gradients (fixtures/networks). */
import { describe, expect, it } from "vitest";
import { float32 } from "../../src/core/tensor.ts";
import { methods } from "../../src/methods/index.ts";
import type { Method } from "../../src/methods/method.ts";
import type { Model } from "../../src/model/model.ts";
import { openModel } from "../../src/node.ts";
import {
  fixtureArray,
  fixtureFeeds,
  type NetworkFixture,
  networkFixtures,
  networkOptions,
  networkPath,
  picture,
  relativeError,
} from "../fixtures/networks/read.ts";

const tolerance = 1e-4;
const arrays = [...new Set(networkFixtures.flatMap((fixture) => Object.keys(fixture.arrays)))];
const methodOf = (array: string): Method | undefined => methods.find(({ id }) => id === array.replace(/-signed$/, ""));

/** A method's raw numbers for one picture and its class, at the layer that Convlens chooses. */
async function explain(model: Model, method: Method, fixture: NetworkFixture, index: number, signed: boolean) {
  const options = { target: fixture.classes[index]!, ...("signed" in method.options ? { signed } : {}) };
  const result = await method.run(model, { feeds: fixtureFeeds(fixture, index) }, options);
  if (result.kind === "map") return result.map;
  if (result.kind === "attribution") return result.values;
  throw new Error(`${method.id} gives a ${result.kind}`);
}

/** What make.py says; principal components have no sign, so theirs is taken from `like`. */
function expected(fixture: NetworkFixture, array: string, index: number, like: Float32Array): Float32Array {
  const { data } = picture(fixtureArray(fixture, array)!, index);
  if (!array.startsWith("eigen")) return data;
  return data.reduce((sum, x, i) => sum + x * like[i]!, 0) < 0 ? data.map((x) => -x) : data;
}

// A score for each pixel has no class to explain.
const classifiers = networkFixtures.filter(({ maps }) => !maps);

describe.each(classifiers.map((fixture) => [fixture.name, fixture] as const))("%s", (_, fixture) => {
  const found = arrays.filter((array) => fixture.arrays[array] && methodOf(array));
  it(`${found.join(", ")}`, async () => {
    const model = await openModel(networkPath(fixture), networkOptions(fixture));
    const errors: Record<string, number> = {};
    for (const array of found)
      for (const index of [0, 1]) {
        const { data } = await explain(model, methodOf(array)!, fixture, index, array.endsWith("-signed"));
        errors[`${array} ${index}`] = relativeError(data, expected(fixture, array, index, data));
      }
    await model.release();
    expect(Object.entries(errors).filter(([, error]) => !(error < tolerance))).toEqual([]);
  });

  it("gradient times input is the product", async () => {
    const model = await openModel(networkPath(fixture), networkOptions(fixture));
    const method = methods.find(({ id }) => id === "gradient-x-input")!;
    const { data } = await explain(model, method, fixture, 0, false);
    const gradient = picture(fixtureArray(fixture, "gradient")!, 0).data;
    const input = picture(fixtureArray(fixture, "input")!, 0).data;
    expect(
      relativeError(
        data,
        float32(
          [data.length],
          gradient.map((g, i) => g * input[i]!),
        ).data,
      ),
    ).toBeLessThan(tolerance);
    await model.release();
  });
});

it("every array that is named like a method has one", () => {
  const data = ["input", "numbers", "logits", "numbersGradient", "activation", "layerGradient"];
  expect(arrays.filter((array) => !data.includes(array) && !methodOf(array))).toEqual([]);
});
