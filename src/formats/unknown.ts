// biome-ignore-all lint/suspicious/noControlCharactersInRegex: patterns over the bytes of binary files
/** What the first bytes of an unknown file look like: most often a download that went wrong. */

const OPENED = "Convlens opens ONNX (.onnx), Keras (.h5, .keras) and TensorFlow.js (model.json) files";

/** Whether bytes can be text: UTF-8 (perhaps cut in a character) without control characters. */
export const isText = (head: Uint8Array): boolean => {
  try {
    return !/[\0-\x08\x0e-\x1f]/.test(new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: true }));
  } catch {
    return false;
  }
};

/** The end of a sentence that begins with the file's name. */
export function describeBytes(head: Uint8Array, size: number): string {
  const bytes = [...head.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  if (!isText(head)) {
    if (bytes.startsWith("50 4b 03 04"))
      return `is a zip archive of no known kind; unpack it and name the model inside. ${OPENED}`;
    if (bytes.startsWith("1f 8b")) return `is compressed with gzip; unpack it first (gunzip or tar -xzf). ${OPENED}`;
    if (head.every((byte) => byte === 0)) return `holds zeros only; the download is incomplete, get the file again`;
    return `is no model of a known kind: its ${size} bytes begin with ${bytes}. ${OPENED}`;
  }
  const text = new TextDecoder().decode(head).trimStart();
  if (text.startsWith("version https://git-lfs.github.com/spec/"))
    return 'is a Git LFS pointer, not the file itself; run "git lfs pull" in its repository, or download the file from its web page';
  if (/^(<!doctype html|<html|<head|<\?xml[^>]*>\s*<!doctype html)/i.test(text))
    return "is a web page, not a model: the download gave the page about the file; use the page's download link (on GitHub: Raw)";
  const line = text.split(/[\r\n]/)[0]!.slice(0, 60);
  return `is a text file that begins with ${JSON.stringify(line)}, not a model. ${OPENED}`;
}
