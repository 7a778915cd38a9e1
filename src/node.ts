/** Convlens in Node: `openModel` and `openImage` over files, addresses and bytes. */
import type { Platform } from "./core/platform.ts";
import { type DecodedImage, type DecodeOptions, decodeImage } from "./image/index.ts";
import type { Model } from "./model/model.ts";
import { type OpenOptions, openModel as openWith } from "./model/open.ts";
import { nodePlatform } from "./platform/node.ts";

export { createNodePlatform, type NodePlatformOptions } from "./platform/node.ts";

/** The platform that `openModel` and `openImage` use unless another is given. */
export const platform: Platform = nodePlatform;

/** Opens a network: a path, an http(s) address, bytes, or an embedded id (`cats-and-dogs`, `cifar10`). */
export const openModel = (
  what: string | URL | Uint8Array | ArrayBuffer | Blob,
  options: OpenOptions = {},
  on: Platform = platform,
): Promise<Model> => openWith(on, what, options);

/** Opens a photograph: PNG, JPEG or WebP. Turned upright by its EXIF entry unless `exif` is false. */
export async function openImage(
  what: string | URL | Uint8Array | ArrayBuffer | Blob,
  options: Omit<DecodeOptions, "codec"> = {},
  on: Platform = platform,
): Promise<DecodedImage & { readonly name: string }> {
  const source = await on.open(what, options.name);
  const bytes = await source.read(0, source.size);
  return { ...(await decodeImage(bytes, { name: source.name, ...options, codec: on.codec })), name: source.name };
}
