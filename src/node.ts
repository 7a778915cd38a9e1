/** Convlens in Node: `openModel` and `openImage` over files, addresses and bytes. */
import type { Platform } from "./core/platform.ts";
import type { DecodedImage, DecodeOptions } from "./image/index.ts";
import type { Model } from "./model/model.ts";
import { type OpenOptions, openModel as openWith } from "./model/open.ts";
import { openImageWith } from "./model/open-image.ts";
import { nodePlatform } from "./platform/node.ts";

export { onDisk } from "./platform/disk.ts";
export { createNodePlatform, type NodePlatformOptions } from "./platform/node.ts";

/** What is opened: a path, an http(s) address, bytes, a Blob, or Files that belong together. */
export type Openable = string | URL | Uint8Array | ArrayBuffer | Blob | readonly File[];

/** The platform that `openModel` and `openImage` use unless another is given. */
export const platform: Platform = nodePlatform;

/** Opens a network: a path, an address, bytes, or an id: embedded (`cats-and-dogs`, `cifar10`) or downloaded (`vgg16` …). */
export const openModel = (what: Openable, options: OpenOptions = {}, on: Platform = platform): Promise<Model> =>
  openWith(on, what, options);

/** Opens a photograph: PNG, JPEG or WebP. Turned upright by its EXIF entry unless `exif` is false. */
export const openImage = (
  what: Openable,
  options: Omit<DecodeOptions, "codec" | "zlib"> = {},
  on: Platform = platform,
): Promise<DecodedImage & { readonly name: string }> => openImageWith(on, what, options);

/** The path of the photograph that ships with Convlens: chelsea, a cat (CC0). */
export const embeddedPhotograph = async (): Promise<string> =>
  (await platform.embedded("photographs/chelsea.png")).path!;
