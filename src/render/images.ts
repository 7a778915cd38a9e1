/**
 * Pictures that a method made, on one sheet: each with its name, what it reached, and how that compares with a real
 * photograph. A result with a margin of its own is a bare grid on black, as books print it.
 */
import type { Picture } from "../core/picture.ts";
import type { Images, MadeImage } from "../core/result.ts";
import { blank, fillRect, place } from "./canvas.ts";
import { drawText, type FontSize, fitText, textWidth } from "./font.ts";
import { short } from "./numbers.ts";
import { startPage } from "./sheet.ts";
import { type Rgb, theme } from "./theme.ts";

const black: Rgb = [0, 0, 0];
const gap = 10;
const margin = 12;
const heading = 54;
/** Pictures smaller than this are enlarged by a whole factor on labelled sheets. */
const leastTile = 96;
const textHeight = 34;

/** Column and row of tile `i` of `count`. */
function tileAt(
  i: number,
  count: number,
  { across, order, down = Math.ceil(count / across) }: Pick<Images["grid"], "across" | "order" | "down">,
): readonly [number, number] {
  if (order === "rows") return [i % across, Math.floor(i / across)];
  return [Math.floor(i / down), i % down];
}

/** `0.413, 3.1 x a photograph's`; for a class its probability. */
export function reachedText({ reached, reference, probability }: MadeImage): string {
  if (probability !== null) return `probability ${probability.toFixed(probability > 0.9995 ? 4 : 3)}`;
  if (reached === 0) return "0 in the end";
  if (reference === null || reference <= 0) return `reached ${short(reached, 3)}`;
  return `${short(reached, 3)}, ${short(reached / reference, 2)} × photograph`;
}

/** One picture of all of them. Throws `option-invalid` where it would be too large. */
export function imagesSheet(result: Images): Picture {
  const { images, grid } = result;
  const width = Math.max(...images.map(({ picture }) => picture.width));
  const height = Math.max(...images.map(({ picture }) => picture.height));
  const across = Math.min(grid.across, images.length);
  const down = Math.ceil(images.length / grid.across);
  if (grid.margin !== null) return bareSheet(result, grid.margin);
  const factor = Math.max(1, Math.ceil(leastTile / width));
  const [tileWidth, tileHeight] = [width * factor, height * factor];
  const pitch = Math.max(tileWidth, Math.min(300, widest(images))) + gap;
  const page = startPage(
    Math.max(420, across * pitch - gap + 2 * margin),
    heading + down * (tileHeight + textHeight + gap) - gap + margin,
    result.title,
    factsOf(result),
  );
  for (const [i, made] of images.entries()) {
    const [column, row] = tileAt(i, images.length, { across, order: grid.order });
    const [x, y] = [margin + column * pitch, heading + row * (tileHeight + textHeight + gap)];
    if (made.dead === null) place(page, made.picture, x, y, factor, factor);
    else {
      fillRect(page, x, y, tileWidth, tileHeight, theme.track);
      const lines = wrapped(made.dead, 10, tileWidth - 12, Math.floor((tileHeight - 10) / 13));
      for (const [n, line] of lines.entries())
        words(page, line, x + 6, y + 16 + 13 * n, 10, tileWidth - 12, theme.muted);
    }
    words(page, made.label, x, y + tileHeight + 14, 12, pitch - gap, theme.text);
    words(page, underOf(made), x, y + tileHeight + 28, 10, pitch - gap, theme.muted);
  }
  return page;
}

const bareSheet = ({ images, grid }: Images, between: number): Picture =>
  pictureGrid(
    images.map(({ picture }) => picture),
    grid,
    between,
  );

/** Pictures of one size on black, so many pixels apart. */
export function pictureGrid(
  pictures: readonly Picture[],
  grid: Pick<Images["grid"], "across" | "order" | "down">,
  between: number,
): Picture {
  const { width = 1, height = 1 } = pictures[0] ?? {};
  const across = grid.down === undefined ? Math.min(grid.across, pictures.length) : grid.across;
  const down = grid.down ?? Math.ceil(pictures.length / grid.across);
  const size = (count: number, one: number): number => count * one + (count - 1) * between;
  const page = blank(size(across, width), size(down, height), black);
  for (const [i, picture] of pictures.entries()) {
    const [column, row] = tileAt(i, pictures.length, grid);
    place(page, picture, column * (width + between), row * (height + between), 1, 1);
  }
  return page;
}

const widest = (images: readonly MadeImage[]): number =>
  Math.max(...images.map((made) => Math.max(textWidth(made.label, 12), textWidth(underOf(made), 10))));

/** The second line below a tile; why a dead one is dead stands on the tile itself. */
const underOf = (made: MadeImage): string => (made.dead === null ? reachedText(made) : "dead");

/** Words in lines of at most so many pixels; what does not fit into `most` lines is shortened in the last. */
function wrapped(text: string, size: FontSize, room: number, most: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const longer = lines.length === 0 ? word : `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && (textWidth(longer, size) <= room || lines.length === most))
      lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

function words(page: Picture, text: string, x: number, y: number, size: FontSize, room: number, color: Rgb): void {
  drawText(page, fitText(text, size, room), x, y, size, color);
}

function factsOf({ images, origin, of }: Images): string {
  const { preset, steps, seed } = origin.options;
  const dead = images.filter((made) => made.dead !== null).length;
  const { width = 0, height = 0 } = images[0]?.picture ?? {};
  return [
    `${origin.model.name}, ${of}`,
    `${width} x ${height} pixels`,
    `preset ${preset}, ${steps} steps, seed ${seed}`,
    ...(dead > 0 ? [`${dead} dead`] : []),
  ].join(" · ");
}
