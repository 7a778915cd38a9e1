/**
 * The networks of keras.applications against Keras itself: `npx tsx scripts/keras-applications/compare.ts [NAME …]`
 * prints the table of docs/keras-and-tfjs.md. PYTHON names an interpreter with Keras 3 and TensorFlow. Each network is
 * made, opened from .h5 and from .keras, compared and removed again; the largest take 1 GB of disk and of memory.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { readNpy, type Tensor } from "../../src/index.ts";
import { openModel } from "../../src/node.ts";

const all = [
  ...["VGG16", "VGG19", "ResNet50", "ResNet101", "ResNet152", "ResNet50V2", "ResNet101V2", "ResNet152V2"],
  ...["MobileNet", "MobileNetV2", "MobileNetV3Small", "MobileNetV3Large", "InceptionV3", "InceptionResNetV2"],
  ...["Xception", "DenseNet121", "DenseNet169", "DenseNet201", "NASNetMobile", "NASNetLarge"],
  ...["EfficientNetB0", "EfficientNetB7", "EfficientNetV2B0", "EfficientNetV2S", "ConvNeXtTiny", "ConvNeXtBase"],
];

interface About {
  readonly rows: readonly (readonly [name: string, className: string, parameters: number])[];
  readonly totals: readonly [all: number, trainable: number];
  readonly watched: readonly string[];
}

const largest = (values: Float32Array, of: (value: number, i: number) => number): number =>
  values.reduce((most, value, i) => Math.max(most, Math.abs(of(value, i))), 0);

/** The largest difference, in units of how far the two pictures' values lie apart: what does not depend on them counts little. */
function relativeError(got: Tensor, wanted: Tensor): number {
  const [a, b] = [got.data as Float32Array, wanted.data as Float32Array];
  const half = b.length / 2;
  if (a.length !== b.length) return Number.NaN;
  return largest(b, (value, i) => value - a[i]!) / largest(b.subarray(half), (value, i) => value - b[i]!);
}

/** What one file gives: the errors of the scores and of the layers between, and whether the summary is Keras' own. */
async function compare(
  path: string,
  npy: (part: string) => Tensor,
  about: About,
): Promise<{ scores: number; layers: number; isSame: boolean }> {
  const model = await openModel(path);
  const x = npy("x");
  const [scores] = Object.values(await model.run(x));
  const error = relativeError(scores!, npy("y"));
  const inner = await model.run(x, { outputs: about.watched });
  const between = about.watched.map((name, i) => relativeError(inner[name]!, npy(String(i))));
  const layers = await model.layers();
  // Keras lists operations in its summary, and leaves them out of model.layers.
  const names = new Set(about.rows.map(([name]) => name));
  const rows = layers.filter((layer) => names.has(layer.name));
  const same = JSON.stringify(rows.map(({ name, class: kind, parameters }) => [name, kind, parameters]));
  const weights = [...new Map(layers.flatMap((l) => l.weights).map((weight) => [weight.value, weight])).values()];
  const count = (list: typeof weights): number =>
    list.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  const totals = [count(weights), count(weights.filter((weight) => weight.trainable))];
  const isSame = same === JSON.stringify(about.rows) && totals.join() === about.totals.join();
  await model.release();
  return { scores: error, layers: Math.max(...between), isSame };
}

const here = dirname(fileURLToPath(import.meta.url));

async function main(names: readonly string[]): Promise<void> {
  console.log("| Network | Parameters | Scores | Layers | Summary |");
  console.log("|---|---|---|---|---|");
  for (const name of names) {
    const folder = mkdtempSync(join(tmpdir(), "keras-"));
    try {
      execFileSync(process.env.PYTHON ?? "python", [join(here, "make.py"), name, folder], { stdio: "pipe" });
      const npy = (part: string): Tensor => readNpy(readFileSync(join(folder, `${name}.${part}.npy`)), part);
      const about = JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8")) as About;
      const [a, b] = [
        await compare(join(folder, `${name}.h5`), npy, about),
        await compare(join(folder, `${name}.keras`), npy, about),
      ];
      const worst = (of: "scores" | "layers"): string => Math.max(a[of], b[of]).toExponential(1);
      const summary = a.isSame && b.isSame ? "same" : "DIFFERENT";
      console.log(
        `| ${name} | ${about.totals[0].toLocaleString("en")} | ${worst("scores")} | ${worst("layers")} | ${summary} |`,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
}

await main(process.argv.length > 2 ? process.argv.slice(2) : all);
