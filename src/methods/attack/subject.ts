/**
 * The attacked picture, in 8-bit levels and as the network's tensor. Changing a pixel here gives the very numbers that
 * `model.prepare` gives for the changed picture: they are looked up in tables made by `model.prepare` itself.
 */
import { ConvlensError } from "../../core/errors.ts";
import type { Picture } from "../../core/picture.ts";
import type { Tensor } from "../../core/tensor.ts";
import { isTensor } from "../../model/feeds.ts";
import type { Feeds, Model } from "../../model/model.ts";

export type Rgb = readonly [red: number, green: number, blue: number];

/** A pixel, counted row by row, and its new colour. */
export interface Change {
  readonly at: number;
  readonly color: Rgb;
}

export interface Subject {
  readonly picture: Picture;
  readonly tensor: Tensor<"float32">;
  /** A network of grey pictures tells no colours apart: candidates are then grey. */
  readonly isGray: boolean;
  /** The 8-bit levels pixel by pixel: red, green, blue, or one level of a grey network. */
  readonly levels: Float64Array;
  colorAt(at: number): Rgb;
  /** Writes a pixel into a tensor's data whose picture begins at `start`. */
  write(data: Float32Array, start: number, change: Change): void;
  /** The picture with pixels changed; of several changes of one pixel the last holds. */
  changed(changes: readonly Change[]): Picture;
  /** The tensor of levels that need not be whole; between whole ones it is linear, as the preprocessing is. */
  tensorOf(levels: Float64Array): Tensor<"float32">;
  /** Levels rounded and clipped to 0..255. */
  pictureOf(levels: Float64Array): Picture;
  /** A gradient by the tensor as one by the levels. */
  byLevel(gradient: Tensor<"float32">): Float64Array;
}

/** Where the colours of a pixel stand in the tensor's channels. */
const sources = { RGB: [0, 1, 2], BGR: [2, 1, 0], gray: [0] } as const;

/**
 * The picture behind a prepared tensor. Throws `tensor-invalid` where the tensor is of several pictures, of another size
 * than the preprocessing's, or holds numbers that no 8-bit picture gives.
 */
export function subjectOf(model: Model, feeds: Feeds): Subject {
  const { size, channels, layout } = model.preprocessing;
  const [height, width] = size;
  const source = sources[channels];
  const tensor = (isTensor(feeds) ? feeds : feeds[model.input.name]) as Tensor<"float32">;
  const dims = layout === "NHWC" ? [1, height, width, source.length] : [1, source.length, height, width];
  if (tensor?.type !== "float32" || tensor.dims.join() !== dims.join())
    throw new ConvlensError(
      "tensor-invalid",
      `the input has the shape [${tensor?.dims.join(", ")}]; an attack takes one picture of [${dims.join(", ")}], as this network's preprocessing makes it`,
    );
  const count = width * height;
  const [step, plane] = layout === "NHWC" ? [source.length, 1] : [1, count];
  const tables = levelTables(model, { count, step, plane, channels: source.length });

  const data = new Uint8ClampedArray(count * 4).fill(255);
  const levels = tables.map((table) => new Map(Array.from(table, (value, level) => [value, level])));
  for (let at = 0; at < count; at++)
    source.forEach((color, channel) => {
      const value = tensor.data[at * step + channel * plane]!;
      const level = levels[channel]!.get(value);
      if (level === undefined)
        throw new ConvlensError(
          "tensor-invalid",
          `the input holds ${value} at pixel (${at % width}, ${Math.floor(at / width)}), which no 8-bit picture gives with this network's preprocessing: an attack changes pictures; give one, or choose --preprocess`,
        );
      data[4 * at + color] = level;
    });
  const isGray = channels === "gray";
  if (isGray) for (let at = 0; at < count; at++) data.fill(data[4 * at]!, 4 * at + 1, 4 * at + 3);
  const picture = { width, height, data };
  const wide = source.length;
  /** Visits each level with its place among the levels, in the tensor, and its channel's table. */
  const each = (visit: (level: number, place: number, table: Float32Array) => void): void => {
    for (const [channel, table] of tables.entries()) {
      const color = isGray ? 0 : source[channel]!;
      for (let at = 0; at < count; at++) visit(at * wide + color, at * step + channel * plane, table);
    }
  };
  const own = new Float64Array(count * wide);
  for (let i = 0; i < own.length; i++) own[i] = data[4 * Math.floor(i / wide) + (i % wide)]!;
  return {
    levels: own,
    tensorOf: (given) => {
      const out = new Float32Array(count * wide);
      each((level, place, table) => {
        const value = given[level]!;
        const below = Math.min(254, Math.floor(value));
        const share = value - below;
        out[place] = share === 0 ? table[below]! : table[below]! + share * (table[below + 1]! - table[below]!);
      });
      return { ...tensor, data: out };
    },
    pictureOf: (given) => {
      const out = new Uint8ClampedArray(count * 4).fill(255);
      for (let i = 0; i < count; i++)
        for (let c = 0; c < 3; c++) out[4 * i + c] = Math.round(given[i * wide + (isGray ? 0 : c)]!);
      return { width, height, data: out };
    },
    byLevel: (gradient) => {
      const out = new Float64Array(count * wide);
      each((level, place, table) => {
        out[level] = (gradient.data[place]! * (table[255]! - table[0]!)) / 255;
      });
      return out;
    },
    picture,
    tensor,
    isGray,
    colorAt: (at) => [data[4 * at]!, data[4 * at + 1]!, data[4 * at + 2]!],
    write: (into, start, { at, color }) => {
      for (let channel = 0; channel < source.length; channel++)
        into[start + at * step + channel * plane] = tables[channel]![color[source[channel]!]]!;
    },
    changed: (changes) => {
      const copy = new Uint8ClampedArray(data);
      for (const { at, color } of changes) copy.set(color, 4 * at);
      return { width, height, data: copy };
    },
  };
}

/** What each of the 256 levels becomes, a table a channel: read off grey ramps that went through `model.prepare`. */
function levelTables(
  model: Model,
  { count, step, plane, channels }: { count: number; step: number; plane: number; channels: number },
): readonly Float32Array[] {
  const tables = Array.from({ length: channels }, () => new Float32Array(256));
  const [height, width] = model.preprocessing.size;
  for (let first = 0; first < 256; first += count) {
    const data = new Uint8ClampedArray(count * 4).fill(255);
    const shown = Math.min(count, 256 - first);
    for (let i = 0; i < shown; i++) data.fill(first + i, 4 * i, 4 * i + 3);
    const { tensor } = model.prepare({ width, height, data });
    for (const [channel, table] of tables.entries())
      for (let i = 0; i < shown; i++) table[first + i] = tensor.data[i * step + channel * plane]!;
  }
  return tables;
}
