/** Which words of a command line are the network and which are photographs, and how their results are filed. */
import { existsSync } from "node:fs";
import { open, stat } from "node:fs/promises";
import { basename, extname } from "node:path";
import { ConvlensError, embeddedModels, findApplication, formats, pictureKind } from "../index.ts";
import { platform } from "../node.ts";
import { fileName } from "./outputs.ts";

/** Which positional file is the model, and which are pictures: by content, else by extension; ids are models. */
export async function sortFiles(
  files: readonly string[],
  named: string | undefined,
  needs: "model" | "image",
): Promise<{ modelFile: string | undefined; pictures: readonly string[] }> {
  const pictures: string[] = [];
  let modelFile = named;
  for (const file of files) {
    if (needs === "image" && !(await isModel(file))) pictures.push(file);
    else if (modelFile === undefined) modelFile = file;
    else
      throw new ConvlensError(
        "option-invalid",
        `two networks are named: "${modelFile}" and "${file}"; one run takes one`,
      );
  }
  return { modelFile, pictures };
}

const modelExtensions = new Set([
  ".onnx",
  ".ort",
  ".h5",
  ".hdf5",
  ".keras",
  ".tflite",
  ".pt",
  ".pth",
  ".pb",
  ".json",
  ".safetensors",
]);

async function isModel(path: string): Promise<boolean> {
  const byName = modelExtensions.has(extname(path).toLowerCase());
  if (!existsSync(path) && (embeddedModels.includes(path) || (await findApplication(platform, path)))) return true;
  const head = await firstBytes(path);
  if (head === undefined) return byName || (existsSync(path) && (await stat(path)).isDirectory());
  if (pictureKind(head) !== undefined) return false;
  return byName || formats.some((format) => format.match(head, basename(path)));
}

/** Up to 4 KiB of a file; `undefined` for folders, addresses and what cannot be read (opening it will say why). */
async function firstBytes(path: string): Promise<Uint8Array | undefined> {
  const handle = await open(path).catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    const { bytesRead, buffer } = await handle.read(new Uint8Array(4096), 0, 4096, 0);
    return buffer.subarray(0, bytesRead);
  } catch {
    return undefined;
  } finally {
    await handle.close();
  }
}

/** A folder name for each of several pictures: the file's name without extension, or more of the path where two agree. */
export function partNames(paths: readonly string[]): readonly string[] {
  const unique = (names: readonly string[]) => new Set(names).size === names.length;
  const stems = paths.map((path) => basename(path, extname(path)));
  if (unique(stems)) return stems.map(fileName);
  const names = paths.map((path) => basename(path));
  return (unique(names) ? names : paths).map(fileName);
}
