/** The example page does what a reader of its source would expect. */
import { fileURLToPath } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chromiumFlags, chromiumPath } from "./chromium.ts";
import { servePackage } from "./serve.ts";

const photograph = fileURLToPath(new URL("../../models/photographs/chelsea.png", import.meta.url));

describe.skipIf(!chromiumPath)("examples/page.html", () => {
  let site: Awaited<ReturnType<typeof servePackage>>;
  let browser: Browser;
  beforeAll(async () => {
    site = await servePackage({});
    browser = await chromium.launch({ executablePath: chromiumPath!, args: [...chromiumFlags] });
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  test("answers a photograph, draws a layer, and says what is wrong with a file that is none", async () => {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.goto(`${site.url}examples/page.html`);
    const answer = page.getByRole("status");
    await answer.getByText("Choose a photograph").waitFor();
    await page.getByLabel("A photograph").setInputFiles(photograph);
    await answer.getByText(/^cat \d+\.\d %, dog/).waitFor();
    const colours = await page.evaluate(() => {
      const canvas = document.querySelector("canvas")!;
      const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
      return new Set(new Uint32Array(data.buffer)).size;
    });
    expect(colours).toBeGreaterThan(100);

    await page.getByLabel("A photograph").setInputFiles({ name: "x.png", mimeType: "", buffer: Buffer.from("hello") });
    await answer.getByText(/x\.png/).waitFor();
    expect(complaints).toEqual([]);
  });
});
