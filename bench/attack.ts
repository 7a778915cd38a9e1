/** `npm run bench:attack`: candidates per second of the one-pixel attack, against ONNX Runtime alone, PyTorch and torchattacks. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { decisionRows } from "./decision.ts";
import { built, builtNode, median, peerPython, type Row, root } from "./measure.ts";

const { onePixel } = built;
const { openImage, openModel } = builtNode;

const batch = 100;
const model = await openModel("cifar10");
const { picture } = await openImage(join(root, "models/photographs/chelsea.png"));
const feeds = model.prepare(picture).tensor;
const session = await InferenceSession.create(readFileSync(join(root, "models/cifar10.onnx")), { logSeverityLevel: 3 });
const data = Float32Array.from({ length: batch * 3072 }, (_, i) => Math.sin(i));

/** A search to its end. The first 3,600 candidates, eight generations, hardly repeat themselves. */
async function search(generations: number): Promise<{ readonly queries: number; readonly seconds: number }> {
  const start = performance.now();
  const { queries } = await onePixel.run(model, { feeds }, { generations, stop: "never", batch });
  return { queries, seconds: (performance.now() - start) / 1000 };
}

async function bare(): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < 36; i++)
    await session.run({ [session.inputNames[0]!]: new Tensor("float32", data, [batch, 3, 32, 32]) });
  return (36_000 * batch) / (performance.now() - start);
}

// In turns, so that both see the same machine: from turn to turn it changes more than the two differ. The first is
// for the compiler.
const turns: { readonly attack: number; readonly alone: number }[] = [];
for (let i = -1; i < 10; i++) {
  const { queries, seconds } = await search(8);
  const turn = { attack: queries / seconds, alone: await bare() };
  if (i >= 0) turns.push(turn);
}
const alone = median(turns.map((turn) => turn.alone));
const share = median(turns.map((turn) => turn.attack / turn.alone));
// As the peers: the fastest.
const attack = Math.max(...turns.map((turn) => turn.attack));
// As the population gathers many of the 40,400 candidates come again.
const { seconds } = await search(100);
const whole = (400 * 101) / seconds;

const python = peerPython();
const peers: Readonly<Record<string, number>> = python
  ? JSON.parse(
      // torchattacks prints on import what it thinks of the device.
      execFileSync(python, [join(root, "bench/peers/attack.py"), String(batch)], { encoding: "utf8" })
        .trimEnd()
        .split("\n")
        .at(-1)!,
    )
  : {};
const row = (what: string, own: number, peer: string, rate: number | undefined, wanted: string): Row => ({
  what: `candidates of the one-pixel attack${what}, a second`,
  ours: own.toFixed(0),
  peer: rate === undefined ? `${peer}: not installed` : `${rate.toFixed(0)} (${peer})`,
  ratio: rate === undefined ? "" : `${(own / rate).toFixed(2)}x`,
  wanted,
});
const bareName = "ONNX Runtime alone, same batches";
console.log(`${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.version}, batches of ${batch}`);
console.table([
  row("", alone * share, bareName, alone, "at least 0.95x"),
  row("", attack, "PyTorch, batched loop", peers.torch, "at least 1.2x"),
  row("", attack, "torchattacks OnePixel", peers.torchattacks, "at least 1.8x"),
  row(", a whole search", whole, bareName, alone, "at least 1.5x"),
  ...(await decisionRows(model)),
]);
await model.release();
