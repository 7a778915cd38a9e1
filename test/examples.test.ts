/** Each example is a program that must run against the built package and say something. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const examples = fileURLToPath(new URL("../examples/", import.meta.url));
const expected: Record<string, { says: RegExp; writes: string[] }> = {
  "predict.ts": { says: /cat 0\.\d{3}\n[\s\S]*conv2d_3 1 x 15 x 15 x 128/, writes: [] },
  "gradient.ts": { says: /cat: score 5\.4[\s\S]*entropy 0\.2[\s\S]*cat 0\.96\d\d becomes cat 0\.99/, writes: [] },
  "gradcam-by-hand.ts": {
    says: /weights: 0\.40, 0\.80, 1\.30\n[\s\S]*heat map\n[ 0.]+\n +0\.00 +0\.00 +0\.38 +0\.31\n +0\.00 +0\.38 +1\.00 +0\.62\n +0\.00 +0\.31 +0\.62 +0\.93/,
    writes: [],
  },
  "cam-by-hand.ts": {
    says: /cat: 128 channels of 8 x 8[\s\S]*the method cam: the same\nGrad-CAM times 8 x 8: the same\n/,
    writes: [],
  },
  "attack.ts": { says: /cat becomes frog[\s\S]*L2 [\s\S]*again: frog\n/, writes: ["attack.png", "attacked.png"] },
  "visualize.ts": {
    says: /channel 0: reached \d[\s\S]*dog: probability (0\.9|1\.0)/,
    writes: ["dog.png", "filters.png"],
  },
  "activations.ts": { says: /wrote channel\.png/, writes: ["channel.png", "sheet.png"] },
};

test.each(readdirSync(examples).filter((name) => name.endsWith(".ts")))("%s runs", (name) => {
  const folder = mkdtempSync(join(tmpdir(), "convlens-example-"));
  try {
    const says = execFileSync(process.execPath, ["--import", "tsx", join(examples, name), folder], {
      encoding: "utf8",
      cwd: examples,
    });
    expect(says).toMatch(expected[name]?.says ?? /^$/);
    expect(readdirSync(folder).sort()).toEqual(expected[name]?.writes);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
