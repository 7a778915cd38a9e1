/** The pictures of `--background`: a folder of photographs, prepared as any, or a ready `.npy` of them. */
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import {
  ConvlensError,
  float32,
  isTensor,
  type Model,
  type Platform,
  readNpy,
  type Tensor,
  toFloat32,
} from "../index.ts";
import { pictureInput, readBytes } from "./inputs.ts";
import type { Terminal } from "./terminal.ts";

/** More would hardly change a mean, and all lie in memory. */
const MOST = 200;

interface Opening {
  readonly model: Model;
  readonly terminal: Terminal;
  readonly platform: Platform;
  readonly exif: boolean;
}

/** `[n, …]` in the network's numbers. Throws `file-missing`, `file-unreadable`, and `option-invalid` for a folder without pictures. */
export async function readBackground(path: string, opening: Opening): Promise<Tensor> {
  if (/\.npy$/i.test(path)) return readNpy(await readBytes(path), basename(path));
  const names = await readdir(path).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === "ENOENT" ? "does not exist" : "is no folder of photographs and no .npy file";
    throw new ConvlensError(
      error.code === "ENOENT" ? "file-missing" : "file-unreadable",
      `--background "${path}" ${why}`,
    );
  });
  const photographs = names.filter((name) => /\.(png|jpe?g|webp)$/i.test(name)).sort();
  if (photographs.length === 0)
    throw new ConvlensError("option-invalid", `--background "${path}" holds no photographs (PNG, JPEG, WebP)`);
  const used = photographs.slice(0, MOST);
  if (used.length < photographs.length)
    opening.terminal.note(`note: --background takes the first ${MOST} of ${photographs.length} photographs`);
  const rows: Float32Array[] = [];
  let dims: readonly number[] = [];
  for (const [i, name] of used.entries()) {
    opening.terminal.progress(i, used.length, name);
    try {
      const place = { name, open: () => opening.platform.open(join(path, name)) };
      const { feeds } = await pictureInput(opening, place, "").load();
      const tensor = isTensor(feeds) ? feeds : Object.values(feeds)[0]!;
      dims = tensor.dims.slice(1);
      rows.push(toFloat32(tensor));
    } catch (error) {
      if (!(error instanceof ConvlensError)) throw error;
      opening.terminal.note(`note: --background leaves out ${name}: ${error.message}`);
    }
  }
  opening.terminal.progress(used.length, used.length, "");
  if (rows.length === 0)
    throw new ConvlensError("option-invalid", `no photograph of --background "${path}" could be read`);
  const all = new Float32Array(rows.length * rows[0]!.length);
  for (const [i, row] of rows.entries()) all.set(row, i * row.length);
  return float32([rows.length, ...dims], all);
}
