/**
 * `npm run bench:visualize [-- grid lucid engine]`: gradient ascent against the tools people use in Python (bench/peers), in
 * one run on this machine and with the same random weights; and what of a step is not the engine.
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import type { Model, VisualizeOptions } from "../src/index.ts";
import { built, builtNode, peerPython, type Row, root, wholeProcess } from "./measure.ts";

const { visualize } = built;
const { openModel } = builtNode;

const folder = process.env.CONVLENS_BENCH_NETWORKS ?? join(tmpdir(), "convlens-bench-networks");
const asked = process.argv.slice(2);
const wanted = (task: string): boolean => asked.length === 0 || asked.includes(task);
const channels = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);
const seconds = (s: number): string => `${s.toFixed(1)} s`;

const peer = (...args: readonly string[]): Record<string, number> =>
  JSON.parse(
    execFileSync(peerPython()!, [join(root, "bench/peers/visualize.py"), ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }),
  );

/** Seconds of a whole run; sessions and pictures count, as they do for a user. */
async function timed(model: Model, options: Partial<VisualizeOptions>): Promise<number> {
  const start = performance.now();
  await visualize.run(model, {}, options);
  return (performance.now() - start) / 1000;
}

/** The book's sheet: 64 filters, 40 steps. */
async function grids(): Promise<Row[]> {
  const model = await openModel(join(folder, "vgg16.onnx"), { preprocessing: "raw" });
  const rows: Row[] = [];
  const steps = 40;
  for (const [name, layer, least] of [
    ["block1_conv1", "/features/features.1/Relu", 3],
    ["block3_conv1", "/features/features.11/Relu", 1.5],
    ["block4_conv1", "/features/features.18/Relu", 1.4],
  ] as const) {
    const options = { preset: "chollet", layer, channels: channels(64) };
    await timed(model, { ...options, channels: [0], steps: 1 });
    const ours = await timed(model, { ...options, steps });
    const theirs = peer("chollet", folder, String(steps), name).seconds!;
    rows.push({
      what: `chollet, 64 filters of VGG16 ${name} at 64 px, ${steps} steps`,
      ours: seconds(ours),
      peer: `${seconds(theirs)} (TensorFlow, compiled)`,
      ratio: `${(theirs / ours).toFixed(2)}x as fast`,
      wanted: `at least ${least}x`,
    });
  }
  await model.release();
  return rows;
}

/** Lucid's preset beside torch-lucent; the faster of its two ways, one picture after another or all in one batch. */
async function lucid(): Promise<Row[]> {
  // The preset has 512.
  const steps = 120;
  const model = await openModel(join(folder, "mobilenetv2.onnx"), { preprocessing: "torch" });
  const options = { preset: "lucid", layer: "/features/features.13/Add", channels: channels(16), steps };
  await timed(model, { ...options, channels: [0], steps: 1 });
  const ours = await timed(model, options);
  await model.release();
  const { alone, together } = peer("lucent", folder, String(steps), "features_13");
  const theirs = Math.min(alone!, together!);
  return [
    {
      what: `lucid, 16 channels of MobileNetV2 features.13 at 128 px, ${steps} steps`,
      ours: seconds(ours),
      peer: `${seconds(theirs)} (torch-lucent, ${theirs === alone ? "one by one" : "one batch"})`,
      ratio: `${(theirs / ours).toFixed(2)}x as fast`,
      wanted: "at least 2x",
    },
  ];
}

/** The share of a step's processor time that is not spent in calls of the engine, with one thread. */
const besideEngine = (name: string, file: string, jobs: readonly Job[]): Row[] =>
  jobs.map(([what, options]) => {
    const program = [join(root, "bench/beside-engine.mjs"), file, JSON.stringify(options)];
    const { share, ms } = JSON.parse(wholeProcess(process.execPath, program, 1).stdout);
    return {
      what: `${what}, ${name}, one thread`,
      ours: `${ms.toFixed(1)} ms a step of a batch`,
      peer: "",
      ratio: `${(100 * share).toFixed(1)} % beside the engine`,
      wanted: "under 15 %",
    };
  });

type Job = readonly [what: string, options: Partial<VisualizeOptions>];
const ofLayer = { layer: "conv2d_2", channels: channels(16) };
const demoJobs: readonly Job[] = [
  ["lucid, 16 channels of conv2d_2 at 128 px", ofLayer],
  ["chollet, 16 channels of conv2d_2 at 64 px", { ...ofLayer, preset: "chollet", batch: 16 }],
  ["class dog", { targets: ["dog"] }],
];

console.log(`${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.version}`);
const rows: Row[] = [];
if (wanted("grid") || wanted("lucid")) {
  if (!peerPython()) console.log("skipped: grid and lucid need the Python peers (bench/peers/setup.sh)");
  else {
    execFileSync(peerPython()!, [join(root, "bench/peers/networks.py"), folder], { stdio: "ignore" });
    if (wanted("grid")) rows.push(...(await grids()));
    if (wanted("lucid")) rows.push(...(await lucid()));
  }
}
if (wanted("engine")) {
  rows.push(...besideEngine("demo network", "cats-and-dogs", demoJobs));
  const mobilenet = join(folder, "mobilenetv2.onnx");
  if (existsSync(mobilenet)) rows.push(...besideEngine("MobileNetV2", mobilenet, [["class 22", { targets: [22] }]]));
}
console.table(Object.fromEntries(rows.map(({ what, ...rest }) => [what, rest])));
