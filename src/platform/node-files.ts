/** Files on disk as byte sources. A folder stands for the one model file that formats keep in it. */
import { open, readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { ConvlensError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import type { ByteSource } from "../core/platform.ts";
import { emptyError, endError } from "./source.ts";

/** The file that stands for its folder: TensorFlow's SavedModel, TensorFlow.js. */
const folderFiles = ["saved_model.pb", "model.json"];

/** Opens a file. Throws `file-missing` (with the nearest names of the folder) or `file-unreadable`. */
export async function fileSource(path: string): Promise<ByteSource> {
  const real = await onDisk(path, () => realpath(path));
  const info = await onDisk(path, () => stat(real));
  if (info.isDirectory()) {
    const names = await onDisk(path, () => readdir(real));
    const file = folderFiles.find((name) => names.includes(name));
    if (file) return fileSource(join(path, file));
    throw new ConvlensError("file-unreadable", `"${path}" is a folder: name a file in it`);
  }
  if (!info.isFile()) throw new ConvlensError("file-unreadable", `"${path}" is no regular file`);
  if (info.size === 0) throw emptyError(path);
  // Permission is met when opening, not by `stat`: asked now, so that the error comes where the file was named.
  await onDisk(path, () => open(real)).then((handle) => handle.close());
  const name = basename(resolve(path));
  return {
    name,
    size: info.size,
    path: real,
    read: (offset, length) => onDisk(path, () => readRange(real, name, offset, length)),
    sibling: (relativePath) => sibling(dirname(resolve(path)), name, relativePath),
  };
}

/** The file is opened for each read: a source needs no closing, and weights are read in a few large pieces. */
async function readRange(path: string, name: string, offset: number, length: number): Promise<Uint8Array> {
  const handle = await open(path);
  try {
    const { size } = await handle.stat();
    if (offset + length > size) throw endError(name, offset + length, size);
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      // One read gives at most 2 GiB.
      const { bytesRead } = await handle.read(bytes, done, Math.min(length - done, 2 ** 30), offset + done);
      if (bytesRead === 0) throw endError(name, offset + length, offset + done);
      done += bytesRead;
    }
    return bytes;
  } finally {
    await handle.close();
  }
}

async function sibling(folder: string, owner: string, path: string): Promise<ByteSource | undefined> {
  const root = await realpath(folder);
  const wanted = resolve(root, path);
  const outside = () =>
    new ConvlensError("model-invalid", `"${owner}" names "${path}", which is outside its own folder`);
  if (isAbsolute(path) || !isInside(root, wanted)) throw outside();
  const real = await realpath(wanted).catch(() => undefined);
  if (real === undefined) return undefined;
  if (!isInside(root, real)) throw outside();
  return fileSource(real);
}

function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== "" && way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: "may not be read (no permission)",
  EPERM: "may not be read (no permission)",
  ENAMETOOLONG: "is too long a name for a file",
  ELOOP: "is a link that leads back to itself",
};

/** Runs a file call; the system's errors become ours. */
async function onDisk<T>(path: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof ConvlensError) throw error;
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (code === "ENOENT" || code === "ENOTDIR")
      throw new ConvlensError("file-missing", `there is no file "${path}".${await nearNames(path)}`, { cause: error });
    throw new ConvlensError("file-unreadable", `"${path}" ${reasons[code] ?? `cannot be read (${code})`}`, {
      cause: error,
    });
  }
}

async function nearNames(path: string): Promise<string> {
  const names = await readdir(dirname(resolve(path))).catch(() => undefined);
  return names ? didYouMean(basename(path), names) : " Its folder does not exist either.";
}
