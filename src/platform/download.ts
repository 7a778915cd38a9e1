/**
 * One file from the network to disk, in as many pieces as the connection needs. What has arrived lies in a part file and
 * is gone on with by a range request, in this run or the next, as long as the server's file is still the same one.
 */
import { type FileHandle, open, readFile, rm, stat, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { ConvlensError, throwIfCancelled } from "../core/errors.ts";
import type { RunOptions } from "../core/platform.ts";
import { onDisk } from "./disk.ts";

export interface DownloadOptions extends RunOptions {
  /** Milliseconds before the first new attempt; later ones wait longer. */
  readonly pause?: number;
}

/** Attempts in a row that bring nothing new. */
const PATIENCE = 5;

/** The connection failed in a way that another attempt may mend. */
class Interruption extends Error {}

/** What identifies the server's file, so that a part of an older one is not gone on with. */
const validatorOf = (part: string): string => `${part}.tag`;

/** Removes a part file and what belongs to it. */
export async function dropPart(part: string): Promise<void> {
  await rm(part, { force: true });
  await rm(validatorOf(part), { force: true });
}

/**
 * Downloads into the file `part`; returns whether a part was gone on with. `onProgress` counts bytes (total 0: unknown).
 * Throws `network-failed`, `output-failed` and `cancelled`; what has arrived stays for the next call.
 */
export async function download(
  url: URL,
  part: string,
  { signal, onProgress, pause = 1000 }: DownloadOptions,
): Promise<{ readonly resumed: boolean }> {
  let [most, failures, resumed] = [await sizeOf(part), 0, false];
  for (;;) {
    try {
      resumed =
        (await attempt(url, part, { ...(signal ? { signal } : {}), ...(onProgress ? { onProgress } : {}) })) || resumed;
      return { resumed };
    } catch (error) {
      throwIfCancelled(signal);
      if (!(error instanceof Interruption)) throw error;
      const arrived = await sizeOf(part);
      if (arrived > most) [most, failures] = [arrived, 0];
      if (++failures >= PATIENCE)
        throw new ConvlensError(
          "network-failed",
          `${url.href} ${error.message}, ${PATIENCE} times in a row, ${arrived} bytes having arrived; run the command again: it goes on from there`,
          { cause: error },
        );
      await sleep(pause * failures);
    }
  }
}

/** One request; returns whether it went on with a part. */
async function attempt(url: URL, part: string, { signal, onProgress }: RunOptions): Promise<boolean> {
  const validator = await readFile(validatorOf(part), "utf8").catch(() => "");
  const have = validator === "" ? 0 : await sizeOf(part);
  const response = await answer(url, have > 0 ? { range: `bytes=${have}-`, "if-range": validator } : {}, signal);
  const [, from, all] = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get("content-range") ?? "") ?? [];
  if (response.status === 416 && response.headers.get("content-range") === `bytes */${have}`) return true;
  const goesOn = response.status === 206 && Number(from) === have && have > 0;
  if (response.status === 416 || (response.status === 206 && !goesOn)) {
    await response.body?.cancel();
    await dropPart(part);
    throw new Interruption("answered with a range that was not asked for");
  }
  await refuse(url, response);
  const length = Number(response.headers.get("content-length") ?? 0);
  const total = goesOn ? Number(all) : length;
  if (!goesOn) await onDisk(part, () => writeFile(validatorOf(part), strongValidator(response)));
  const handle = await onDisk(part, () => open(part, goesOn ? "r+" : "w"));
  try {
    const arrived = await receive(response, handle, part, goesOn ? have : 0, (done) =>
      onProgress?.(done, total, url.pathname.split("/").pop() ?? ""),
    );
    if (total > 0 && arrived !== total) throw new Interruption("broke off");
  } finally {
    await handle.close();
  }
  return goesOn;
}

async function answer(url: URL, headers: Record<string, string>, signal: AbortSignal | undefined): Promise<Response> {
  try {
    // Packed on the way, lengths and ranges would not be those of the file.
    return await fetch(url, { headers: { ...headers, "accept-encoding": "identity" }, ...(signal ? { signal } : {}) });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : undefined;
    throw new Interruption(`cannot be reached (${cause?.message || String(error)})`, { cause: error });
  }
}

/** What is to be done about answers that are no file. */
const advice: Readonly<Record<number, string>> = {
  401: "it wants a login: name another source with --mirror",
  403: "it may not be read from here: a proxy or the server refuses; name another source with --mirror",
  404: "there is no such file: check --mirror and CONVLENS_MIRROR",
  407: "a proxy on the way wants a login",
};

/** Throws for every answer but a file. */
async function refuse(url: URL, response: Response): Promise<void> {
  const { status, statusText, headers } = response;
  const isPage = headers.get("content-type")?.startsWith("text/html") === true;
  if (response.ok && !isPage) return;
  await response.body?.cancel();
  if (status >= 500 || status === 429 || status === 408)
    throw new Interruption(`answered ${status} ${statusText}`.trim());
  const why = response.ok
    ? "answered with a web page in place of the file: a proxy or a login page stands between"
    : [`answered ${status} ${statusText}`.trim(), advice[status]].filter(Boolean).join(": ");
  throw new ConvlensError("network-failed", `${url.href} ${why}`);
}

/** An ETag that stands for the very bytes, else the time of the last change; "" where the server gives neither. */
function strongValidator({ headers }: Response): string {
  const tag = headers.get("etag");
  return tag !== null && !tag.startsWith("W/") ? tag : (headers.get("last-modified") ?? "");
}

/** Writes a body from a position on; returns the position behind it. */
async function receive(
  response: Response,
  handle: FileHandle,
  part: string,
  from: number,
  onProgress: (done: number) => void,
): Promise<number> {
  let at = from;
  const reader = response.body?.getReader();
  for (;;) {
    const piece = await reader?.read().catch((error: unknown) => {
      throw new Interruption("broke off", { cause: error });
    });
    if (!piece || piece.done) return at;
    const bytes = piece.value;
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await onDisk(part, () => handle.write(bytes, done, bytes.length - done, at));
      done += bytesWritten;
      at += bytesWritten;
    }
    onProgress(at);
  }
}

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );
