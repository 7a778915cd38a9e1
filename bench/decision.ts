/** How soon `ranked` and `one-pixel` fool the embedded network, on photographs of CIFAR-10 that both fool. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Model } from "../src/index.ts";
import { built, builtNode, median, milliseconds, type Row, root } from "./measure.ts";

const { onePixel, ranked } = built;
const { openImage } = builtNode;

/** The first 40 that both attacks fool in the runs of docs/attacks.md. */
const photographs = `
  deer/0026 horse/0357 airplane/0336 frog/0498 cat/0420 cat/0416 bird/0689 truck/0325 cat/0689 deer/0730
  horse/0128 horse/0906 ship/0175 automobile/0780 airplane/0315 airplane/0150 dog/0455 deer/0241 cat/0413 ship/0002
  bird/0253 dog/0505 horse/0500 ship/0662 horse/0398 cat/0785 cat/0362 deer/0578 cat/0590 cat/0674
  dog/0547 bird/0891 cat/0339 deer/0638 automobile/0339 cat/0999 dog/0826 horse/0395 dog/0294 cat/0118`
  .trim()
  .split(/\s+/);
const archive = join(process.env.CONVLENS_DATA ?? join(dirname(root), "shared"), "data/cifar10/test.tar.gz");

/** No rows where the photographs are not there. */
export async function decisionRows(model: Model): Promise<readonly Row[]> {
  if (!existsSync(archive)) return [];
  const folder = mkdtempSync(join(tmpdir(), "convlens-bench-"));
  const times: { ranked: number; onePixel: number }[] = photographs.map(() => ({
    ranked: Number.POSITIVE_INFINITY,
    onePixel: Number.POSITIVE_INFINITY,
  }));
  try {
    execFileSync("tar", ["-xzf", archive, "-C", folder]);
    // The fastest of three; one round before them is for the compiler.
    for (let round = -1; round < 3; round++)
      for (const [i, name] of photographs.entries()) {
        const { picture } = await openImage(join(folder, `test/${name}.jpg`));
        const feeds = model.prepare(picture).tensor;
        const timed = async (method: typeof ranked | typeof onePixel): Promise<number> => {
          const start = performance.now();
          const { success } = await method.run(model, { feeds }, {});
          if (!success) throw new Error(`${name} is not fooled by ${method.id}`);
          return performance.now() - start;
        };
        const both = { ranked: await timed(ranked), onePixel: await timed(onePixel) };
        if (round < 0) continue;
        const { ranked: own, onePixel: peer } = times[i]!;
        times[i] = { ranked: Math.min(own, both.ranked), onePixel: Math.min(peer, both.onePixel) };
      }
  } finally {
    rmSync(folder, { recursive: true });
  }
  const [own, peer] = [median(times.map((one) => one.ranked)), median(times.map((one) => one.onePixel))];
  return [
    {
      what: `median time of ranked to fool one of ${times.length} photographs that one-pixel fools too`,
      ours: milliseconds(own),
      peer: `${milliseconds(peer)} (one-pixel)`,
      ratio: `${(peer / own).toFixed(1)}x; ${median(times.map((one) => one.onePixel / one.ranked)).toFixed(1)}x for the middle photograph`,
      wanted: "at least 10x",
    },
  ];
}
