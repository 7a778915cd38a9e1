/** Convlens in browsers: `openModel` and `openImage` over addresses, Files, Blobs and bytes. */
import type { Platform } from "./core/platform.ts";
import type { DecodedImage, DecodeOptions } from "./image/index.ts";
import type { Model } from "./model/model.ts";
import { type OpenOptions, openModel as openWith } from "./model/open.ts";
import { openImageWith } from "./model/open-image.ts";
import { webPlatform } from "./platform/web.ts";

export { createWebPlatform, type WebPlatformOptions } from "./platform/web.ts";

/** What is opened: an address (relative ones are meant from the page), a File or Blob, bytes, or Files dropped together. */
export type Openable = string | URL | Uint8Array | ArrayBuffer | Blob | readonly File[];

/** The platform that `openModel` and `openImage` use unless another is given. */
export const platform: Platform = webPlatform;

/** Opens a network: an address, a File, bytes, or an embedded id (`cats-and-dogs`, `cifar10`). */
export const openModel = (what: Openable, options: OpenOptions = {}, on: Platform = platform): Promise<Model> =>
  openWith(on, what, options);

/** Opens a photograph: PNG, JPEG or WebP. Turned upright by its EXIF entry unless `exif` is false. */
export const openImage = (
  what: Openable,
  options: Omit<DecodeOptions, "codec" | "zlib"> = {},
  on: Platform = platform,
): Promise<DecodedImage & { readonly name: string }> => openImageWith(on, what, options);
