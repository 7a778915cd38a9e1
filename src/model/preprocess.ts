/** Photograph to tensor: resize, crop or pad, then scale and mean per channel, in the order of the network's axes. */
import { ConvlensError } from "../core/errors.ts";
import type { Picture } from "../core/picture.ts";
import { float32, type Tensor } from "../core/tensor.ts";
import { centerCrop, pad, resize } from "../image/index.ts";
import type { Preprocessing } from "./card.ts";
import type { Prepared } from "./model.ts";

/** As many as a model card may ask for. */
const MOST_SIDE = 16384;

/** A picture as a network takes it: float32 `[1, C, H, W]` or `[1, H, W, C]`, and the picture before scale and mean. */
export function preparePicture(picture: Picture, preprocessing: Preprocessing): Prepared {
  const [height, width] = preprocessing.size;
  if (Math.max(height, width) > MOST_SIDE)
    throw new ConvlensError(
      "model-unsupported",
      `the network takes pictures of ${height}x${width}; at most ${MOST_SIDE} pixels a side are prepared: give a ready tensor`,
    );
  const coloured = preprocessing.channels === "gray" ? toGray(picture) : picture;
  const { seen, region } = fitPicture(coloured, preprocessing);
  return { tensor: toTensor(seen, preprocessing), seen, region };
}

/** Resizes and cuts to the network's size. A picture that has it already is neither resized nor cropped. */
function fitPicture(
  picture: Picture,
  { size, fit, cropSide, resize: mode, resizeLibrary }: Preprocessing,
): Omit<Prepared, "tensor"> {
  const [height, width] = size;
  const whole = { x: 0, y: 0, width: picture.width, height: picture.height };
  if (picture.height === height && picture.width === width) return { seen: picture, region: whole };
  if (fit === "stretch") return { seen: resize(picture, height, width, mode, resizeLibrary), region: whole };
  /** The region of a middle part: `resized` pixels stand for the whole picture, the network sees `size` of them. */
  const middle = (resized: Picture, seen: Picture): Omit<Prepared, "tensor"> => {
    const [wide, tall] = [(width * picture.width) / resized.width, (height * picture.height) / resized.height];
    const [x, y] = [(picture.width - wide) / 2, (picture.height - tall) / 2];
    return { seen, region: { x, y, width: wide, height: tall } };
  };
  const [down, across] = [height / picture.height, width / picture.width];
  if (fit === "pad") {
    const scale = Math.min(down, across);
    const inside = (side: number, limit: number) => Math.min(limit, Math.max(1, Math.round(side * scale)));
    const small = resize(picture, inside(picture.height, height), inside(picture.width, width), mode, resizeLibrary);
    return middle(small, pad(small, height, width));
  }
  // torchvision's Resize: the shorter side gets the wanted length, the longer one is rounded down.
  const enlarge = Math.max(1, (cropSide ?? 0) / Math.min(height, width));
  const scale = Math.max(down, across) * enlarge;
  const side = (length: number, exact: boolean, wanted: number) =>
    Math.max(wanted, exact ? Math.round(wanted * enlarge) : Math.floor(length * scale + 1e-9));
  const tall = side(picture.height, down >= across, height);
  const wide = side(picture.width, across >= down, width);
  const large = resize(picture, tall, wide, mode, resizeLibrary);
  return middle(large, centerCrop(large, height, width));
}

/** Grey as Pillow's mode "L": (19595 R + 38470 G + 7471 B + 32768) / 65536, in all three channels. */
function toGray({ width, height, data }: Picture): Picture {
  const out = new Uint8ClampedArray(data.length);
  for (let i = 0; i < data.length; i += 4) {
    const luma = (19595 * data[i]! + 38470 * data[i + 1]! + 7471 * data[i + 2]! + 32768) >> 16;
    out[i] = luma;
    out[i + 1] = luma;
    out[i + 2] = luma;
    out[i + 3] = 255;
  }
  return { width, height, data: out };
}

const channelOrder: Readonly<Record<Preprocessing["channels"], readonly number[]>> = {
  RGB: [0, 1, 2],
  BGR: [2, 1, 0],
  gray: [0],
};

function toTensor({ width, height, data }: Picture, preprocessing: Preprocessing): Tensor<"float32"> {
  const { scale, mean, std, layout } = preprocessing;
  const order = channelOrder[preprocessing.channels];
  const [pixels, count] = [width * height, order.length];
  if (mean.length !== count || std.length !== count)
    throw new ConvlensError(
      "card-invalid",
      `preprocessing gives ${mean.length} means and ${std.length} stds for the ${count} channels of ${preprocessing.channels}`,
    );
  const out = new Float32Array(pixels * count);
  // Each of the 256 pixel values gives the same number every time.
  const table = order.map((_, c) => Float32Array.from({ length: 256 }, (_, x) => (x * scale - mean[c]!) / std[c]!));
  const [step, plane] = layout === "NHWC" ? [count, 1] : [1, pixels];
  order.forEach((source, c) => {
    const values = table[c]!;
    for (let i = 0; i < pixels; i++) out[i * step + c * plane] = values[data[i * 4 + source]!]!;
  });
  return float32(layout === "NHWC" ? [1, height, width, count] : [1, count, height, width], out);
}
