/**
 * Picture files to pixels: PNG, JPEG and WebP, told apart by content. Other kinds are recognised and answered with
 * how to convert them; whatever is broken, cut off or absurdly large gives one `ConvlensError`.
 */
import { ConvlensError } from "../core/errors.ts";
import type { Picture } from "../core/picture.ts";
import type { Platform } from "../core/platform.ts";
import { orient, orientations } from "./exif.ts";
import { type ImageHeader, ImageProblem } from "./header.ts";
import { decodeJpeg, jpegHeader } from "./jpeg.ts";
import { kindOf } from "./kind.ts";

/** The most pixels a side: resizing a picture of one row of 100 million would take gigabytes. */
const mostSide = 100_000;

export interface DecodeOptions {
  /** The platform's `codec`. */
  readonly codec: Platform["codec"];
  /** The platform's `zlib`: PNG opens faster with it. */
  readonly zlib?: Platform["zlib"] | undefined;
  /** The file's name, for messages. */
  readonly name?: string;
  /** Turn the picture upright by its EXIF orientation. Default true. */
  readonly exif?: boolean;
  /** The most pixels that are decoded; the header is asked first. Default 100 million. */
  readonly maxPixels?: number;
}

export interface DecodedImage {
  /** Always opaque: alpha is 255. */
  readonly picture: Picture;
  /** What was turned, dropped or reduced. */
  readonly notes: readonly string[];
}

/**
 * Decodes a PNG, JPEG or WebP file to 8-bit RGB, equal to Pillow's `Image.open(…).convert("RGB")` after
 * `ImageOps.exif_transpose`. Throws `image-invalid` (empty, no picture, damaged, too large) or `image-unsupported`.
 */
export async function decodeImage(bytes: Uint8Array, options: DecodeOptions): Promise<DecodedImage> {
  const { codec, exif = true, maxPixels = 100e6 } = options;
  const name = options.name === undefined ? "the file" : `"${options.name}"`;
  const kind = kindOf(bytes);
  try {
    const check = <T extends ImageHeader>(header: T): T => {
      const { width, height } = header;
      if (width === 0 || height === 0) throw new ImageProblem(`has no pixels: its size is ${width} x ${height}`);
      if (width * height > maxPixels) {
        const most = maxPixels >= 1e6 ? `${maxPixels / 1e6} million` : String(maxPixels);
        throw new ImageProblem(`is ${width} x ${height} pixels, and at most ${most} are decoded: shrink it first`);
      }
      if (Math.max(width, height) > mostSide) {
        throw new ImageProblem(
          `is ${width} x ${height} pixels, and at most ${mostSide} a side are decoded: shrink it first`,
        );
      }
      return header;
    };
    let decoded: DecodedImage;
    let header: ImageHeader;
    if (kind === "PNG") {
      const { pngHeader, decodePng } = await import("./png.ts");
      const png = check(pngHeader(bytes, options.zlib));
      header = png;
      decoded = await decodePng(png, options.zlib);
    } else if (kind === "JPEG") {
      header = check(jpegHeader(bytes));
      decoded = { picture: await decodeJpeg(bytes, header), notes: header.notes };
    } else if (kind === "WebP") {
      const { webpHeader, decodeWebp } = await import("./webp.ts");
      header = check(webpHeader(bytes));
      decoded = await decodeWebp(bytes, header, codec);
    } else if (bytes.length === 0) throw new ImageProblem("is empty");
    else if (kind === undefined) throw new ImageProblem("is no picture: PNG, JPEG or WebP is expected");
    else throw new ImageProblem(`is ${article(kind)} ${kind} picture`, { unsupported: true });
    return upright(decoded, header.orientation, exif);
  } catch (error) {
    throw explain(error, name, options.name ?? "IN");
  }
}

const article = (word: string): string => (/^([AEIO]|SVG)/.test(word) ? "an" : "a");

function upright({ picture, notes }: DecodedImage, orientation: number, exif: boolean): DecodedImage {
  if (orientation === 1) return { picture, notes };
  const what = orientations[orientation]!;
  if (!exif) return { picture, notes: [...notes, `EXIF orientation ${orientation} ignored as asked: not ${what}`] };
  return {
    picture: orient(picture, orientation),
    notes: [...notes, `${what}, as EXIF orientation ${orientation} says`],
  };
}

function explain(error: unknown, name: string, file: string): unknown {
  if (!(error instanceof ImageProblem)) return error;
  if (!error.unsupported) return new ConvlensError("image-invalid", `${name} ${error.message}`, { cause: error.cause });
  const convert = `magick "${file}[0]" -colorspace sRGB OUT.png (ImageMagick)`;
  return new ConvlensError(
    "image-unsupported",
    `${name} ${error.message}, which Convlens does not decode; convert it to PNG first, for example: ${convert}`,
  );
}
