/**
 * The journal of a long run: a first line that says what the run is, then one line of JSON for each finished piece,
 * flushed to the disk before the next begins. A run that was killed goes on where it stopped: half a line is cut off.
 */
import { type FileHandle, open, readFile, rm, truncate } from "node:fs/promises";
import { dirname } from "node:path";
import { ConvlensError } from "../index.ts";
import { makeFolder, told } from "./outputs.ts";

export interface Journal<T> {
  /** What earlier runs have finished. */
  readonly records: readonly T[];
  append(record: T): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a journal, new or begun; one in which nothing was finished yet begins anew. Throws `option-invalid` where it is another run's, naming what differs, and
 * `output-failed` where it cannot be written.
 */
export async function openJournal<T>(path: string, settings: Readonly<Record<string, unknown>>): Promise<Journal<T>> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw new ConvlensError("file-unreadable", `"${path}" cannot be read (${error.code}); choose another --out`);
  });
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  const [head, ...lines] = whole.split("\n").filter(Boolean);
  const before = head === undefined ? undefined : parsed(path, head, 1);
  const isBegun = before !== undefined && (lines.length > 0 || before.convlens !== settings.convlens);
  if (isBegun) mustBeSame(path, before, settings);
  const records = lines.map((line, i) => parsed(path, line, i + 2) as T);
  return told(path, async () => {
    await makeFolder(dirname(path));
    if (!isBegun) await rm(path, { force: true });
    else if (whole.length < text.length) await truncate(path, Buffer.byteLength(whole));
    const file: FileHandle = await open(path, "a");
    const write = async (value: unknown): Promise<void> => {
      await file.writeFile(`${JSON.stringify(value)}\n`);
      await file.datasync();
    };
    if (!isBegun) await write(settings);
    return {
      records,
      append: (record) => told(path, () => write(record)),
      close: () => file.close(),
    };
  });
}

function parsed(path: string, line: string, number: number): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Told below, as any other line that is no record.
  }
  throw new ConvlensError(
    "file-unreadable",
    `line ${number} of "${path}" is no record of a run: choose another --out, or remove the file`,
  );
}

function mustBeSame(
  path: string,
  before: Readonly<Record<string, unknown>>,
  now: Readonly<Record<string, unknown>>,
): void {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  const differing = names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(now[name]));
  if (differing.length === 0) return;
  const [name] = differing as [string];
  throw new ConvlensError(
    "option-invalid",
    `"${path}" belongs to another run: its ${differing.join(", ")} differ${differing.length === 1 ? "s" : ""} (${name}: ${JSON.stringify(before[name])}, now ${JSON.stringify(now[name])}); choose another --out, or remove the file to begin anew`,
  );
}
