/** Writing files: the system's errors become ours. */
import { ConvlensError } from "../core/errors.ts";

const reasons: Readonly<Record<string, string>> = {
  EACCES: "no permission",
  EPERM: "no permission",
  EROFS: "the file system is read-only",
  ENOENT: "there is no such folder",
  ENOTDIR: "a part of this path is a file, not a folder",
  EEXIST: "a part of this path is a file, not a folder",
  EISDIR: "it is a folder",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file would be larger than this system allows",
  ENAMETOOLONG: "the name is too long",
};

/** Runs what writes a file; a failure says which file, why, and the way out. Throws `output-failed`. */
export async function onDisk<T>(
  path: string,
  action: () => Promise<T>,
  wayOut = "name another folder with --cache or CONVLENS_CACHE",
): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    const why = reasons[code] ?? message;
    throw new ConvlensError("output-failed", `cannot write "${path}": ${why}; ${wayOut}`, { cause: error });
  }
}
