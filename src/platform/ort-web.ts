/** What the engines of onnxruntime-web take: bytes, with the bytes of each external file beside them. */
import type { Loader } from "./ort.ts";
import { readAll } from "./source.ts";

export const bytesLoader: Loader = async (model) => {
  if (model.kind === "file") return { model: await readAll(model.source), options: {} };
  if (model.files.length === 0) return { model: model.bytes, options: {} };
  const externalData = await Promise.all(
    model.files.map(async ({ location, source }) => ({ path: location, data: await readAll(source) })),
  );
  return { model: model.bytes, options: { externalData } };
};
