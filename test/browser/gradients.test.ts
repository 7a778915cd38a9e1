/** Gradients of the miniature networks (fixtures/networks) in headless Chromium on WASM are PyTorch's. */
import { readFileSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Target } from "../../src/model/model.ts";
import type * as web from "../../src/web.ts";
import {
  fixtureArray,
  fixtureFeeds,
  networkFixtures,
  networkOptions,
  networkPath,
  relativeError,
} from "../fixtures/networks/read.ts";
import { chromiumFlags, chromiumPath } from "./chromium.ts";
import { servePackage } from "./serve.ts";

declare global {
  interface Window {
    convlens: typeof web;
  }
}

describe.skipIf(!chromiumPath)("gradients in Chromium", () => {
  let site: Awaited<ReturnType<typeof servePackage>>;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    const files = networkFixtures.map(
      (fixture) => [`networks/${fixture.name}.onnx`, readFileSync(networkPath(fixture))] as const,
    );
    site = await servePackage(Object.fromEntries(files));
    browser = await chromium.launch({ executablePath: chromiumPath!, args: [...chromiumFlags] });
    page = await browser.newPage();
    await page.goto(site.url);
    await page.waitForFunction(() => window.convlens !== undefined);
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  it.each(networkFixtures.map((fixture) => [fixture.name, fixture] as const))("%s", async (name, fixture) => {
    const feeds = Object.entries(fixtureFeeds(fixture)).map(([key, { dims, data }]) => ({
      key,
      dims,
      data: [...data],
    }));
    const { classes, maps } = fixture;
    const rows = await page.evaluate(
      async ({ name, options, feeds, classes, maps }) => {
        const model = await window.convlens.openModel(`networks/${name}.onnx`, options);
        const targets = classes.map((index): Target => {
          if (!maps) return { class: index };
          // The mean over all places of one class's map.
          return {
            label: "mean",
            score: (emit, { logits }) => {
              const one = emit.op("Gather", [logits, emit.ints([index])], { axis: { kind: "int", value: 1 } });
              return emit.reshape(emit.mean(one, [2, 3]), [-1]);
            },
          };
        });
        const tensors = feeds.map(({ key, dims, data }) => [
          key,
          { type: "float32", dims, data: new Float32Array(data) } as const,
        ]);
        const { targets: found } = await model.gradient(Object.fromEntries(tensors), { targets });
        await model.release();
        return found.map(({ gradients }, i) => {
          const { data } = gradients.input!;
          return [...data.subarray((i * data.length) / 2, ((i + 1) * data.length) / 2)];
        });
      },
      { name, options: networkOptions(fixture), feeds, classes, maps },
    );
    expect(relativeError(rows.flat(), fixtureArray(fixture, "gradient")!.data)).toBeLessThan(1e-4);
  });
});
