/** Every method of the registry keeps the contract: what it declares, what it gives, that it gives it again. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ConvlensError } from "../../src/core/errors.ts";
import { toJson } from "../../src/core/json.ts";
import type { Tensor } from "../../src/core/tensor.ts";
import { type Method, methods, resolveOptions } from "../../src/methods/index.ts";
import type { Model } from "../../src/model/model.ts";
import { embeddedPhotograph, openImage, openModel } from "../../src/node.ts";

interface Subject {
  readonly model: Model;
  readonly feeds: Tensor;
}
let subjects: readonly Subject[];

/** Options that cut long work short here: what it finds has tests of its own. */
const contract: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  visualize: { steps: 2, size: [64], channels: [0, 1] },
};

beforeAll(async () => {
  const { picture } = await openImage(await embeddedPhotograph());
  const models = await Promise.all(["cats-and-dogs", "cifar10"].map((id) => openModel(id)));
  subjects = models.map((model) => ({ model, feeds: model.prepare(picture).tensor }));
});
afterAll(() => Promise.all(subjects.map(({ model }) => model.release())));

/** The first embedded network that a method applies to. */
function subjectOf(method: Method): Subject {
  const found = subjects.find(({ model }) => method.applies(model) === undefined);
  if (!found) throw new Error(`${method.id} applies to no embedded network`);
  return found;
}

it("ids are unique and plain", () => {
  const ids = methods.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^[a-z][a-z0-9-]*$/);
  expect(ids).toEqual(expect.arrayContaining(["summary", "predict", "activations", "filters", "sparsity"]));
});

describe.each(methods.map((method) => [method.id, method] as const))("%s", (_, method: Method) => {
  it("declares itself and its options", () => {
    for (const text of [method.title, method.summary]) expect(text.length).toBeGreaterThan(4);
    expect(method.summary).toMatch(/\.$/);
    for (const [name, spec] of Object.entries(method.options)) {
      expect(name).toMatch(/^[a-z][A-Za-z0-9]*$/);
      expect(spec.help.length).toBeGreaterThan(4);
      // Defaults are values the option can take.
      expect(resolveOptions({ [name]: spec })).toEqual({ [name]: spec.default });
    }
  });

  it("gives its kind of result, with its making, the same twice", async () => {
    const { model, feeds } = subjectOf(method);
    const input = method.needs.includes("image") ? { feeds, name: "chelsea.png" } : {};
    const search = "maxQueries" in method.options ? { maxQueries: 60, batch: 20 } : {};
    const short: Readonly<Record<string, unknown>> = contract[method.id] ?? search;
    const result = await method.run(model, input, short);
    expect(result.kind).toBe(method.kind);
    expect(result.origin).toMatchObject({
      method: method.id,
      model: { name: model.name, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      engine: expect.stringContaining("onnxruntime"),
    });
    expect(Object.keys(result.origin.options)).toEqual(Object.keys(method.options));
    const text = JSON.stringify(toJson(result));
    expect(text.startsWith(`{"version":1,"kind":"${method.kind}"`)).toBe(true);
    expect(JSON.stringify(toJson(await method.run(model, input, short)))).toBe(text);
  });

  it("asks for its input and refuses values its options cannot take", async () => {
    const { model, feeds } = subjectOf(method);
    if (method.needs.includes("image"))
      await expect(method.run(model, {})).rejects.toMatchObject({ code: "option-invalid" });
    for (const [name, spec] of Object.entries(method.options)) {
      const wrong = spec.type === "list" ? "no list" : spec.type === "string" ? 7 : Number.NaN;
      await expect(method.run(model, { feeds }, { [name]: wrong })).rejects.toMatchObject({ code: "option-invalid" });
    }
  });

  it("refuses by name a network it cannot look into", async () => {
    const { model, feeds } = subjectOf(method);
    const closed: Model = { ...model, opaque: "it has a Loop" };
    if (!method.needs.includes("graph")) return expect(method.applies(closed)).toBeUndefined();
    expect(method.applies(closed)).toContain("it has a Loop");
    const refused = method.run(closed, { feeds });
    await expect(refused).rejects.toBeInstanceOf(ConvlensError);
    await expect(refused).rejects.toMatchObject({
      code: "model-unsupported",
      message: expect.stringContaining(method.id),
    });
  });
});

describe("options", () => {
  const specs = {
    count: { type: "integer", default: 3, min: 1, max: 9, help: "how many" },
    share: { type: "number", default: 0.5, min: 0, max: 1, help: "how much" },
    way: { type: "choice", default: "up", choices: ["up", "down"], help: "where" },
    loud: { type: "boolean", default: false, help: "whether" },
  } as const;

  it("take defaults, keep what is given, leave out what is no option", () => {
    const given = { count: 4, signal: new AbortController().signal };
    expect(resolveOptions(specs, given)).toEqual({ count: 4, share: 0.5, way: "up", loud: false });
  });

  it.each([
    [{ count: 0 }, /"count" is 0; it must lie between 1 and 9/],
    [{ count: 2.5 }, /whole number/],
    [{ share: "0.5" }, /must be a number/],
    [{ share: 1.01 }, /between 0 and 1/],
    [{ way: "left" }, /one of up, down/],
    [{ loud: "yes" }, /must be a boolean/],
  ])("refuse %j", (given, message) => {
    expect(() => resolveOptions<Record<string, unknown>>(specs, given)).toThrow(message);
  });
});
