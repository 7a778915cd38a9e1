/** The folder of downloaded files. A file has its name there only when it is whole and its checksum is right. */
import { createHash } from "node:crypto";
import { createReadStream, rmSync } from "node:fs";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { ConvlensError } from "../core/errors.ts";
import type { ByteSource, FileStore, RemoteFile, RunOptions } from "../core/platform.ts";
import { onDisk } from "./disk.ts";
import { download, dropPart } from "./download.ts";
import { fileSource } from "./node-files.ts";

export interface StoreOptions {
  /** Default: CONVLENS_CACHE, else `convlens` in XDG_CACHE_HOME (LOCALAPPDATA on Windows) or in ~/.cache. */
  readonly cache?: string;
  /** Takes the place of the server in every address, `https://host/`. Default: CONVLENS_MIRROR. */
  readonly mirror?: string;
  /** Nothing is downloaded: what is not there is an error. */
  readonly offline?: boolean;
  /** Milliseconds before a new attempt. */
  readonly pause?: number;
  /** Milliseconds without a byte after which a connection counts as broken. */
  readonly stall?: number;
}

export function nodeStore({ cache, mirror, offline = false, pause, stall }: StoreOptions): FileStore {
  const folder = cache ?? defaultFolder();
  const find: FileStore["find"] = async (name) => {
    const path = join(folder, name);
    return (await isThere(path)) ? fileSource(path) : undefined;
  };
  const waits = { ...(pause === undefined ? {} : { pause }), ...(stall === undefined ? {} : { stall }) };
  return {
    folder,
    find,
    async download(file, options = {}) {
      const path = join(folder, file.name);
      if (!offline) await onDisk(folder, () => mkdir(folder, { recursive: true }));
      return offline ? fetched(file, path, options) : alone(path, () => fetched(file, path, options));
    },
  };

  async function fetched(file: RemoteFile, path: string, options: RunOptions): Promise<ByteSource> {
    if (await isThere(path)) {
      if ((await wrongness(path, file)) === undefined) return fileSource(path);
      if (offline)
        throw new ConvlensError("file-unreadable", `"${path}" ${await wrongness(path, file)}: it is damaged`);
      await onDisk(path, () => rm(path));
    }
    if (offline) throw new ConvlensError("file-missing", `"${path}" is not there, and --offline downloads nothing`);
    const url = addressOf(file, mirror ?? process.env.CONVLENS_MIRROR);
    const part = `${path}.part`;
    // A part may be of an older file in spite of what the server said: then everything comes once more.
    for (let isLast = false; ; isLast = true) {
      const { resumed } = await download(url, part, { ...options, ...waits });
      const wrong = await wrongness(part, file);
      if (wrong === undefined) break;
      await dropPart(part);
      if (!resumed || isLast)
        throw new ConvlensError("network-failed", `${url.href} gave another file: it ${wrong}; nothing of it was kept`);
    }
    await onDisk(path, () => rename(part, path));
    await dropPart(part);
    return fileSource(path);
  }
}

/** Two processes must not write one part file. Throws `output-failed` naming the other one. */
async function alone<T>(path: string, work: () => Promise<T>): Promise<T> {
  const lock = `${path}.lock`;
  const take = (): Promise<boolean> =>
    writeFile(lock, String(process.pid), { flag: "wx" }).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === "EEXIST") return false;
        throw error;
      },
    );
  if (!(await onDisk(lock, take))) {
    const owner = Number(await readFile(lock, "utf8").catch(() => ""));
    if (isRunning(owner))
      throw new ConvlensError(
        "output-failed",
        `process ${owner} downloads "${path}" at this moment: wait for it, or remove "${lock}" if that is something else`,
      );
    // Left behind by a process that was killed.
    await onDisk(lock, () => rm(lock, { force: true }));
    await onDisk(lock, take);
  }
  const drop = (): void => rmSync(lock, { force: true });
  // Ctrl-C ends the process without coming back here.
  process.once("exit", drop);
  try {
    return await work();
  } finally {
    process.off("exit", drop);
    drop();
  }
}

function isRunning(pid: number): boolean {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function defaultFolder(): string {
  const { CONVLENS_CACHE, XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (CONVLENS_CACHE) return CONVLENS_CACHE;
  return join(
    XDG_CACHE_HOME || (process.platform === "win32" && LOCALAPPDATA) || join(homedir(), ".cache"),
    "convlens",
  );
}

/** The published address, or the same path at the mirror. Throws `option-invalid`. */
function addressOf({ address }: RemoteFile, mirror: string | undefined): URL {
  if (!mirror) return new URL(address);
  const base = URL.canParse(mirror) ? new URL(mirror) : undefined;
  if (!base || !/^https?:$/.test(base.protocol))
    throw new ConvlensError("option-invalid", `the mirror "${mirror}" is no http(s) address`);
  const { pathname } = new URL(address);
  return new URL(`${base.href.replace(/\/*$/, "")}${pathname}`);
}

/** What is wrong with a file on disk, or `undefined`. */
async function wrongness(path: string, { md5, sha256, bytes }: RemoteFile): Promise<string | undefined> {
  const { size } = await stat(path);
  if (bytes !== undefined && size !== bytes) return `has ${size} bytes, not ${bytes}`;
  for (const [kind, wanted] of [["md5", md5] as const, ["sha256", sha256] as const]) {
    if (wanted === undefined) continue;
    const hash = createHash(kind);
    for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
    const got = hash.digest("hex");
    if (got !== wanted) return `has the ${kind} ${got}, not ${wanted}`;
  }
  return undefined;
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    (info) => info.isFile(),
    () => false,
  );
