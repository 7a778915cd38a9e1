/** Finds a Chromium for the browser tests, which skip with a notice where there is none. */
import { existsSync } from "node:fs";

const places = [
  process.env.CHROME_PATH,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** The browser's path, or `undefined` (said once). */
export const chromiumPath: string | undefined = places.find((place) => place !== undefined && existsSync(place));
if (!chromiumPath) console.warn("skipped: no Chromium found (set CHROME_PATH to run the browser tests)");

/** Headless, silent and without any request of the browser's own. */
export const chromiumFlags: readonly string[] = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
