/**
 * `npm run bench`: Convlens against the tools people use today, in one run on this machine, as ratios.
 * Python peers are optional (bench/peers/setup.sh); so is the folder of real models that CONVLENS_DATA names.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { decodeImage, float32, resize } from "../src/index.ts";
import { openModel, platform } from "../src/node.ts";
import { dataPath } from "../test/data.ts";
import { best, bestOfBoth, cli, milliseconds, peerPython, type Row, root, wholeProcess } from "./measure.ts";

const photographs = ["rocket.jpg", "coral_parrot.jpg", "coral_owl.jpg"];
const chelsea = join(root, "models/photographs/chelsea.png");

/** `model.predict` on a ready tensor against ONNX Runtime alone, on the user's file. */
async function predictOverhead(): Promise<Row[]> {
  const path = dataPath("models", "mobilenet_v2_1.0_224_keras_ptq_deq.onnx");
  if (!path) return [];
  const model = await openModel(path, { preprocessing: "tf" });
  const session = await InferenceSession.create(path, { logSeverityLevel: 3 });
  const [batch, ...rest] = model.input.shape.map((n) => n ?? 1);
  const dims = [batch!, ...rest];
  const data = Float32Array.from({ length: dims.reduce((a, b) => a * b) }, (_, i) => Math.sin(i));
  const [ours, bare] = await bestOfBoth(
    6,
    () => model.predict(float32(dims, data)),
    () => session.run({ [session.inputNames[0]!]: new Tensor("float32", data, dims) }),
  );
  await model.release();
  return [
    {
      what: "predict on a ready tensor, MobileNetV2",
      ours: milliseconds(ours),
      peer: `${milliseconds(bare)} (ONNX Runtime alone)`,
      ratio: `${(ours / bare).toFixed(2)}x the peer's time`,
      wanted: "at most 1.10x",
    },
  ];
}

/** Decoding a photograph and shrinking it to 224 x 224, bilinear with antialias. */
async function decodeAndResize(): Promise<Row[]> {
  const paths = photographs.map((name) => dataPath("images", name)).filter((path) => path !== undefined);
  const python = peerPython();
  if (paths.length === 0) return [];
  const repeats = 15;
  const theirs: Record<string, number> = python
    ? JSON.parse(
        execFileSync(python, [join(root, "bench/peers/pillow_resize.py"), String(repeats), ...paths], {
          encoding: "utf8",
        }),
      )
    : {};
  const rows: Row[] = [];
  for (const path of paths) {
    const bytes = readFileSync(path);
    const ours = await best(repeats, async () => {
      const { picture } = await decodeImage(bytes, { codec: platform.codec });
      resize(picture, 224, 224, "bilinear", "pil");
    });
    const peer = theirs[path];
    rows.push({
      what: `decode and resize ${path.split("/").at(-1)}`,
      ours: milliseconds(ours),
      peer: peer ? `${milliseconds(peer)} (Pillow)` : "not installed",
      ratio: peer ? `${(peer / ours).toFixed(2)}x as fast` : "",
      wanted: "at least 1x",
    });
  }
  return rows;
}

/** All eight layers' sheets of the lecture's network as PNG, whole process, against Keras and matplotlib. */
function sheets(): Row[] {
  const ours = wholeProcess(process.execPath, [cli, "activations", chelsea, "--layer", "first:8", "--quiet"], 5);
  const python = peerPython();
  const script = join(root, "bench/peers/keras_sheets.py");
  const network = join(tmpdir(), "convlens-bench.keras");
  if (python) execFileSync(python, [script, "make", network], { stdio: "ignore" });
  const peer = python && wholeProcess(python, [script, "draw", network, chelsea, "sheets"], 3).ms;
  return [
    {
      what: "eight sheets of feature maps, whole process",
      ours: milliseconds(ours.ms),
      peer: peer ? `${milliseconds(peer)} (Keras, matplotlib)` : "not installed",
      ratio: peer ? `${(peer / ours.ms).toFixed(1)}x as fast` : "",
      wanted: "at least 8x",
    },
  ];
}

/** `convlens predict` from a cold start. */
function coldPredict(): Row[] {
  const mobilenet = dataPath("models", "mobilenet_v2_1.0_224_keras_ptq_deq.onnx");
  const cases: [string, string[]][] = [["the demo network", []]];
  if (mobilenet) cases.push(["MobileNetV2", ["--model", mobilenet, "--preprocess", "tf"]]);
  return cases.map(([name, flags]) => {
    const { ms, peakMiB } = wholeProcess(process.execPath, [cli, "predict", chelsea, "--quiet", ...flags], 7);
    return {
      what: `predict from a cold start, ${name}`,
      ours: `${milliseconds(ms)}, ${peakMiB!.toFixed(0)} MiB`,
      peer: "",
      ratio: "",
      wanted: "under 400 ms, 150 MiB",
    };
  });
}

console.log(`${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.version}`);
const rows = [...(await predictOverhead()), ...(await decodeAndResize()), ...sheets(), ...coldPredict()];
console.table(Object.fromEntries(rows.map(({ what, ...rest }) => [what, rest])));
if (!peerPython()) console.log("Python peers: bench/peers/setup.sh");
