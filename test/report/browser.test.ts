/** The real report of the embedded network in a real browser: quiet, self-contained, usable by keyboard and on a phone. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { embeddedPhotograph, openImage, openModel } from "../../src/node.ts";
import { makeReport } from "../../src/report/index.ts";
import { chromiumFlags, chromiumPath } from "../browser/chromium.ts";
import { fakeModel, fakePicture } from "./fake.ts";

vi.setConfig({ testTimeout: 60_000 });

describe.skipIf(!chromiumPath)("the report in Chromium", () => {
  const folder = mkdtempSync(join(tmpdir(), "convlens-report-"));
  let browser: Browser;
  let url: string;
  let sections: readonly string[];
  let notes: readonly string[];
  let size: number;

  beforeAll(async () => {
    const path = await embeddedPhotograph();
    const model = await openModel("cats-and-dogs");
    const bytes = new Uint8Array(await readFile(path));
    const { picture, name } = await openImage(bytes);
    // A slow machine would leave sections out.
    const options = { command: "convlens report", budget: 3_600_000 };
    const report = await makeReport(model, { picture, name, bytes }, options);
    await model.release();
    sections = report.sections;
    notes = report.notes;
    size = Buffer.byteLength(report.html);
    url = save("report.html", report.html);
    browser = await chromium.launch({ executablePath: chromiumPath!, args: [...chromiumFlags] });
  }, 300_000);

  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });

  function save(name: string, html: string): string {
    writeFileSync(join(folder, name), html);
    return pathToFileURL(join(folder, name)).href;
  }

  /** Opens a page, does something with it, and gives what it complained of and asked for. */
  async function visit(
    address: string,
    options: BrowserContextOptions,
    act: (page: Page) => Promise<void>,
  ): Promise<{ readonly complaints: string[]; readonly requests: string[] }> {
    const context = await browser.newContext(options);
    const complaints: string[] = [];
    const requests: string[] = [];
    try {
      const page = await context.newPage();
      page.on("console", (message) => complaints.push(message.text()));
      page.on("pageerror", (error) => complaints.push(error.message));
      page.on("request", (request) => {
        if (!request.url().startsWith("data:")) requests.push(request.url());
      });
      await page.goto(address);
      await act(page);
    } finally {
      await context.close();
    }
    return { complaints, requests };
  }

  const wide = { viewport: { width: 1280, height: 800 } };

  test("all sections are there, every picture is drawn, and the console and the network stay silent", async () => {
    expect(size).toBeLessThan(6_000_000);
    // Several methods say it, some with more behind it; the page says it once.
    expect(notes.filter((note) => note.startsWith("the score explained is the logit"))).toHaveLength(1);
    const { complaints, requests } = await visit(url, wide, async (page) => {
      expect(await page.locator("main > section").evaluateAll((all) => all.map((s) => s.id))).toEqual(sections);
      // Under each picture made from noise stands what it reached, all of it to be read.
      const reached = await page.locator("#visualize .under").allInnerTexts();
      expect(reached.length).toBeGreaterThan(2);
      for (const text of reached)
        expect(text).toMatch(/^\S+\s+(dead|reached .+|probability 0|probability 1|.+ × photograph)/);
      const cut = await page
        .locator("#visualize .under")
        .evaluateAll((all) => all.filter((one) => one.scrollWidth > one.clientWidth + 1).length);
      expect(cut).toBe(0);
      const broken = await page
        .locator("main img")
        .evaluateAll((all) => all.filter((i) => (i as HTMLImageElement).naturalWidth === 0).length);
      expect(broken).toBe(0);
      expect(await page.locator(".sheet[data-beside]").count()).toBe(8);
      expect(await page.locator(".sheet[data-beside]").first().locator("button").count()).toBe(32);
      const unnamed = await page.locator("main img:not([alt]), main img[alt='']").count();
      expect(unnamed).toBe(0);
      const headings = await page
        .locator("h1, h2, h3")
        .evaluateAll((all) => all.map((h) => Number(h.tagName.slice(1))));
      expect(headings[0]).toBe(1);
      for (const [i, level] of headings.entries()) expect(level - (headings[i - 1] ?? 0)).toBeLessThanOrEqual(1);
    });
    expect(complaints).toEqual([]);
    expect(requests).toEqual([url]);
  });

  test("the number of a channel shows under the pointer, its values below the sheet", async () => {
    await visit(url, wide, async (page) => {
      const sheet = page.locator(".sheet[data-beside]").first();
      const tile = sheet.locator("button").nth(17);
      await tile.hover();
      expect(await tile.evaluate((t) => getComputedStyle(t, "::after").content)).toBe('"17"');
      expect(
        await sheet
          .locator("button")
          .nth(16)
          .evaluate((t) => getComputedStyle(t, "::after").content),
      ).toBe("none");
      await expect
        .poll(() => page.locator(".layer .status").first().textContent())
        .toMatch(/^channel 17: mean .*zeros/);
    });
  });

  test("by keyboard: skip link, one tab stop a sheet, arrows, the enlarged view and back", async () => {
    const { complaints } = await visit(url, wide, async (page) => {
      const focused = (): Promise<string> => page.evaluate(() => document.activeElement!.outerHTML.slice(0, 120));
      await page.keyboard.press("Tab");
      expect(await focused()).toContain('href="#report"');
      await page.keyboard.press("Enter");
      expect(await focused()).toContain('<main id="report"');

      const sheet = page.locator(".sheet[data-beside]").first();
      await sheet.locator("button").first().focus();
      await page.keyboard.press("ArrowRight");
      expect(await focused()).toContain('data-channel="1"');
      await page.keyboard.press("ArrowDown");
      expect(await focused()).toContain('data-channel="9"');
      await page.keyboard.press("Tab");
      expect(await focused()).toContain('data-channel="0"');
      await page.keyboard.press("Shift+Tab");
      expect(await focused()).toContain('data-channel="9"');

      const title = page.locator("dialog h2");
      await page.keyboard.press("Enter");
      expect(await title.textContent()).toBe("conv2d · channel 9 (0 to 31)");
      await page.keyboard.press("ArrowRight");
      await page.keyboard.press("ArrowRight");
      expect(await title.textContent()).toBe("conv2d · channel 11 (0 to 31)");
      await page.keyboard.press("ArrowDown");
      expect(await title.textContent()).toBe("max_pooling2d · channel 11 (0 to 31)");
      const scale = (): Promise<string> => page.locator('[data-part="picture"]').evaluate((i) => i.style.transform);
      await page.keyboard.press("+");
      expect(await scale()).toContain("scale(1.5)");
      const before = await scale();
      await page.keyboard.press("Shift+ArrowRight");
      expect(await scale()).not.toBe(before);
      await page.keyboard.press("Escape");
      expect(await page.locator("dialog").evaluate((d) => (d as HTMLDialogElement).open)).toBe(false);
      expect(await focused()).toContain('data-channel="11"');
    });
    expect(complaints).toEqual([]);
  });

  /** A small picture of what an element looks like. */
  const look = async (page: Page, selector: string): Promise<string> =>
    (await page.locator(selector).screenshot({ animations: "disabled" })).toString("base64");

  test("the opacity slider and the method picker change the pixels of heat maps, by keyboard too", async () => {
    const { complaints } = await visit(url, wide, async (page) => {
      for (const section of ["classes", "depth", "pixels"]) {
        const figure = `#${section} .maps:not([hidden]) .overlay >> nth=0`;
        const slider = page.locator(`#${section} input[type="range"]`);
        const full = await look(page, figure);
        await slider.focus();
        for (let i = 0; i < 10; i++) await page.keyboard.press("ArrowLeft");
        expect(await page.locator(`#${section} output`).textContent()).toBe("50 %");
        const half = await look(page, figure);
        await page.keyboard.press("Home");
        const none = await look(page, figure);
        expect(new Set([full, half, none]).size).toBe(3);
        await page.keyboard.press("End");
        expect(await look(page, figure)).toBe(full);
      }
      const shown = page.locator("#pixels .maps:not([hidden])");
      expect(await shown.count()).toBe(1);
      const gradient = await look(page, "#pixels .maps:not([hidden]) .overlay svg");
      await page.locator("#pixels input[type=radio]").first().focus();
      await page.keyboard.press("ArrowRight");
      expect(await shown.getAttribute("data-method")).toBe("ig");
      const integrated = await look(page, "#pixels .maps:not([hidden]) .overlay svg");
      expect(integrated).not.toBe(gradient);
      await page.locator("#pixels label", { hasText: "Gradient" }).first().click();
      expect(await shown.getAttribute("data-method")).toBe("gradient");
      expect(await look(page, "#pixels .maps:not([hidden]) .overlay svg")).toBe(gradient);
    });
    expect(complaints).toEqual([]);
  });

  test("heat maps say in words what they show, and the photograph below them is drawn", async () => {
    await visit(url, wide, async (page) => {
      const labels = await page
        .locator(".overlay svg")
        .evaluateAll((all) => all.map((s) => s.getAttribute("aria-label")));
      expect(labels.length).toBeGreaterThan(6);
      for (const label of labels) expect(label).toMatch(/ for (cat|dog): (strongest at .* from the left|blank)/);
      for (const section of ["classes", "depth", "pixels"]) {
        await page.locator(`#${section} .slider input`).fill("0");
        const bytes = await page.locator(`#${section} .maps:not([hidden]) .overlay svg >> nth=0`).screenshot();
        // A flat picture would pack to next to nothing.
        expect(bytes.length).toBeGreaterThan(10_000);
      }
    });
  });

  test("on a phone nothing is wider than the screen, and a tap enlarges", async () => {
    const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };
    await visit(url, phone, async (page) => {
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
      await page.locator(".sheet[data-beside] button").first().tap();
      expect(await page.locator("dialog").evaluate((d) => d.scrollWidth)).toBe(360);
      await page.locator('dialog [data-part="close"]').tap();
      expect(await page.locator("dialog").isVisible()).toBe(false);
    });
  });

  test("an attack can be read on a phone: its words are text of the page, its pictures stand two in a row", async () => {
    await visit(url, { viewport: { width: 390, height: 844 }, isMobile: true }, async (page) => {
      const attack = page.locator("#attack");
      expect(await attack.locator(".tile").count()).toBe(3);
      const boxes = await attack.locator(".tile img").evaluateAll((all) => all.map((e) => e.getBoundingClientRect()));
      for (const { width } of boxes) expect(width).toBeGreaterThan(140);
      expect([boxes[1]!.top - boxes[0]!.top, Math.sign(boxes[2]!.top - boxes[0]!.top)]).toEqual([0, 1]);
      expect(await attack.locator(".tile .under").first().textContent()).toBe("original");
      expect(await attack.locator("tbody td:nth-of-type(1)").allTextContents()).toContain("after");
      const smallest = await attack
        .locator("p, td, th, .under")
        .evaluateAll((all) => Math.min(...all.map((e) => Number.parseFloat(getComputedStyle(e).fontSize))));
      expect(smallest).toBeGreaterThanOrEqual(12);
      const room = await attack.locator(".scroll").evaluate((e) => e.scrollWidth - e.clientWidth);
      expect(room).toBe(0);
    });
  });

  test("light and dark differ, and text can be read in both", async () => {
    const papers = new Set<string>();
    for (const colorScheme of ["light", "dark"] as const)
      await visit(url, { ...wide, colorScheme }, async (page) => {
        papers.add(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
        const texts = "h1, h2, p, a, th, td, .soft, .eyebrow, .status, dt, dd, pre, code, figcaption, .under";
        const worst = await page.locator(texts).evaluateAll((all) => {
          const parse = (color: string): number[] => color.match(/[\d.]+/g)!.map(Number);
          const light = (color: string): number => {
            const [r, g, b] = parse(color).map((c) =>
              c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4,
            );
            return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
          };
          const paper = (element: Element | null): string => {
            for (let e = element; e; e = e.parentElement) {
              const color = getComputedStyle(e).backgroundColor;
              if (parse(color)[3] !== 0) return color;
            }
            return "rgb(255, 255, 255)";
          };
          const ratios = all
            .filter((e) => e.closest("dialog") === null)
            .map((e) => {
              const [a, b] = [light(getComputedStyle(e).color), light(paper(e))];
              return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
            });
          return Math.min(...ratios);
        });
        expect(worst).toBeGreaterThan(4.5);
      });
    expect(papers.size).toBe(2);
  });

  test("without scripts the pictures are there, and hints about keys are not", async () => {
    await visit(url, { ...wide, javaScriptEnabled: false }, async (page) => {
      expect(await page.locator(".sheet[data-beside] img").first().isVisible()).toBe(true);
      expect(await page.locator(".js-only").first().isVisible()).toBe(false);
      // Without the picker the maps of all methods stand below each other, each under its name.
      expect(await page.locator("#pixels .maps").count()).toBe(2);
      for (const maps of await page.locator("#pixels .maps").all()) {
        expect(await maps.isVisible()).toBe(true);
        expect(await maps.locator("h3").isVisible()).toBe(true);
      }
      await page.locator(".sheet[data-beside] button").nth(5).hover();
    });
  });

  test("on paper there is no contents list and nothing scrolls", async () => {
    await visit(url, wide, async (page) => {
      await page.emulateMedia({ media: "print" });
      expect(await page.locator("nav.contents").isVisible()).toBe(false);
      // What the picker says on a screen, the heading says on paper.
      expect(await page.locator("#pixels .controls").isVisible()).toBe(false);
      expect(await page.locator("#pixels .maps:not([hidden]) h3").isVisible()).toBe(true);
      expect(
        await page
          .locator(".scroll")
          .first()
          .evaluate((s) => getComputedStyle(s).overflowX),
      ).toBe("visible");
    });
  });

  test("hostile names run nothing", async () => {
    const evil = `"'><img src=x onerror=alert(1)></script><script>alert(2)</script><!-- ${"long".repeat(60)}`;
    const model = fakeModel({ name: evil, labels: [evil, "b"], layerNames: [evil, `${evil}1`, `${evil}2`] });
    const report = await makeReport(
      { ...model, notes: [evil], description: evil },
      { picture: fakePicture(30, 20), name: evil },
      { command: evil, versions: { [evil]: evil } },
    );
    const address = save("hostile.html", report.html);
    const { complaints, requests } = await visit(address, { viewport: { width: 360, height: 740 } }, async (page) => {
      await page.locator(".sheet[data-beside] button").first().click();
      expect(await page.locator("dialog h2").textContent()).toBe(`${evil} · channel 0 (0 to 3)`);
      expect(await page.locator("script").count()).toBe(1);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    });
    expect(complaints).toEqual([]);
    expect(requests).toEqual([address]);
  });
});
