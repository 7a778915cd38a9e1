/** Photographs: decoding, encoding, resizing and cutting, with the pixels that Python's libraries give. */
export { encodeApng } from "./apng.ts";
export { centerCrop, crop, pad } from "./crop.ts";
export { type DecodedImage, type DecodeOptions, decodeImage } from "./decode.ts";
export { encodePng, type PngOptions, packPng } from "./encode.ts";
export { encodeJpeg } from "./jpeg.ts";
export { resizeMap } from "./map.ts";
export { type ResizeLibrary, resize, resizers } from "./resize.ts";
export type { ResizeMode } from "./resizer.ts";
