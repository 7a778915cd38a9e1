/**
 * One process of the pool: opens each file it is sent, as the command line would, and answers how that ended. A refusal
 * by `ConvlensError` is as good as an answer; anything else is a fault.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConvlensError } from "../../src/core/errors.ts";
import type { Picture } from "../../src/core/picture.ts";
import { decodeImage } from "../../src/image/index.ts";
import { activations, filters, predict, summary } from "../../src/methods/index.ts";
import { openModel, platform } from "../../src/node.ts";

export interface Job {
  readonly id: number;
  readonly kind: "model" | "picture";
  /** Base64. */
  readonly bytes: string;
}
export interface Answer {
  readonly id: number;
  readonly outcome: "done" | "refused" | "fault";
  /** The error's message; for a fault with its stack. */
  readonly message: string;
}

const folder = process.argv[2]!;
const picture: Picture = {
  width: 8,
  height: 8,
  data: Uint8Array.from({ length: 256 }, (_, i) => (i * 31) | (i % 4 === 3 ? 255 : 0)),
};

/** Every verb that a model's file goes through; the first refusal ends it. */
async function useModel(bytes: Uint8Array): Promise<void> {
  const path = join(folder, `${process.pid}.onnx`);
  writeFileSync(path, bytes);
  const model = await openModel(path, { threads: 1 });
  try {
    await summary.run(model, {});
    const { tensor } = model.prepare(picture);
    await predict.run(model, { feeds: tensor }, { top: 3 });
    await activations.run(model, { feeds: tensor }, { layers: ["all"] });
    await filters.run(model, {}, { layers: ["all"] });
  } finally {
    await model.release();
  }
}

async function run({ id, kind, bytes }: Job): Promise<Answer> {
  try {
    const data = new Uint8Array(Buffer.from(bytes, "base64"));
    if (kind === "model") await useModel(data);
    else await decodeImage(data, { codec: platform.codec, zlib: platform.zlib, name: "mutated" });
    return { id, outcome: "done", message: "" };
  } catch (error) {
    if (error instanceof ConvlensError && error.code !== "internal" && !error.message.includes("\n    at "))
      return { id, outcome: "refused", message: error.message };
    return { id, outcome: "fault", message: error instanceof Error ? String(error.stack) : String(error) };
  }
}

process.on("message", (job: Job) => void run(job).then((answer) => process.send!(answer)));
