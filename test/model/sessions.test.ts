/** Which sessions a network makes, and whose threads spin. */
import { expect, it } from "vitest";
import type { Engine, EngineOptions, Platform } from "../../src/core/platform.ts";
import { float32 } from "../../src/core/tensor.ts";
import { openModel, platform } from "../../src/node.ts";

it("gradients that take turns with answers have a session of their own, whose threads sleep", async () => {
  const made: EngineOptions["spin"][] = [];
  const listening: Platform = {
    ...platform,
    engine: async (...asked) => {
      const engine = await platform.engine(...asked);
      const createSession: Engine["createSession"] = (of, options) => {
        made.push(options?.spin);
        return engine.createSession(of, options);
      };
      return { ...engine, createSession };
    },
  };
  const model = await openModel("cifar10", {}, listening);
  const picture = float32(
    [1, 3, 32, 32],
    Array.from({ length: 3072 }, (_, i) => Math.sin(i)),
  );
  const targets = [{ class: 3 }] as const;
  const ask = { targets, inTurns: true } as const;
  await model.predict(picture);
  const ordinary = await model.gradient(picture, { targets });
  const inTurns = await model.gradient(picture, ask);
  await model.gradient(picture, ask);
  expect(made).toEqual([undefined, undefined, false]);
  expect(inTurns).toEqual(ordinary);
  await model.release();
});
