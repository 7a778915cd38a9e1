/** Writing into the folder of downloads: the system's errors become ours. */
import { ConvlensError } from "../core/errors.ts";

const reasons: Readonly<Record<string, string>> = {
  EACCES: "no permission",
  EPERM: "no permission",
  EROFS: "the file system is read-only",
  ENOTDIR: "a part of this path is a file, not a folder",
  EEXIST: "a part of this path is a file, not a folder",
  EISDIR: "it is a folder",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file would be larger than this system allows",
};

/** Throws `output-failed`. */
export async function onDisk<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    throw new ConvlensError(
      "output-failed",
      `cannot write "${path}": ${reasons[code] ?? message}; name another folder with --cache or CONVLENS_CACHE`,
      { cause: error },
    );
  }
}
