/** `tsx bench/visualize.ts`: gradient ascent on the demo network: milliseconds a step, and what of it is not the engine. */
import { cpus } from "node:os";
import { type Model, type VisualizeOptions, visualize } from "../src/index.ts";
import { openModel } from "../src/node.ts";

const steps = 24;
const real = await openModel("cats-and-dogs", { threads: 1 });

/** Processor time in calls of the engine and what stands between them and their callers, in microseconds. */
let inside = 0;
const used = (): number => {
  const { user, system } = process.cpuUsage();
  return user + system;
};
async function counted<T>(run: () => Promise<T>): Promise<T> {
  const before = used();
  const answer = await run();
  inside += used() - before;
  return answer;
}
const model: Model = {
  ...real,
  gradient: (feeds, options) => counted(() => real.gradient(feeds, options)),
  compute: (graph, feeds) => counted(() => real.compute(graph, feeds)),
};

const sixteen = Array.from({ length: 16 }, (_, i) => i);
const jobs: Readonly<Record<string, Partial<VisualizeOptions>>> = {
  "lucid, 16 channels of conv2d_2 at 128 px": { layer: "conv2d_2", channels: sixteen },
  "chollet, 16 channels of conv2d_2 at 64 px": { layer: "conv2d_2", channels: sixteen, preset: "chollet", batch: 16 },
  "class dog": { targets: ["dog"] },
};
console.log(`${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.version}, one thread, ${steps} steps`);
const rows = [];
for (const [what, options] of Object.entries(jobs)) {
  await visualize.run(model, {}, { ...options, steps: 1 });
  inside = 0;
  const [start, before] = [performance.now(), used()];
  await visualize.run(model, {}, { ...options, steps });
  const outside = 1 - inside / (used() - before);
  rows.push({
    what,
    "ms a step": ((performance.now() - start) / steps).toFixed(1),
    "beside the engine": `${(100 * outside).toFixed(0)} %`,
    wanted: "under 15 %",
  });
}
console.table(rows);
await real.release();
