/** The formats that Convlens opens, and the door to them: a file is known by its content, never by its name alone. */
import { ConvlensError } from "../core/errors.ts";
import type { ByteSource } from "../core/platform.ts";
import type { Format, ModelFile, ReadOptions } from "./format.ts";
import { kerasArchive, kerasH5, tfjs } from "./keras/index.ts";
import { onnx } from "./onnx/index.ts";
import { otherKinds } from "./other-kinds.ts";
import { describeBytes } from "./unknown.ts";

export const formats: readonly Format[] = [onnx, kerasH5, kerasArchive, tfjs];

/** What every `match` looks at. */
const HEAD = 4096;

/**
 * Opens a model file of any known format.
 * @throws ConvlensError `format-unsupported` with the lines that export it, for files of other frameworks;
 *   `format-unknown` saying what the content looks like; `file-unreadable` when empty; and what the reader throws
 */
export async function readModel(source: ByteSource, options: ReadOptions = {}): Promise<ModelFile> {
  if (source.size === 0) throw new ConvlensError("file-unreadable", `${source.name} is empty; get the file again`);
  const head = await source.read(0, Math.min(HEAD, source.size));
  const format = formats.find((f) => f.match(head, source.name));
  if (format) return format.read(source, options);
  const kind = otherKinds.find((k) => k.match(head, source.name));
  if (kind)
    throw new ConvlensError(
      "format-unsupported",
      `${source.name} is ${kind.title}, which Convlens does not open; export it to ONNX:\n${kind.recipe.map((line) => `  ${line}`).join("\n")}`,
    );
  throw new ConvlensError("format-unknown", `${source.name} ${describeBytes(head, source.size)}`);
}
