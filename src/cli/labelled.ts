/** Photographs in a folder for each class, as data sets come: whose folder's name is a class of the network is labelled with it. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { ConvlensError, findClass, type Model } from "../index.ts";

/** A photograph, and the class that its folder names. */
export interface LabelledPicture {
  /** Below the folder, with `/`. */
  readonly picture: string;
  readonly path: string;
  readonly label: number | undefined;
}

/**
 * Photographs of the folders that classes are named after, and the folders that name none; without any such folder
 * those of the folder itself, unlabelled. Throws `file-missing` and `file-unreadable`.
 */
export async function findPictures(
  root: string,
  model: Model,
  classes: number,
): Promise<{ pictures: readonly LabelledPicture[]; unknown: readonly string[] }> {
  const list = (path: string) =>
    readdir(path, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      const why =
        error.code === "ENOENT"
          ? "does not exist"
          : error.code === "ENOTDIR"
            ? "is no folder"
            : `cannot be read (${error.code})`;
      throw new ConvlensError(
        error.code === "ENOENT" ? "file-missing" : "file-unreadable",
        `--images "${path}" ${why}`,
      );
    });
  const entries = (await list(root))
    .filter(({ name }) => !name.startsWith("."))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const pictures: LabelledPicture[] = [];
  const unknown: string[] = [];
  for (const entry of entries) {
    if (!entry.isDirectory()) continue;
    const label = classNamed(entry.name, model, classes);
    if (label === undefined) unknown.push(entry.name);
    else
      for (const file of (await list(join(root, entry.name))).sort((a, b) => (a.name < b.name ? -1 : 1)))
        if (!file.isDirectory() && !file.name.startsWith("."))
          pictures.push({ picture: `${entry.name}/${file.name}`, path: join(root, entry.name, file.name), label });
  }
  if (pictures.length === 0)
    for (const { name } of entries.filter((entry) => !entry.isDirectory()))
      pictures.push({ picture: name, path: join(root, name), label: undefined });
  return { pictures, unknown };
}

function classNamed(name: string, model: Model, classes: number): number | undefined {
  try {
    return findClass(model.labels, classes, name);
  } catch (error) {
    if (error instanceof ConvlensError && error.code === "label-unknown") return undefined;
    throw error;
  }
}
