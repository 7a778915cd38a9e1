/** A part of a file that is a file of its own: a member of an archive, or the whole; and bytes in memory as a source. */
import { ConvlensError } from "../core/errors.ts";
import type { ByteSource } from "../core/platform.ts";

/** `size` bytes at `offset` of `source`. */
export interface Region {
  readonly source: ByteSource;
  readonly offset: number;
  readonly size: number;
}

export const wholeOf = (source: ByteSource): Region => ({ source, offset: 0, size: source.size });

/** Reads from a region. Throws `file-truncated` beyond its end. */
export async function readRegion(region: Region, offset: number, length: number): Promise<Uint8Array> {
  const { source, size } = region;
  if (!(offset >= 0 && length >= 0 && offset + length <= size))
    throw new ConvlensError(
      "file-truncated",
      `"${source.name}" ends too early: bytes ${offset} to ${offset + length} are needed and there are ${size}; download or export it again`,
    );
  return source.read(region.offset + offset, length);
}

/** Bytes that were unpacked from a file, under its name. */
export const unpackedSource = (name: string, bytes: Uint8Array): ByteSource => ({
  name,
  size: bytes.byteLength,
  read: async (offset, length) => {
    if (offset + length > bytes.byteLength)
      throw new ConvlensError("file-truncated", `"${name}": what it holds packed ends too early; get the file again`);
    return bytes.subarray(offset, offset + length);
  },
  sibling: async () => undefined,
});
