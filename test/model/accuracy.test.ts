/** The embedded networks still see what they were trained to see: a sample of the photographs their cards speak of. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { accuracy } from "../../scripts/accuracy.ts";
import { dataPath } from "../data.ts";

const cifar = dataPath("data", "cifar10", "test.tar.gz");
it.skipIf(!cifar)("cifar10: over 86 % of 1,000 test pictures (the card says 90 % of all)", async () => {
  const folder = mkdtempSync(join(tmpdir(), "convlens-cifar-"));
  try {
    execFileSync("tar", ["-xzf", cifar!, "-C", folder]);
    const { right, pictures } = await accuracy("cifar10", join(folder, "test"), 100);
    expect(pictures).toBe(1000);
    expect(right / pictures).toBeGreaterThan(0.86);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const animals = dataPath("data", "cats-dogs", "train.tar");
it.skipIf(!animals)("cats-and-dogs: over 86 % of the 400 held-out photographs (the card says 90.5 %)", async () => {
  const folder = mkdtempSync(join(tmpdir(), "convlens-animals-"));
  try {
    execFileSync("tar", ["-xf", animals!, "-C", folder]);
    // Numbers 0 to 199 of each class were held out.
    for (const name of readdirSync(join(folder, "train"))) {
      const [label, number] = name.split(".");
      if (Number(number) >= 200) continue;
      mkdirSync(join(folder, "held-out", label!), { recursive: true });
      renameSync(join(folder, "train", name), join(folder, "held-out", label!, name));
    }
    const { right, pictures } = await accuracy("cats-and-dogs", join(folder, "held-out"));
    expect(pictures).toBe(400);
    expect(right / pictures).toBeGreaterThan(0.86);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
