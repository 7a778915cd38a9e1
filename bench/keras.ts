/**
 * `npm run bench:keras`: Keras files from nothing to the first prediction, whole processes, against ONNX
 * Runtime alone on the same network as .onnx and against Keras. Keras (bench/peers/setup.sh) also makes the files.
 */
import { execFileSync } from "node:child_process";
import { existsSync, renameSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { cli, milliseconds, peerPython, type Row, root, wholeProcess } from "./measure.ts";

const folder = process.env.CONVLENS_BENCH_NETWORKS ?? join(tmpdir(), "convlens-bench-networks");
const chelsea = join(root, "models/photographs/chelsea.png");
const script = join(root, "bench/peers/keras_files.py");
const [vgg, mobilenet] = [join(folder, "vgg16.h5"), join(folder, "mobilenetv2.keras")];
const onnx = join(folder, "vgg16.keras.onnx");

type Measured = ReturnType<typeof wholeProcess>;

/** Whole processes in turns, so that all see the same machine; the least of each. */
function inTurns(rounds: number, commands: readonly (readonly [command: string, ...args: string[]])[]): Measured[] {
  const least: Measured[] = [];
  for (let round = 0; round < rounds; round++)
    for (const [i, [command, ...args]] of commands.entries()) {
      const { ms, peakMiB, stdout } = wholeProcess(command, args, 1);
      const before = least[i];
      least[i] = {
        ms: Math.min(ms, before?.ms ?? ms),
        peakMiB: peakMiB === undefined ? undefined : Math.min(peakMiB, before?.peakMiB ?? peakMiB),
        stdout,
      };
    }
  return least;
}

const both = ({ ms, peakMiB }: Measured): string =>
  `${milliseconds(ms)}${peakMiB === undefined ? "" : `, ${peakMiB.toFixed(0)} MiB`}`;
const ours = (file: string): readonly [string, ...string[]] => [
  process.execPath,
  cli,
  "predict",
  chelsea,
  "--quiet",
  "--model",
  file,
];

const python = peerPython();
if (python) execFileSync(python, [script, "make", folder], { stdio: "ignore" });
if (!existsSync(vgg) || !existsSync(mobilenet)) throw new Error("Keras makes the files: bench/peers/setup.sh");
if (!existsSync(onnx)) {
  execFileSync(process.execPath, [cli, "convert", vgg, "--out", `${onnx}.part.onnx`, "--quiet"], { stdio: "ignore" });
  renameSync(`${onnx}.part.onnx`, onnx);
}

const [large, alone] = inTurns(5, [
  ours(vgg),
  [process.execPath, join(root, "bench/peers/first.mjs"), onnx, "1,224,224,3"],
]) as [Measured, Measured];
const [small] = inTurns(7, [ours(mobilenet)]) as [Measured];
const rows: Row[] = [
  {
    what: "VGG16 .h5 (528 MB) to the first prediction, whole process",
    ours: both(large),
    peer: `${both(alone)} (ONNX Runtime alone, .onnx)`,
    ratio: `${(large.ms / alone.ms).toFixed(2)}x the time, ${(large.peakMiB! / alone.peakMiB!).toFixed(2)}x the memory`,
    wanted: "at most 1x",
  },
  {
    what: "MobileNetV2 .keras, predict from a cold start",
    ours: both(small),
    peer: "",
    ratio: "",
    wanted: "under 600 ms",
  },
];
for (const [name, file] of [
  ["VGG16 .h5", vgg],
  ["MobileNetV2 .keras", mobilenet],
] as const) {
  if (!python) break;
  const [own, keras] = inTurns(3, [ours(file), [python, script, "predict", file, chelsea]]) as [Measured, Measured];
  rows.push({
    what: `${name} to the first prediction, whole process`,
    ours: milliseconds(own.ms),
    peer: `${milliseconds(keras.ms)} (Keras)`,
    ratio: `${(keras.ms / own.ms).toFixed(1)}x as fast`,
    wanted: "at least 8x",
  });
}
console.log(`${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.version}`);
console.table(Object.fromEntries(rows.map(({ what, ...rest }) => [what, rest])));
