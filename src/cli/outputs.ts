/**
 * Output files. Each is written under a temporary name; `commit` gives all of them their own names at the end, so a run
 * that fails or is stopped leaves neither half files nor a mixture of old and new.
 */
import { createHash } from "node:crypto";
import { mkdir, rename, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Picture, packPng } from "../index.ts";
import { onDisk, platform } from "../node.ts";
import { addFolder, addTemporary, forgetTemporary } from "./temporaries.ts";

export interface Outputs {
  /** Adds a file by its path. */
  write(path: string, content: Uint8Array | string): Promise<void>;
  /** The same for a picture, as PNG. */
  writePicture(path: string, picture: Picture): Promise<void>;
  /** Gives all files their names; returns them. */
  commit(): Promise<readonly string[]>;
}

export function makeOutputs(): Outputs {
  const files = new Map<string, string>();
  let count = 0;
  /** The picture that is being packed: the next one is drawn meanwhile. */
  let packing: Promise<void> = Promise.resolve();
  const write: Outputs["write"] = async (path, content) => {
    const fresh = join(dirname(path), `.${basename(path).slice(0, 100)}.${process.pid}.${count++}.tmp`);
    const temporary = files.get(path) ?? fresh;
    await told(path, async () => {
      // A folder of that name would stop the renaming, after other files have theirs.
      if (await isFolder(path)) throw Object.assign(new Error(), { code: "EISDIR" });
      await makeFolder(dirname(path));
      addTemporary(temporary);
      await writeFile(temporary, content);
    });
    files.set(path, temporary);
  };
  return {
    write,
    async writePicture(path, picture) {
      await packing;
      packing = packPng(picture, platform.zlib!).then((bytes) => write(path, bytes));
      // What fails is told by the next call.
      packing.catch(() => {});
    },
    async commit() {
      await packing;
      for (const [path, temporary] of files) {
        await told(path, () => rename(temporary, path));
        forgetTemporary(temporary);
      }
      const written = [...files.keys()];
      files.clear();
      return written;
    },
  };
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );

/** Makes a folder and those above it. Node's own `recursive` never ends where a file system makes none (/proc). */
export async function makeFolder(path: string): Promise<void> {
  if (await isFolder(path)) return;
  const parent = dirname(path);
  if (parent !== path) await makeFolder(parent);
  try {
    await mkdir(path);
  } catch (error) {
    // Another write of this run, or another process, was faster.
    if (await isFolder(path)) return;
    throw error;
  }
  addFolder(path);
}

/** Runs what writes a file into the folder of `--out`; a failure says which file and why. Throws `output-failed`. */
export const told = <T>(path: string, action: () => Promise<T>): Promise<T> =>
  onDisk(path, action, "choose another place with --out");

/** A name as one part of a path: what file systems refuse is percent-encoded, very long names are cut and hashed. */
export function fileName(name: string): string {
  const encoded = name.replace(/[\p{Cc}%/\\:*?"<>|]|^\.|[. ]$/gu, (c) => percent(c)) || "%00";
  if (Buffer.byteLength(encoded) <= 180) return encoded;
  return `${encoded.slice(0, 80)}~${createHash("sha256").update(name).digest("hex").slice(0, 8)}`;
}

const percent = (c: string): string => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;

/** What a run tells of its files. */
export const wrote = (paths: readonly string[], folder: string): string =>
  `wrote ${paths.length} ${paths.length === 1 ? "file" : "files"} to ${folder}`;

/** The name of a picture's page: `base.png`, then `base.p2.png` and on. */
export const pageName = (base: string, page: number): string =>
  page === 0 ? `${base}.png` : `${base}.p${page + 1}.png`;
