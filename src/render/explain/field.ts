/** The one number a place that an explanation comes down to, and the scale on which its colours stand. */
import { ConvlensError } from "../../core/errors.ts";
import type { Attribution, HeatMap } from "../../core/result.ts";

export type Explained = HeatMap | Attribution;

/** Rows of cells over the whole network input. */
export interface Field {
  readonly values: Float32Array;
  readonly height: number;
  readonly width: number;
  /** Whether negative values speak against the target. */
  readonly signed: boolean;
}

/**
 * The map itself, or an attribution with its channels reduced: a signed one by their sum or mean (`max` takes the value
 * farthest from 0), an unsigned one by the sum, mean or maximum of sizes; `norm` is the Euclidean length and has no sign.
 */
export function fieldOf(result: Explained): Field {
  if (result.kind === "map") {
    const [height, width] = result.map.dims.slice(-2);
    return { values: result.map.data, height: height!, width: width!, signed: result.signed };
  }
  const { dims, data } = result.values;
  const last = result.layout === "NHWC";
  const [channels, height, width] = (last ? [dims[2], dims[0], dims[1]] : dims) as [number, number, number];
  if (dims.length !== 3 || data.length !== channels * height * width)
    throw new ConvlensError(
      "option-invalid",
      `an attribution of shape (${dims.join(", ")}) is no picture: expected three axes`,
    );
  const [step, plane] = last ? [channels, 1] : [1, height * width];
  const signed = result.signed && result.channelReduce !== "norm";
  const values = new Float32Array(height * width);
  for (let i = 0; i < values.length; i++) {
    let sum = 0;
    for (let c = 0; c < channels; c++) {
      const v = data[i * step + c * plane]!;
      if (result.channelReduce === "norm") sum += v * v;
      else if (result.channelReduce !== "max") sum += signed ? v : Math.abs(v);
      else if (!(Math.abs(v) <= Math.abs(sum))) sum = signed ? v : Math.abs(v);
    }
    values[i] =
      result.channelReduce === "norm" ? Math.sqrt(sum) : result.channelReduce === "mean" ? sum / channels : sum;
  }
  return { values, height, width, signed };
}

/** The widths of the smoothing of fine fields, in parts of their longer side. */
const blurred = 0.02;

/**
 * What outlines are drawn of: the field; where it has a number for each pixel, smoothed by a Gaussian of 2 % of its longer
 * side, since single pixels have no outline worth drawing. Values that are not finite count as 0 then.
 */
export function outlineField(result: Explained): Field {
  const field = fieldOf(result);
  if (result.kind === "map") return field;
  const { height, width } = field;
  const sigma = blurred * Math.max(height, width);
  const reach = Math.ceil(3 * sigma);
  const kernel = Float64Array.from({ length: 2 * reach + 1 }, (_, k) => Math.exp(-(((k - reach) / sigma) ** 2) / 2));
  const clean = field.values.map((v) => (v - v === 0 ? v : 0));
  const rows = smoothed(clean, height, width, 1, width, kernel);
  return { ...field, values: smoothed(rows, width, height, width, 1, kernel) };
}

/** Smooths `lines` lines of `count` values, `step` apart; at the edges over what is there. */
function smoothed(
  values: Float32Array,
  lines: number,
  count: number,
  step: number,
  jump: number,
  kernel: Float64Array,
): Float32Array {
  const out = new Float32Array(values.length);
  const reach = (kernel.length - 1) / 2;
  for (let line = 0; line < lines; line++)
    for (let i = 0; i < count; i++) {
      let [sum, weight] = [0, 0];
      for (let k = Math.max(0, i - reach); k <= Math.min(count - 1, i + reach); k++) {
        sum += kernel[k - i + reach]! * values[line * jump + k * step]!;
        weight += kernel[k - i + reach]!;
      }
      out[line * jump + i * step] = sum / weight;
    }
  return out;
}

/** The values of the first and the last colour. */
export interface Scale {
  readonly min: number;
  readonly max: number;
  readonly signed: boolean;
  /** Where outliers are cut: the percentile of sizes at which the scale ends, and the largest size there is. */
  readonly clipped?: { readonly percentile: number; readonly largest: number };
}

/**
 * One scale for all fields: signed, it is symmetric around 0; else from 0 (or the least value, where that is negative) to
 * the greatest. `clip` below 100 ends it at that percentile of the sizes of all values. Values that are not finite count
 * for nothing; without any other, the scale is 0 to 0.
 */
export function scaleOf(fields: readonly Field[], clip = 100): Scale {
  const signed = fields.some((field) => field.signed);
  let [min, max] = [0, 0];
  for (const { values } of fields)
    for (const v of values) {
      if (v - v !== 0) continue;
      if (v < min) min = v;
      if (v > max) max = v;
    }
  const largest = Math.max(-min, max);
  const limit = clip < 100 ? percentileOfSizes(fields, clip) : largest;
  // Where most values are 0, the percentile may be 0 too: then nothing is cut.
  const end = limit > 0 ? limit : largest;
  return {
    min: signed ? -end : Math.max(min, -end),
    max: signed ? end : Math.min(max, end),
    signed,
    ...(end < largest ? { clipped: { percentile: clip, largest } } : {}),
  };
}

/** The percentile of the sizes of all finite values, between two of them linearly, as numpy's. */
function percentileOfSizes(fields: readonly Field[], percentile: number): number {
  const sizes = new Float32Array(fields.reduce((sum, { values }) => sum + values.length, 0));
  let count = 0;
  for (const { values } of fields) for (const v of values) if (v - v === 0) sizes[count++] = Math.abs(v);
  if (count === 0) return 0;
  const sorted = sizes.subarray(0, count).sort();
  const place = (percentile / 100) * (count - 1);
  const below = Math.floor(place);
  const upper = sorted[Math.min(count - 1, below + 1)]!;
  return sorted[below]! + (upper - sorted[below]!) * (place - below);
}

/** Where a value stands on a scale: 0 to 1, or -1 to 1 on a signed one. */
export function standing(value: number, { min, max, signed }: Scale): number {
  if (!(max > min)) return 0;
  const t = signed ? value / max : (value - min) / (max - min);
  return Math.max(signed ? -1 : 0, Math.min(1, t));
}

export type Fault = "blank" | "constant" | "not finite";

/** What is wrong with a field as a picture; `undefined` where it shows something. */
export function fault({ values }: Field): Fault | undefined {
  if (values.some((v) => v - v !== 0)) return "not finite";
  if (values.some((v) => v !== values[0])) return undefined;
  return values[0] === 0 ? "blank" : "constant";
}
