/** SHA-256 of byte sources. Half a gigabyte takes as long as several passes: a thread of its own does it meanwhile. */
import { createHash } from "node:crypto";
import { Worker } from "node:worker_threads";
import { ConvlensError } from "../core/errors.ts";
import type { ByteSource } from "../core/platform.ts";

/** Below it a thread takes longer to start than the file to read. */
const LARGE = 2 ** 25;
/** Small pieces: what was read stays in memory until the next collection. */
const PIECE = 2 ** 18;

/** As text, so that it needs no file of its own in bundles. */
const thread = `
const { createHash } = require("node:crypto");
const { openSync, readSync } = require("node:fs");
const { parentPort, workerData } = require("node:worker_threads");
const hash = createHash("sha256");
const file = openSync(workerData.path, "r");
const piece = Buffer.alloc(workerData.piece);
let size = 0;
for (let count; (count = readSync(file, piece)) > 0; size += count) hash.update(piece.subarray(0, count));
parentPort.postMessage({ hex: hash.digest("hex"), size });
`;

/** The hash in hexadecimal digits. Throws `file-unreadable` where a file changed under the hand, and what reading throws. */
export async function sha256(source: ByteSource): Promise<string> {
  if (source.path !== undefined && source.size >= LARGE) return ofLargeFile(source.path, source);
  const hash = createHash("sha256");
  for (let at = 0; at < source.size; at += PIECE) hash.update(await source.read(at, Math.min(PIECE, source.size - at)));
  return hash.digest("hex");
}

function ofLargeFile(path: string, source: ByteSource): Promise<string> {
  const unreadable = (why: string): ConvlensError =>
    new ConvlensError("file-unreadable", `"${source.name}" could not be read to its end: ${why}`);
  return new Promise((resolve, reject) => {
    const worker = new Worker(thread, { eval: true, workerData: { path, piece: 4 * PIECE } });
    worker.once("error", (error) => reject(unreadable(error.message)));
    worker.once("message", ({ hex, size }: { hex: string; size: number }) => {
      if (size === source.size) resolve(hex);
      else reject(unreadable(`it had ${source.size} bytes when it was opened, and ${size} now`));
    });
  });
}
