/**
 * All channels of a layer for one picture as sheets of tiles, by the rule of F. Chollet, "Deep Learning with Python":
 * each channel as (x - mean) / std * 64 + 128, clipped to 0..255, in viridis. Channels without any contrast, for which
 * the rule would give NaN, are drawn flat and marked.
 */
import type { Layout } from "../core/layers.ts";
import type { Picture } from "../core/picture.ts";
import type { NamedTensor } from "../core/result.ts";
import { blank, drawLine, packed } from "./canvas.ts";
import { type ColorMapName, colorMap } from "./colormaps.ts";
import { denseSheets } from "./dense.ts";
import { type Maps, mapsOf } from "./maps.ts";
import { shapeText } from "./numbers.ts";
import {
  drawAbove,
  enlargement,
  fitsAbove,
  packedTable,
  paint,
  planPages,
  type SheetPage,
  startPage,
  type Tile,
} from "./sheet.ts";
import { nanColor, type Rgb, theme } from "./theme.ts";

export interface ActivationSheetOptions {
  /** The source layout, which says where the tensor's channels are. */
  readonly layout: Layout;
  /** Which picture of the batch; default 0. */
  readonly batch?: number;
  /** Default viridis. */
  readonly map?: ColorMapName;
  /** False: tiles only, one pixel apart, without heading, numbers and marks. Default true. */
  readonly labels?: boolean;
  /** Tiles a row; default 16. */
  readonly columns?: number;
  /** Channels a page; default 256. */
  readonly perPage?: number;
}

/** A channel that is 0 everywhere is dead; one with another single value is constant. */
export type ChannelState = "live" | "dead" | "constant";

/** Pages larger than this take the mean of blocks of pixels. */
const mostWidth = 4096;
const mostHeight = 16384;
const deadColor: Rgb = [56, 58, 62];
const constantColor: Rgb = [128, 128, 128];
const markColor: Rgb = [184, 186, 190];

const titleOf = ({ layer, tensor }: NamedTensor): string =>
  `${layer.name} (${layer.class}) — ${shapeText([null, ...tensor.dims.slice(1)])}`;

interface Geometry {
  /** Block of pixels averaged into one. */
  readonly shrink: number;
  readonly across: number;
  readonly down: number;
  readonly pages: readonly SheetPage[];
}

/** `undefined` for a layer whose channels are single numbers: rank 2, or 1 x 1 maps. */
function geometryOf(maps: Maps, options: ActivationSheetOptions): Geometry | undefined {
  if (maps.height * maps.width === 1) return undefined;
  const columns = options.columns ?? 16;
  const perPage = options.perPage ?? 256;
  const onRow = Math.min(columns, maps.channels);
  const rows = Math.ceil(Math.min(perPage, maps.channels) / columns);
  const shrink = Math.max(
    1,
    Math.ceil((onRow * (maps.width + 2)) / mostWidth),
    Math.ceil((rows * (maps.height + 2)) / mostHeight),
  );
  const width = Math.ceil(maps.width / shrink);
  const height = Math.ceil(maps.height / shrink);
  const [across, down] = enlargement(width, height);
  const pages = planPages({
    count: maps.channels,
    noun: "channels",
    tileWidth: width * across,
    tileHeight: height * down,
    columns,
    perPage,
    labels: options.labels ?? true,
  });
  return { shrink, across, down, pages };
}

/**
 * Where each channel lies on the pages that `activationSheets` draws with the same options; empty for layers of
 * single numbers (rank 2, or 1 x 1 maps), which are no maps.
 */
export function sheetLayout(named: NamedTensor, options: ActivationSheetOptions): readonly SheetPage[] {
  return geometryOf(mapsOf(named, options.layout, options.batch), options)?.pages ?? [];
}

/**
 * Draws all channels of a layer for one picture, 16 a row, 256 a page. Maps under 48 pixels are enlarged by a whole
 * factor. Dead and constant channels are flat, crossed out and counted in the heading; NaN is magenta and said too.
 * A layer of single numbers (rank 2, or 1 x 1 maps) becomes a grid of cells, or bars when there are few. Throws `option-invalid` for
 * an empty tensor or a picture outside the batch.
 */
