/** What sheets of tiles share: the size of tiles, the geometry of pages, their headings, and fast painting of enlarged tiles. */
import type { Picture } from "../core/picture.ts";
import { blank } from "./canvas.ts";
import { drawText, type FontSize, fitText, textWidth } from "./font.ts";
import { type Rgb, theme } from "./theme.ts";

/** Where a channel's (or filter's) pixels lie on a page. */
export interface Tile {
  readonly channel: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** One page of a sheet. */
export interface SheetPage {
  readonly width: number;
  readonly height: number;
  readonly tiles: readonly Tile[];
  /** "channels 0–255 of 2048"; empty when one page holds all. */
  readonly range: string;
}

export interface SheetPlan {
  readonly count: number;
  /** What is counted: "channels", "filters". */
  readonly noun: string;
  readonly tileWidth: number;
  readonly tileHeight: number;
  readonly columns: number;
  /** The most tiles of a page. */
  readonly perPage: number;
  /** With a heading and a strip for text above each tile (and below, where `below` is set). */
  readonly labels: boolean;
  readonly below?: boolean;
}

const margin = 12;
const heading = 54;
/** Tiles at least this wide have larger numbers. */
const wideTile = 100;
/** Size of the text above or below a tile, and the height of the strip it stands in. */
const labelOf = (tileWidth: number): { size: FontSize; strip: number } =>
  tileWidth < wideTile ? { size: 10, strip: 13 } : { size: 14, strip: 19 };
/** Headings need some room even over one small tile. */
const leastWidth = 420;

/** Maps smaller than this are enlarged by a whole factor. */
const leastTile = 48;
/** A single row or column of values is stretched to this, so that it can be seen. */
const leastSide = 16;

/** The pixels that one value of a map of `width` x `height` takes across and down. */
export function enlargement(width: number, height: number): [across: number, down: number] {
  const factor = Math.max(1, Math.ceil(leastTile / Math.max(width, height)));
  return [Math.max(factor, Math.ceil(leastSide / width)), Math.max(factor, Math.ceil(leastSide / height))];
}

/** The pages of a sheet. Without labels tiles lie one pixel apart with nothing around them. */
export function planPages(plan: SheetPlan): SheetPage[] {
  const { count, noun, labels, tileWidth, tileHeight } = plan;
  const gap = labels ? 2 : 1;
  const edge = labels ? margin : 0;
  const { strip } = labelOf(tileWidth);
  const above = labels ? strip : 0;
  const pitchX = tileWidth + gap;
  const pitchY = above + tileHeight + (plan.below ? strip : 0) + gap;
  const top = labels ? heading : 0;
  const columns = Math.min(plan.columns, count);
  const pages: SheetPage[] = [];
  for (let first = 0; first < count; first += plan.perPage) {
    const onPage = Math.min(plan.perPage, count - first);
    const rows = Math.ceil(onPage / columns);
    const width = columns * pitchX - gap + 2 * edge;
    pages.push({
      width: labels ? Math.max(leastWidth, width) : width,
      height: top + rows * pitchY - gap + edge,
      tiles: Array.from({ length: onPage }, (_, i) => ({
        channel: first + i,
        x: edge + (i % columns) * pitchX,
        y: top + Math.floor(i / columns) * pitchY + above,
        width: tileWidth,
        height: tileHeight,
      })),
      range: count > plan.perPage ? `${noun} ${first}–${first + onPage - 1} of ${count}` : "",
    });
  }
  return pages;
}

/** A blank page with its heading: a title and a line of facts. */
export function startPage(width: number, height: number, title: string, facts: string): Picture {
  const picture = blank(width, height, theme.surface);
  const room = width - 2 * margin;
  const size = textWidth(title, 18) <= room ? 18 : 14;
  drawText(picture, fitText(title, size, room), margin, 24, size, theme.text);
  drawText(picture, fitText(facts, 12, room), margin, 42, 12, theme.muted);
  return picture;
}

/** Whether a text has room above a tile, with some left to the next one's. */
export const fitsAbove = (tile: Tile, text: string): boolean =>
  textWidth(text, labelOf(tile.width).size) <= tile.width - 1;

/** The text in the strip above a tile. */
export function drawAbove(picture: Picture, tile: Tile, text: string, color: Rgb): void {
  const { size } = labelOf(tile.width);
  drawText(picture, fitText(text, size, tile.width), tile.x, tile.y - (size === 10 ? 3 : 5), size, color);
}

/** The text in the strip below a tile. */
export function drawBelow(picture: Picture, tile: Tile, text: string, color: Rgb): void {
  const { size } = labelOf(tile.width);
  drawText(picture, fitText(text, size, tile.width), tile.x, tile.y + tile.height + size, size, color);
}

/** 256 entries of a colour map and one more for NaN, as packed RGBA. */
export function packedTable(rgb: Uint8Array, nan: number): Uint32Array {
  const bytes = new Uint8Array(4 * 257);
  for (let i = 0; i < 256; i++) {
    bytes.set(rgb.subarray(3 * i, 3 * i + 3), 4 * i);
    bytes[4 * i + 3] = 255;
  }
  const table = new Uint32Array(bytes.buffer);
  table[256] = nan;
  return table;
}

/**
 * Paints `columns` wide rows of colours as blocks of `across` x `down` pixels at the tile's place, which must lie
 * inside the picture.
 */
export function paint(
  picture: Picture,
  tile: Tile,
  colors: Uint32Array,
  columns: number,
  across: number,
  down: number,
): void {
  const pixels = new Uint32Array(picture.data.buffer, picture.data.byteOffset, picture.width * picture.height);
  const rows = colors.length / columns;
  for (let j = 0; j < rows; j++) {
    const start = (tile.y + j * down) * picture.width + tile.x;
    let at = start;
    for (let i = 0; i < columns; i++) {
      const color = colors[j * columns + i]!;
      for (let k = 0; k < across; k++) pixels[at++] = color;
    }
    for (let k = 1; k < down; k++) pixels.copyWithin(start + k * picture.width, start, at);
  }
}
