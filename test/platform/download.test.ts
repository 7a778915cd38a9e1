/** Downloads against a server that behaves in every bad way: gone on with, refused, explained, and never half used. */
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { RemoteFile, RunOptions } from "../../src/core/platform.ts";
import { createNodePlatform } from "../../src/platform/node.ts";

const content = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * i) % 251));
const md5 = createHash("md5").update(content).digest("hex");
const sha256 = createHash("sha256").update(content).digest("hex");

/** What the server does with each request in turn; the last one for all further ones. */
type Behaviour = (request: IncomingMessage, response: ServerResponse) => void;
let behaviours: Behaviour[];
let requests: { url: string | undefined; range: string | undefined; ifRange: string | undefined }[];
let server: Server;
let base: string;
let cache: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    requests.push({ url: request.url, range: request.headers.range, ifRange: request.headers["if-range"] as string });
    (behaviours.length > 1 ? behaviours.shift()! : behaviours[0]!)(request, response);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  base = `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  requests = [];
  cache = mkdtempSync(join(tmpdir(), "convlens-store-"));
  return () => rmSync(cache, { recursive: true, force: true });
});

/** A server as it should be, with ranges and an ETag; `upTo` bytes in, the connection drops. */
const good =
  ({ upTo = content.length, tag = '"v1"', bytes = content }: { upTo?: number; tag?: string; bytes?: Buffer } = {}) =>
  (request: IncomingMessage, response: ServerResponse): void => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    if (from >= bytes.length) {
      response.writeHead(416, { "content-range": `bytes */${bytes.length}` }).end();
      return;
    }
    const goesOn = from > 0 && request.headers["if-range"] === tag;
    const start = goesOn ? from : 0;
    response.writeHead(goesOn ? 206 : 200, {
      "content-length": bytes.length - start,
      ...(tag === "" ? {} : { etag: tag }),
      ...(goesOn ? { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {}),
    });
    if (upTo >= bytes.length) response.end(bytes.subarray(start));
    else response.write(bytes.subarray(start, Math.max(start, upTo)), () => setTimeout(() => response.destroy(), 20));
  };
const status =
  (code: number): Behaviour =>
  (_, response) =>
    response.writeHead(code).end();

const remote: RemoteFile = { name: "net.h5", address: "https://weights.example/some/folder/net.h5", md5 };
const fetchIt = async (
  file: Partial<RemoteFile> = {},
  options: RunOptions & { mirror?: string; offline?: boolean } = {},
) => {
  const { mirror = `${base}/mirrored/`, offline = false, ...run } = options;
  const { store } = createNodePlatform({ cache, mirror, offline, pause: 1, stall: 400 });
  const source = await store!.download({ ...remote, ...file }, run);
  return Buffer.from(await source.read(0, source.size));
};

describe("a good server", () => {
  it("gives the file at the mirror's address; a second call asks nobody", async () => {
    behaviours = [good()];
    const told: number[][] = [];
    const got = await fetchIt({ sha256 }, { onProgress: (done, total) => told.push([done, total]) });
    expect(got.equals(content)).toBe(true);
    expect(requests.map(({ url }) => url)).toEqual(["/mirrored/some/folder/net.h5"]);
    expect(told.at(-1)).toEqual([content.length, content.length]);
    expect(readdirSync(cache)).toEqual(["net.h5"]);
    expect((await fetchIt()).equals(content)).toBe(true);
    expect((await fetchIt({}, { offline: true })).equals(content)).toBe(true);
    expect(requests.length).toBe(1);
  });

  it("replaces a file that was damaged in the folder", async () => {
    behaviours = [good()];
    writeFileSync(join(cache, "net.h5"), "damaged");
    await expect(fetchIt({}, { offline: true })).rejects.toMatchObject({ code: "file-unreadable" });
    expect((await fetchIt()).equals(content)).toBe(true);
  });
});

describe("a connection that drops", () => {
  it("is gone on with in the same run, byte for byte", async () => {
    behaviours = [good({ upTo: 100_000 }), good({ upTo: 200_000 }), good()];
    expect((await fetchIt()).equals(content)).toBe(true);
    expect(requests.length).toBe(3);
    expect(requests[0]!.range).toBeUndefined();
    for (const { range, ifRange } of requests.slice(1)) {
      expect(Number(/^bytes=(\d+)-$/.exec(range!)![1])).toBeGreaterThan(0);
      expect(ifRange).toBe('"v1"');
    }
    expect(readdirSync(cache)).toEqual(["net.h5"]);
  });

  it("that never ends well keeps the part, under no name that is used; the next run goes on", async () => {
    behaviours = [good({ upTo: 100_000 })];
    await expect(fetchIt()).rejects.toMatchObject({
      code: "network-failed",
      message: expect.stringMatching(/broke off, 5 times in a row, 100000 bytes .* it goes on from there$/),
    });
    expect(existsSync(join(cache, "net.h5"))).toBe(false);
    expect(readFileSync(join(cache, "net.h5.part")).equals(content.subarray(0, 100_000))).toBe(true);
    const { store } = createNodePlatform({ cache });
    expect(await store!.find("net.h5")).toBeUndefined();
    [requests, behaviours] = [[], [good()]];
    expect((await fetchIt()).equals(content)).toBe(true);
    expect(requests.map(({ range }) => range)).toEqual(["bytes=100000-"]);
  });

  it("begins anew where the server's file has changed, or has no tag", async () => {
    const old = Buffer.alloc(content.length, 7);
    behaviours = [good({ upTo: 100_000, tag: '"v0"', bytes: old }), good()];
    expect((await fetchIt()).equals(content)).toBe(true);
    rmSync(join(cache, "net.h5"));
    behaviours = [good({ upTo: 100_000, tag: "" }), good({ tag: "" })];
    expect((await fetchIt()).equals(content)).toBe(true);
    expect(requests.at(-1)!.range).toBeUndefined();
  });

  it("takes no range that it did not ask for", async () => {
    const wrong: Behaviour = (_, response) =>
      response
        .writeHead(206, { "content-range": `bytes 50-${content.length - 1}/${content.length}`, etag: '"v1"' })
        .end(content.subarray(50));
    behaviours = [good({ upTo: 100_000 }), wrong, good()];
    expect((await fetchIt()).equals(content)).toBe(true);
  });

  it("that dropped behind the last byte needs nothing more", async () => {
    writeFileSync(join(cache, "net.h5.part"), content);
    writeFileSync(join(cache, "net.h5.part.tag"), '"v1"');
    behaviours = [good()];
    expect((await fetchIt()).equals(content)).toBe(true);
    expect(requests.map(({ range }) => range)).toEqual([`bytes=${content.length}-`]);
  });

  it("stopped by the caller keeps the part", async () => {
    const controller = new AbortController();
    behaviours = [(_, response) => response.writeHead(200, { etag: '"v1"', "content-length": 300_000 }).write("begun")];
    const stopped = fetchIt({}, { signal: controller.signal, onProgress: () => controller.abort() });
    await expect(stopped).rejects.toMatchObject({ code: "cancelled" });
    expect(readdirSync(cache).sort()).toEqual(["net.h5.part", "net.h5.part.tag"]);
  });

  it("goes on where the server falls silent without closing", async () => {
    const silent: Behaviour = (_, response) =>
      response.writeHead(200, { etag: '"v1"', "content-length": content.length }).write(content.subarray(0, 1000));
    behaviours = [silent, () => undefined, good()];
    expect((await fetchIt()).equals(content)).toBe(true);
    expect(requests.map(({ range }) => range)).toEqual([undefined, "bytes=1000-", "bytes=1000-"]);
  });

  it("is one process's alone; what a killed one left is taken over", async () => {
    behaviours = [good()];
    writeFileSync(join(cache, "net.h5.lock"), String(process.ppid));
    await expect(fetchIt()).rejects.toMatchObject({
      code: "output-failed",
      message: expect.stringContaining(`process ${process.ppid} downloads`),
    });
    expect(requests).toEqual([]);
    writeFileSync(join(cache, "net.h5.lock"), "999999999");
    expect((await fetchIt()).equals(content)).toBe(true);
    expect(readdirSync(cache)).toEqual(["net.h5"]);
  });

  it("waits for a server that is busy", async () => {
    behaviours = [status(503), status(429), good()];
    expect((await fetchIt()).equals(content)).toBe(true);
  });
});

describe("what is refused", () => {
  const wrong = Buffer.from(content).fill(1, 1000, 1010);

  it("wrong bytes: nothing of them is kept", async () => {
    behaviours = [good({ bytes: wrong })];
    await expect(fetchIt()).rejects.toMatchObject({
      code: "network-failed",
      message: expect.stringMatching(new RegExp(`gave another file: it has the md5 [0-9a-f]{32}, not ${md5}; nothing`)),
    });
    expect(readdirSync(cache)).toEqual([]);
    await expect(fetchIt({ bytes: 5 })).rejects.toMatchObject({
      message: expect.stringContaining("300000 bytes, not 5"),
    });
    behaviours = [good()];
    await expect(fetchIt({ sha256: "0".repeat(64) })).rejects.toMatchObject({
      message: expect.stringContaining("sha256"),
    });
    expect(readdirSync(cache)).toEqual([]);
  });

  it("wrong bytes in the part alone: everything comes once more", async () => {
    writeFileSync(join(cache, "net.h5.part"), wrong.subarray(0, 100_000));
    writeFileSync(join(cache, "net.h5.part.tag"), '"v1"');
    behaviours = [good()];
    expect((await fetchIt()).equals(content)).toBe(true);
    expect(requests.map(({ range }) => range)).toEqual(["bytes=100000-", undefined]);
  });

  it.each([
    [404, /answered 404 .*there is no such file: check --mirror/],
    [403, /answered 403 .*may not be read from here/],
    [410, /answered 410 Gone$/],
  ])("%i, at once and with what to do", async (code, message) => {
    behaviours = [status(code)];
    await expect(fetchIt()).rejects.toMatchObject({ code: "network-failed", message: expect.stringMatching(message) });
    expect(requests.length).toBe(1);
    expect(existsSync(join(cache, "net.h5"))).toBe(false);
  });

  it("a web page in place of the file", async () => {
    behaviours = [(_, response) => response.setHeader("content-type", "text/html; charset=utf-8").end("<html>Log in")];
    await expect(fetchIt({ md5: createHash("md5").update("<html>Log in").digest("hex") })).rejects.toMatchObject({
      message: expect.stringContaining("a web page in place of the file"),
    });
  });

  it("no server, offline, a mirror that is no address, a folder that is none", async () => {
    await expect(fetchIt({}, { mirror: "http://127.0.0.1:9" })).rejects.toMatchObject({
      code: "network-failed",
      message: expect.stringMatching(/^http:\/\/127.0.0.1:9\/some\/folder\/net.h5 cannot be reached/),
    });
    await expect(fetchIt({}, { offline: true })).rejects.toMatchObject({ code: "file-missing" });
    vi.stubEnv("HTTP_PROXY", "http://proxy.example:3128");
    await expect(fetchIt({}, { mirror: "http://nowhere.invalid" })).rejects.toThrow("NODE_USE_ENV_PROXY=1");
    vi.unstubAllEnvs();
    await expect(fetchIt({}, { mirror: "ftp://x" })).rejects.toMatchObject({ code: "option-invalid" });
    writeFileSync(join(cache, "file"), "");
    const { store } = createNodePlatform({ cache: join(cache, "file"), mirror: base });
    await expect(store!.download(remote)).rejects.toMatchObject({
      code: "output-failed",
      message: expect.stringContaining("CONVLENS_CACHE"),
    });
  });
});
