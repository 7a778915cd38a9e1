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
  /** Milliseconds without a byte after which a connection counts as broken. */
  readonly stall?: number;
}

/** Attempts in a row that bring nothing new. */
const PATIENCE = 5;

/** The connection failed in a way that another attempt may mend. */
class Interruption extends Error {}

/** Nothing came for too long. */
class Silence extends Error {}

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
  { signal, onProgress, pause = 1000, stall = 60_000 }: DownloadOptions,
): Promise<{ readonly resumed: boolean }> {
  let [most, failures, resumed] = [await sizeOf(part), 0, false];
  for (;;) {
    try {
      const watch = watchdog(stall, signal);
      try {
        resumed = (await attempt(url, part, watch, onProgress)) || resumed;
      } finally {
        watch.end();
      }
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

interface Watchdog {
  readonly signal: AbortSignal;
  /** Something came: the time begins anew. */
  alive(): void;
  end(): void;
}

/** Node waits five minutes for a connection that has died without a word. */
function watchdog(stall: number, given: AbortSignal | undefined): Watchdog {
  const controller = new AbortController();
  const bark = (): void => controller.abort(new Silence(`sent nothing for ${stall / 1000} s`));
  let timer = setTimeout(bark, stall);
  return {
    signal: given ? AbortSignal.any([given, controller.signal]) : controller.signal,
    alive: () => {
      clearTimeout(timer);
      timer = setTimeout(bark, stall);
    },
    end: () => clearTimeout(timer),
  };
}

/** One request; returns whether it went on with a part. */
async function attempt(
  url: URL,
  part: string,
  { signal, alive }: Watchdog,
  onProgress: RunOptions["onProgress"],
): Promise<boolean> {
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
    const arrived = await receive(response, handle, part, goesOn ? have : 0, (done) => {
      alive();
      onProgress?.(done, total, url.pathname.split("/").pop() ?? "");
    });
    if (total > 0 && arrived !== total) throw new Interruption("broke off");
  } finally {
    await handle.close();
  }
  return goesOn;
}

async function answer(url: URL, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
  try {
    // Packed on the way, lengths and ranges would not be those of the file.
    return await fetch(url, { headers: { ...headers, "accept-encoding": "identity" }, signal });
  } catch (error) {
    if (error instanceof Silence) throw new Interruption(error.message, { cause: error });
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const why = cause instanceof Error && cause.message !== "" ? cause.message : String(error);
    throw new Interruption(`cannot be reached (${why}${proxyHint(url)})`, { cause: error });
  }
}

/** Node asks a proxy only when it is told to, and older ones never do. */
function proxyHint({ protocol, hostname }: URL): string {
  const { env } = process;
  const proxy = protocol === "https:" ? (env.HTTPS_PROXY ?? env.https_proxy) : (env.HTTP_PROXY ?? env.http_proxy);
  if (!proxy || env.NODE_USE_ENV_PROXY === "1" || /^(localhost|127\.|\[::1\])/.test(hostname)) return "";
  return "; Node takes the proxy of the environment only with NODE_USE_ENV_PROXY=1, from version 22.21 on";
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
      throw new Interruption(error instanceof Silence ? error.message : "broke off", { cause: error });
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
