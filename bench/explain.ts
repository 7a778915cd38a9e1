/**
 * `npm run bench:explain [-- gradient gradcam ig cold vgg16 resnet50 mobilenetv2]`: explanations by Convlens against the
 * tools people use in Python, in one run on this machine, as ratios. The peers (bench/peers/setup.sh) also make the networks: same random weights.
 */
import { execFileSync } from "node:child_process";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { float32, type Method, methods } from "../src/index.ts";
import type { Model } from "../src/model/model.ts";
import { openModel } from "../src/node.ts";
import { best, cli, milliseconds, peerPython, type Row, root, wholeProcess } from "./measure.ts";

const folder = process.env.CONVLENS_BENCH_NETWORKS ?? join(tmpdir(), "convlens-bench-networks");
const chelsea = join(root, "models/photographs/chelsea.png");
const peers = join(root, "bench/peers/explain.py");
const tasks = ["gradient", "gradcam", "ig", "cold"];
const asked = process.argv.slice(2);
const chosen = tasks.filter((task) => asked.includes(task) || !tasks.some((other) => asked.includes(other)));
const target = 7;

interface Network {
  readonly name: string;
  /** How many times as fast as the peer. */
  readonly wanted: Readonly<Record<string, number>>;
  readonly repeats: number;
}

const networks: readonly Network[] = [
  { name: "vgg16", wanted: { gradient: 1.15, gradcam: 4.1, ig: 1.2 }, repeats: 7 },
  { name: "resnet50", wanted: { gradient: 1.6, gradcam: 6, ig: 1.35 }, repeats: 15 },
  { name: "mobilenetv2", wanted: { gradient: 2.3, gradcam: 12, ig: 1.7 }, repeats: 30 },
];

const measured = networks.filter(
  ({ name }) => asked.includes(name) || !networks.some((other) => asked.includes(other.name)),
);

const titles: Readonly<Record<string, string>> = {
  forward: "forward pass",
  gradient: "input gradient",
  gradcam: "Grad-CAM",
  ig: "integrated gradients, 50 steps",
};
const tools: Readonly<Record<string, string>> = {
  forward: "PyTorch",
  gradient: "PyTorch",
  gradcam: "pytorch-grad-cam",
  ig: "captum",
};

const python = (args: readonly string[]): Record<string, number> =>
  JSON.parse(execFileSync(peerPython()!, [peers, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));

/** A method of the registry on a ready tensor. */
function runMethod(model: Model, id: string, feeds: ReturnType<typeof float32>): Promise<unknown> {
  const method: Method | undefined = methods.find((one) => one.id === id);
  if (!method) throw new Error(`there is no method ${id}`);
  return method.run(model, { feeds }, { target });
}

/** Passes and explanations of one network, ours in turn with the peers' process. */
async function explanations({ name, wanted, repeats }: Network): Promise<Row[]> {
  const model = await openModel(join(folder, `${name}.onnx`), { preprocessing: "torch" });
  const feeds = float32(
    [1, 3, 224, 224],
    Float32Array.from({ length: 3 * 224 * 224 }, (_, i) => Math.sin(i)),
  );
  const runs: Record<string, () => Promise<unknown>> = {
    forward: () => model.run(feeds),
    gradient: () => model.gradient(feeds, { targets: [{ class: target }] }),
    gradcam: () => runMethod(model, "gradcam", feeds),
    ig: () => runMethod(model, "ig", feeds),
  };
  const wantedTasks = ["forward", ...tasks.filter((task) => task in runs && chosen.includes(task))];
  const times: Record<string, number> = {};
  for (const task of wantedTasks) times[task] = await best(task === "ig" ? 1 : repeats, runs[task]!);
  await model.release();
  const theirs = python(["torch", name, folder, String(repeats), ...wantedTasks]);
  const forward = times.forward!;
  return wantedTasks.map((task) => {
    const [ours, peer] = [times[task]!, theirs[task]!];
    return {
      what: `${titles[task]}, ${name}`,
      ours: `${milliseconds(ours)}${task === "forward" ? "" : `, ${(ours / forward).toFixed(2)} forward passes`}`,
      peer: `${milliseconds(peer)} (${tools[task]})`,
      ratio: `${(peer / ours).toFixed(2)}x as fast`,
      wanted: wanted[task] === undefined ? "" : `at least ${wanted[task]}x`,
    };
  });
}

/** Grad-CAM of VGG16 against TensorFlow's compiled function. */
async function tensorflow(): Promise<Row[]> {
  const model = await openModel(join(folder, "vgg16.onnx"), { preprocessing: "torch" });
  const feeds = float32([1, 3, 224, 224], new Float32Array(3 * 224 * 224).fill(0.5));
  const ours = await best(7, () => runMethod(model, "gradcam", feeds));
  await model.release();
  const peer = python(["tensorflow", "7"]).gradcam!;
  return [
    {
      what: "Grad-CAM, vgg16, compiled",
      ours: milliseconds(ours),
      peer: `${milliseconds(peer)} (TensorFlow)`,
      ratio: `${(peer / ours).toFixed(2)}x as fast`,
      wanted: "at least 1.25x",
    },
  ];
}

/** From nothing to a saved picture, whole processes. */
function cold(): Row[] {
  const explain = (name: string, repeats: number) => {
    const model = join(folder, `${name}.onnx`);
    const flags = ["--model", model, "--preprocess", "torch", "--quiet"];
    return wholeProcess(process.execPath, [cli, "explain", chelsea, ...flags], repeats);
  };
  const small = explain("mobilenetv2", 5);
  const script = wholeProcess(peerPython()!, [peers, "cold", "mobilenetv2", folder, chelsea, "overlay.png"], 2);
  const peak = Number(JSON.parse(script.stdout).peakMiB);
  const big = explain("vgg16", 3);
  const bare = wholeProcess(process.execPath, [join(root, "bench/peers/create.mjs"), join(folder, "vgg16.onnx")], 3);
  const shown = ({ ms, peakMiB }: { ms: number; peakMiB: number | undefined }): string =>
    `${milliseconds(ms)}, ${peakMiB!.toFixed(0)} MiB`;
  return [
    {
      what: "first heat map from a cold start, mobilenetv2",
      ours: shown(small),
      peer: `${shown({ ms: script.ms, peakMiB: peak })} (pytorch-grad-cam)`,
      ratio: `${(script.ms / small.ms).toFixed(1)}x as fast, ${(peak / small.peakMiB!).toFixed(1)}x less memory`,
      wanted: "at least 15x, 5x",
    },
    {
      what: "first heat map from a cold start, vgg16",
      ours: shown(big),
      peer: `${shown(bare)} (InferenceSession.create)`,
      ratio: `${(bare.ms / big.ms).toFixed(2)}x as fast`,
      wanted: "at least 1x",
    },
  ];
}

console.log(`${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.version}`);
if (!peerPython()) console.log("skipped: all rows need the Python peers (bench/peers/setup.sh)");
else {
  execFileSync(peerPython()!, [join(root, "bench/peers/networks.py"), folder], { stdio: "ignore" });
  const rows: Row[] = [];
  if (chosen.some((task) => task !== "cold"))
    for (const network of measured) rows.push(...(await explanations(network)));
  if (chosen.includes("gradcam") && measured.some(({ name }) => name === "vgg16")) rows.push(...(await tensorflow()));
  if (chosen.includes("cold")) rows.push(...cold());
  console.table(Object.fromEntries(rows.map(({ what, ...rest }) => [what, rest])));
}
