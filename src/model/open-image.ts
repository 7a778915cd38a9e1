/** Opens a photograph through a platform. */
import type { Platform } from "../core/platform.ts";
import { type DecodedImage, type DecodeOptions, decodeImage } from "../image/index.ts";

/** Reads and decodes; `name` is the file's. Throws what `Platform.open` and `decodeImage` throw. */
export async function openImageWith(
  platform: Platform,
  what: Parameters<Platform["open"]>[0],
  options: Omit<DecodeOptions, "codec" | "zlib">,
): Promise<DecodedImage & { readonly name: string }> {
  const source = await platform.open(what, options.name);
  const bytes = await source.read(0, source.size);
  const { codec, zlib } = platform;
  const decoded = await decodeImage(bytes, { name: source.name, ...options, codec, zlib });
  return { ...decoded, name: source.name };
}
