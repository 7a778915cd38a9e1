/** Byte sources that need no platform: an array in memory, a Blob (a File of a page is one). */
import { ConvlensError } from "../core/errors.ts";
import type { ByteSource } from "../core/platform.ts";

/** Bytes in memory; `sibling` finds files beside them, where the caller knows any. */
export function bytesSource(
  name: string,
  bytes: Uint8Array,
  sibling: ByteSource["sibling"] = async () => undefined,
): ByteSource {
  if (bytes.byteLength === 0) throw emptyError(name);
  return {
    name,
    size: bytes.byteLength,
    read: async (offset, length) => {
      if (offset + length > bytes.byteLength) throw endError(name, offset + length, bytes.byteLength);
      return bytes.subarray(offset, offset + length);
    },
    sibling,
  };
}

/** A Blob or File, read range by range. It has no siblings: a page knows only the files it was given. */
export function blobSource(name: string, blob: Blob): ByteSource {
  if (blob.size === 0) throw emptyError(name);
  return {
    name,
    size: blob.size,
    read: async (offset, length) => {
      if (offset + length > blob.size) throw endError(name, offset + length, blob.size);
      return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
    },
    sibling: async () => undefined,
  };
}

const modelName = /\.(onnx|keras|h5|hdf5)$/i;

/**
 * Files that were given together: the model among them, the others as its siblings, found by their names whatever folder
 * the model names. Throws `option-invalid` for an empty set.
 */
function filesSource(files: readonly File[]): ByteSource {
  const main =
    files.find(({ name }) => modelName.test(name)) ??
    files.find(({ name }) => name === "model.json") ??
    files.find(({ name }) => /\.json$/i.test(name)) ??
    files[0];
  if (!main) throw new ConvlensError("option-invalid", "no file is given: give the model's files");
  const named = (path: string): File | undefined => files.find((file) => file.name === path.replace(/^.*[/\\]/, ""));
  return {
    ...blobSource(main.name, main),
    sibling: async (path) => {
      const file = named(path);
      return file && blobSource(file.name, file);
    },
  };
}

/** The source of what both platforms take alike; `undefined` for paths and addresses. */
export function memorySource(what: unknown, name: string | undefined): ByteSource | undefined {
  if (what instanceof Uint8Array) return bytesSource(name ?? "bytes", what);
  if (what instanceof ArrayBuffer) return bytesSource(name ?? "bytes", new Uint8Array(what));
  if (typeof Blob !== "undefined" && what instanceof Blob) {
    const own = "name" in what && typeof what.name === "string" ? what.name : "blob";
    return blobSource(name ?? own, what);
  }
  if (Array.isArray(what) && typeof File !== "undefined" && what.every((file) => file instanceof File))
    return filesSource(what);
  return undefined;
}

export const readAll = (source: ByteSource): Promise<Uint8Array> => source.read(0, source.size);

export const emptyError = (name: string): ConvlensError =>
  new ConvlensError("file-unreadable", `"${name}" is empty (0 bytes): download or export it again`);

export const endError = (name: string, wanted: number, size: number): ConvlensError =>
  new ConvlensError(
    "file-truncated",
    `"${name}" ends too early: ${wanted} bytes are needed and it has ${size}; download or export it again`,
  );
