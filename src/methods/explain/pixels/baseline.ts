/** What a picture is compared with: a flat colour, its own mean or blur, or a number. */
import { ConvlensError } from "../../../core/errors.ts";
import type { Layout } from "../../../core/layers.ts";
import type { Preprocessing } from "../../../model/card.ts";
import type { Model } from "../../../model/model.ts";
import type { Subject } from "./passes.ts";

/** Pixel values, 0 to 255, of the flat colours. */
const levels: Readonly<Record<string, number>> = { black: 0, gray: 127.5, white: 255 };

/** Of 224 pixels, as Fong and Vedaldi 2017 (arXiv:1704.03296) blur. */
const BLUR = 10 / 224;

/** The baseline in the network's own numbers. Throws `option-invalid`. */
export function baselineOf(what: string, model: Model, { x, dims }: Subject): Float32Array {
  if (what === "zero") return new Float32Array(x.length);
  const level = levels[what];
  if (level !== undefined)
    return flat(x.length, pictureChannels(what, model, dims), levelsAfter(model.preprocessing, level));
  if (what === "mean") {
    const channels = pictureChannels(what, model, dims);
    return flat(x.length, channels, means(x, channels));
  }
  if (what === "blur") return blurred(x, pictureChannels(what, model, dims), BLUR);
  const value = what.trim() === "" ? Number.NaN : Number(what);
  if (Number.isFinite(value)) return new Float32Array(x.length).fill(value);
  throw new ConvlensError(
    "option-invalid",
    `option "baseline" is "${what}"; it must be one of zero, black, white, gray, mean, blur, or a number`,
  );
}

/** Where the channels of a picture lie in its array. */
export interface Channels {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly layout: Layout;
}

/** `undefined` where the input is no picture that the preprocessing makes. */
export function channelsOf({ input: { layout }, preprocessing }: Model, dims: readonly number[]): Channels | undefined {
  const [count, height, width] = (layout === "NHWC" ? [dims[2], dims[0], dims[1]] : dims) as [number, number, number];
  return dims.length === 3 && count === preprocessing.mean.length ? { count, height, width, layout } : undefined;
}

function pictureChannels(what: string, model: Model, dims: readonly number[]): Channels {
  const channels = channelsOf(model, dims);
  if (channels) return channels;
  throw new ConvlensError(
    "option-invalid",
    `baseline "${what}" is a picture, and the input has the shape [${dims.join(", ")}]; give zero or a number`,
  );
}

/** A pixel value as each channel gets it. */
export const levelsAfter = ({ mean, std, scale }: Preprocessing, level: number): readonly number[] =>
  mean.map((m, c) => (level * scale - m) / std[c]!);

/** Distances in the array: from a channel's pixel to its next, and from a channel to the next. */
const steps = ({ count, height, width, layout }: Channels): readonly [number, number] =>
  layout === "NHWC" ? [count, 1] : [1, height * width];

export function flat(size: number, channels: Channels, colour: readonly number[]): Float32Array {
  const out = new Float32Array(size);
  const [step, plane] = steps(channels);
  for (let c = 0; c < channels.count; c++)
    for (let i = 0; i < channels.height * channels.width; i++) out[i * step + c * plane] = colour[c]!;
  return out;
}

function means(x: Float32Array, channels: Channels): readonly number[] {
  const [step, plane] = steps(channels);
  const area = channels.height * channels.width;
  return Array.from({ length: channels.count }, (_, c) => {
    let sum = 0;
    for (let i = 0; i < area; i++) sum += x[i * step + c * plane]!;
    return sum / area;
  });
}

/**
 * A Gaussian blur whose sigma is `share` of the longer side; beyond the edges the edge repeats. Preprocessing scales and
 * shifts each channel, so the blur of its result is the result of the blurred picture.
 */
export function blurred(x: Float32Array, channels: Channels, share: number): Float32Array {
  const { height, width } = channels;
  const sigma = share * Math.max(height, width);
  const reach = Math.ceil(3 * sigma);
  const kernel = Float64Array.from({ length: 2 * reach + 1 }, (_, i) =>
    Math.exp(-((i - reach) ** 2) / (2 * sigma ** 2)),
  );
  const total = kernel.reduce((a, b) => a + b, 0);
  const [step, plane] = steps(channels);
  const out = x.slice();
  const line = new Float64Array(Math.max(height, width));
  const smooth = (start: number, stride: number, length: number): void => {
    for (let i = 0; i < length; i++) line[i] = out[start + i * stride]!;
    for (let i = 0; i < length; i++) {
      let sum = 0;
      for (let k = 0; k < kernel.length; k++)
        sum += kernel[k]! * line[Math.min(length - 1, Math.max(0, i + k - reach))]!;
      out[start + i * stride] = sum / total;
    }
  };
  for (let c = 0; c < channels.count; c++) {
    for (let row = 0; row < height; row++) smooth(c * plane + row * width * step, step, width);
    for (let column = 0; column < width; column++) smooth(c * plane + column * step, width * step, height);
  }
  return out;
}
