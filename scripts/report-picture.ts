/** Draws docs/pictures/report.png: the top of the demo report in Chromium. Run after `npm run build`. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { chromiumFlags, chromiumPath } from "../test/browser/chromium.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "convlens-report-"));
const page = join(folder, "report.html");
execFileSync(process.execPath, [join(root, "dist/cli/main.js"), "report", "--out", page, "--quiet"]);
if (chromiumPath) {
  const browser = await chromium.launch({ executablePath: chromiumPath, args: [...chromiumFlags] });
  const tab = await browser.newPage({ viewport: { width: 1040, height: 1000 } });
  await tab.goto(pathToFileURL(page).href);
  await tab.screenshot({ path: join(root, "docs/pictures/report.png") });
  await browser.close();
}
rmSync(folder, { recursive: true });
