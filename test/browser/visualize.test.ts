/**
 * Gradient ascent in headless Chromium on WASM draws what it draws in Node: after 20 steps each number of a picture is
 * within 1e-2 of the picture's range.
 */
import { readFileSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { visualize } from "../../src/methods/index.ts";
import { openModel } from "../../src/node.ts";
import { chromiumFlags, chromiumPath } from "./chromium.ts";
import { servePackage } from "./serve.ts";

declare global {
  interface Window {
    visualize: typeof visualize;
  }
}

const network = "cats-and-dogs";
const jobs = {
  lucid: { layer: "conv2d_1", channels: [3, 9], size: [48], steps: 20 },
  chollet: { layer: "conv2d_1", channels: [3, 9], size: [48], steps: 20, preset: "chollet" },
  class: { targets: ["dog"], steps: 20 },
} as const;

describe.skipIf(!chromiumPath)("gradient ascent in Chromium", () => {
  let site: Awaited<ReturnType<typeof servePackage>>;
  let browser: Browser;
  beforeAll(async () => {
    const card = `${network}.card.json`;
    site = await servePackage({
      [`networks/${network}.onnx`]: readFileSync(`models/${network}.onnx`),
      [`networks/${card}`]: readFileSync(`models/${card}`),
    });
    browser = await chromium.launch({ executablePath: chromiumPath!, args: [...chromiumFlags] });
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  it.each(Object.entries(jobs))("%s", async (name, options) => {
    const page = await browser.newPage();
    await page.goto(site.url);
    const content = 'import { visualize } from "convlens"; window.visualize = visualize;';
    await page.addScriptTag({ type: "module", content });
    await page.waitForFunction(() => window.convlens !== undefined && window.visualize !== undefined);
    const theirs = await page.evaluate(
      async ({ network, options }) => {
        const model = await window.convlens.openModel(`networks/${network}.onnx`);
        const { images } = await window.visualize.run(model, {}, options);
        await model.release();
        return images.map(({ values }) => [...values.data]);
      },
      { network, options },
    );
    const model = await openModel(network);
    const { images } = await visualize.run(model, {}, options);
    await model.release();
    const begin = await startOf(options);
    for (const [n, { values }] of images.entries()) {
      const span = Math.max(...values.data) - Math.min(...values.data);
      const off = (other: ArrayLike<number>): number[] =>
        Array.from(values.data, (x, i) => Math.abs(x - other[i]!) / Math.max(1, span));
      const most = (all: readonly number[]): number => all.reduce((a, b) => Math.max(a, b), 0);
      expect(theirs[n]).toHaveLength(values.data.length);
      expect(most(off(theirs[n]!)), name).toBeLessThan(1e-2);
      // It moved, so that being alike says something.
      expect(most(off(begin[n]!))).toBeGreaterThan(0.1);
    }
    await page.close();
  });
});

/** The noise that a run starts from, after one step that is as good as none. */
async function startOf(options: object): Promise<readonly Float32Array[]> {
  const model = await openModel(network);
  const { images } = await visualize.run(model, {}, { ...options, steps: 1, rate: 1e-6 });
  await model.release();
  return images.map(({ values }) => values.data);
}
