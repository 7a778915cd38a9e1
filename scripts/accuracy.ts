/**
 * Measures an embedded network on a folder of class folders, with Convlens itself: `tsx scripts/accuracy.ts cifar10 FOLDER`.
 * Prints the share of photographs whose best class is their folder's name.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { float32 } from "../src/index.ts";
import { openImage, openModel } from "../src/node.ts";

/** Right answers and pictures; `most` bounds the pictures of a class, in the order of their names. */
export async function accuracy(
  id: string,
  folder: string,
  most: number = Number.POSITIVE_INFINITY,
): Promise<{ right: number; pictures: number }> {
  const model = await openModel(id);
  let [right, pictures] = [0, 0];
  for (const label of readdirSync(folder)) {
    const names = readdirSync(join(folder, label)).sort().slice(0, most);
    for (let at = 0; at < names.length; at += 100) {
      const batch = names.slice(at, at + 100);
      const tensors = [];
      for (const name of batch)
        tensors.push(model.prepare((await openImage(join(folder, label, name))).picture).tensor);
      const [, ...sides] = tensors[0]!.dims;
      const size = tensors[0]!.data.length;
      const data = new Float32Array(batch.length * size);
      for (const [i, tensor] of tensors.entries()) data.set(tensor.data, i * size);
      for (const { predictions } of await model.predict(float32([batch.length, ...sides], data), { top: 1 }))
        if (predictions[0]!.label === label) right++;
      pictures += batch.length;
    }
  }
  await model.release();
  return { right, pictures };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , id = "cifar10", folder = "."] = process.argv;
  const { right, pictures } = await accuracy(id, folder);
  console.log(`${id}: ${((100 * right) / pictures).toFixed(2)} % of ${pictures.toLocaleString("en")} photographs`);
}
