/** Files behind http(s) addresses: fetched whole into memory, by Node and browsers alike. */
import { ConvlensError } from "../core/errors.ts";
import type { ByteSource } from "../core/platform.ts";
import { bytesSource } from "./source.ts";

/** The most that is fetched into memory; larger files must be downloaded and opened from disk. */
const MOST_BYTES = 2 ** 31 - 1;

/** Whether a string or URL is an http(s) address. */
export function httpAddress(what: unknown): URL | undefined {
  if (what instanceof URL) return /^https?:$/.test(what.protocol) ? what : undefined;
  return typeof what === "string" && /^https?:\/\//i.test(what) && URL.canParse(what) ? new URL(what) : undefined;
}

function nameOf(url: URL): string {
  const name = url.pathname.split("/").pop() || url.hostname;
  try {
    return decodeURIComponent(name);
  } catch {
    return name; // a stray %
  }
}

/** Fetches a file; files beside it are fetched when they are asked for. Throws `network-failed`. */
export async function addressSource(url: URL, name: string = nameOf(url)): Promise<ByteSource> {
  const response = await answer(url);
  if (!response.ok)
    throw new ConvlensError("network-failed", `${url.href} answered ${response.status} ${response.statusText}`.trim());
  return bytesSource(name, await body(url, response), (path) => addressSibling(url, path));
}

async function addressSibling(url: URL, path: string): Promise<ByteSource | undefined> {
  const folder = new URL(".", url);
  const target = new URL(path, folder);
  if (!target.href.startsWith(folder.href))
    throw new ConvlensError("model-invalid", `"${nameOf(url)}" names "${path}", which is outside its own folder`);
  const response = await answer(target);
  // Servers of single pages answer every address with their page: that is not the file.
  if (!response.ok || response.headers.get("content-type")?.startsWith("text/html")) return undefined;
  return bytesSource(nameOf(target), await body(target, response));
}

async function answer(url: URL): Promise<Response> {
  try {
    return await fetch(url);
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new ConvlensError("network-failed", `${url.href} cannot be reached: ${cause}`, { cause: error });
  }
}

async function body(url: URL, response: Response): Promise<Uint8Array> {
  const size = Number(response.headers.get("content-length") ?? 0);
  if (size > MOST_BYTES)
    throw new ConvlensError("network-failed", `${url.href} has ${size} bytes: download it and open the file on disk`);
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    throw new ConvlensError("network-failed", `${url.href} broke off while it was read`, { cause: error });
  }
}
