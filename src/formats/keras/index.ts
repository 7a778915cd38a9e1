/** Keras' and TensorFlow.js' files: recognised by content, read on demand (the code is loaded only for such a file). */
import type { Format } from "../format.ts";
import { isText } from "../unknown.ts";

const startsWith = (head: Uint8Array, bytes: readonly number[]): boolean => bytes.every((byte, i) => head[i] === byte);
const latin = (head: Uint8Array): string => String.fromCharCode(...head);

export const kerasH5: Format = {
  id: "keras-h5",
  title: "Keras (.h5)",
  match: (head) => startsWith(head, [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]),
  read: async (source, options) => (await import("./read.ts")).readH5(source, options),
};

export const kerasArchive: Format = {
  id: "keras",
  title: "Keras (.keras)",
  match: (head) =>
    startsWith(head, [0x50, 0x4b, 3, 4]) &&
    /^(metadata\.json|config\.json|model\.weights\.(h5|npz)|assets\/)/.test(latin(head.subarray(30, 60))),
  read: async (source) => (await import("./read.ts")).readArchive(source),
};

export const tfjs: Format = {
  id: "tfjs",
  title: "TensorFlow.js layers model (model.json)",
  match: (head) => {
    if (!isText(head)) return false;
    const text = new TextDecoder().decode(head);
    const isTfjs = /^\s*\{/.test(text) && /"modelTopology"|"layers-model"|"weightsManifest"/.test(text);
    // Graph models are TensorFlow's graphs: they have no layers any more.
    return isTfjs && !/"graph-model"|"modelTopology"\s*:\s*\{\s*"(node|library|versions)"/.test(text);
  },
  read: async (source) => (await import("./tfjs.ts")).readTfjs(source),
};