export function activationSheets(named: NamedTensor, options: ActivationSheetOptions): Picture[] {
  const maps = mapsOf(named, options.layout, options.batch);
  const geometry = geometryOf(maps, options);
  if (!geometry) return denseSheets(maps.data, titleOf(named), options.map);
  const { shrink, across, down, pages } = geometry;
  const labels = options.labels ?? true;
  const table = packedTable(colorMap(options.map ?? "viridis"), packed(nanColor));
  const width = Math.ceil(maps.width / shrink);
  const height = Math.ceil(maps.height / shrink);
  const colors = new Uint32Array(width * height);
  const small = shrink > 1 ? new Float32Array(width * height) : undefined;

  const measured: ChannelStatistics[] = [];
  for (let c = 0; c < maps.channels; c++) measured.push(statistics(maps.channel(c)));
  const title = titleOf(named);
  const facts = factsOn(measured, shrink);

  return pages.map((page) => {
    const picture = labels
      ? startPage(page.width, page.height, title, [page.range, ...facts].filter(Boolean).join(" · "))
      : blank(page.width, page.height, theme.surface);
    for (const tile of page.tiles) {
      const { mean, deviation, state } = measured[tile.channel]!;
      if (state !== "live") colors.fill(packed(state === "dead" ? deadColor : constantColor));
      else {
        const values = maps.channel(tile.channel);
        const drawn = small ? blockMeans(values, maps.height, maps.width, shrink, small) : values;
        colorTile(drawn, mean, deviation, table, colors);
      }
      paint(picture, tile, colors, width, across, down);
      if (labels) drawLabel(picture, tile, state);
    }
    return picture;
  });
}

/** `(x - mean) / std * 64 + 128`, cut to whole numbers from 0 to 255, as colours; NaN is entry 256. */
function colorTile(
  values: Float32Array,
  mean: number,
  deviation: number,
  table: Uint32Array,
  colors: Uint32Array,
): void {
  const scale = 64 / deviation;
  const shift = 128 - mean * scale;
  for (let i = 0; i < values.length; i++) {
    const level = values[i]! * scale + shift;
    colors[i] = table[level >= 255 ? 255 : level > 0 ? level | 0 : level <= 0 ? 0 : 256]!;
  }
}

function drawLabel(picture: Picture, tile: Tile, state: ChannelState): void {
  const number = String(tile.channel);
  const marked = `${number} ${state === "dead" ? "dead" : "const"}`;
  const text = state === "live" || !fitsAbove(tile, marked) ? number : marked;
  drawAbove(picture, tile, text, state === "live" ? theme.muted : theme.alert);
  if (state === "live") return;
  const { x, y, width, height } = tile;
  drawLine(picture, x + 1, y + 1, x + width - 1, y + height - 1, 1, markColor);
}

interface ChannelStatistics {
  readonly mean: number;
  readonly deviation: number;
  readonly state: ChannelState;
  readonly notFinite: number;
}

/** Mean and standard deviation (over n, as numpy) of the finite values. */
function statistics(values: Float32Array): ChannelStatistics {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  // A sum of float32 values in double precision is finite exactly when all of them are.
  return Number.isFinite(sum) && values.length > 0 ? finiteStatistics(values, sum / values.length) : cleaned(values);
}

function finiteStatistics(values: Float32Array, mean: number): ChannelStatistics {
  const first = values[0]!;
  let squares = 0;
  let same = true;
  for (let i = 0; i < values.length; i++) {
    const v = values[i]!;
    same &&= v === first;
    squares += (v - mean) * (v - mean);
  }
  if (same) return { mean, deviation: 0, state: first === 0 ? "dead" : "constant", notFinite: 0 };
  return { mean, deviation: Math.sqrt(squares / values.length) || 1, state: "live", notFinite: 0 };
}

/** The same where some values are NaN or infinite: they do not count. */
function cleaned(values: Float32Array): ChannelStatistics {
  const finite = values.filter((v) => Number.isFinite(v));
  const { mean, deviation } = finite.length > 0 ? statistics(finite) : { mean: 0, deviation: 0 };
  // Where all finite values are equal any deviation shows what there is.
  return { mean, deviation: deviation || 1, state: "live", notFinite: values.length - finite.length };
}

function factsOn(measured: readonly ChannelStatistics[], shrink: number): string[] {
  const count = (state: ChannelState) => measured.filter((m) => m.state === state).length;
  const notFinite = measured.filter((m) => m.notFinite > 0).length;
  const facts = [`${count("dead")} dead of ${measured.length}`];
  if (count("constant") > 0) facts.push(`${count("constant")} constant`);
  if (notFinite > 0) facts.push(`${notFinite} with NaN or infinity (NaN magenta)`);
  if (shrink > 1) facts.push(`shrunk ${shrink} times`);
  facts.push("colours: mean ± 2 std of each channel");
  return facts;
}

/** Means of blocks of `side` x `side` values; blocks at the right and bottom edges may be smaller. */
function blockMeans(
  values: Float32Array,
  height: number,
  width: number,
  side: number,
  out: Float32Array,
): Float32Array {
  const columns = Math.ceil(width / side);
  for (let j = 0; j < out.length / columns; j++) {
    for (let i = 0; i < columns; i++) {
      const [bottom, right] = [Math.min(height, (j + 1) * side), Math.min(width, (i + 1) * side)];
      let sum = 0;
      for (let y = j * side; y < bottom; y++) for (let x = i * side; x < right; x++) sum += values[y * width + x]!;
      out[j * columns + i] = sum / ((bottom - j * side) * (right - i * side));
    }
  }
  return out;
}
