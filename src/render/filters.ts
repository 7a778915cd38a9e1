/**
 * Convolution weights as pictures. Kernels over three input channels are RGB tiles, one a filter; kernels over one
 * are grey tiles; deeper ones a table with a row for each filter and a grey tile for each of the first input channels.
 */
import { ConvlensError } from "../core/errors.ts";
import type { Layout } from "../core/layers.ts";
import type { Picture } from "../core/picture.ts";
import type { NamedTensor } from "../core/result.ts";
import { fillRect, packed } from "./canvas.ts";
import { drawText, textWidth } from "./font.ts";
import { shapeText, short } from "./numbers.ts";
import { drawAbove, drawBelow, enlargement, paint, planPages, startPage, type Tile } from "./sheet.ts";
import { nanColor, type Rgb, theme } from "./theme.ts";

export interface FilterSheetOptions {
  /** The source layout, which says how the kernel's axes are ordered. */
  readonly layout: Layout;
  /** What becomes black and white: each filter's own extremes, or those of the whole layer. Default `filter`. */
  readonly scale?: "filter" | "layer";
  /** How many input channels of a deeper layer are drawn; default 16, of 1 x 1 kernels 64. */
  readonly inputs?: number;
  /** The order of three input channels; `BGR` kernels are drawn in true colours. Default `RGB`. */
  readonly channels?: "RGB" | "BGR";
}

/** A kernel seen as filters x inputs x height x width, whatever its framework's axis order. */
interface Kernel {
  readonly data: Float32Array;
  /** "filters", or "units" of a dense layer. */
  readonly noun: string;
  readonly filters: number;
  readonly inputs: number;
  readonly height: number;
  readonly width: number;
  /** Steps in `data` along filters, inputs, rows, columns. */
  readonly steps: readonly [number, number, number, number];
}

/** Between grey tiles: what neither black, white nor grey can be taken for. */
const between: Rgb = [150, 190, 240];

/** Axes of the framework's shape that are filters, inputs, rows and columns. */
function kernelOf({ layer, part, tensor }: NamedTensor, layout: Layout): Kernel {
  const { dims, data } = tensor;
  const rank = dims.length;
  if (rank < 2 || rank > 4 || data.length === 0)
    throw new ConvlensError(
      "option-invalid",
      `"${layer.name}" ${part} has the shape ${shapeText(dims)}: filters are drawn from 2 to 4 axes with at least one value`,
    );
  const noun = rank === 2 ? "units" : "filters";
  const transposed = /transpose|deconv/i.test(layer.class);
  const depthwise = layout === "NHWC" && /depthwise/i.test(`${layer.class} ${part}`) && !/pointwise/i.test(part);
  const strides = dims.map((_, axis) => dims.slice(axis + 1).reduce((a, b) => a * b, 1));
  // Keras: rows, columns, in, out; PyTorch: out, in, rows, columns; transposed convolutions swap in and out.
  const [out, input] = layout === "NHWC" ? [rank - 1, rank - 2] : [0, 1];
  const [filterAxis, inputAxis] = transposed ? [input, out] : [out, input];
  const spatial = layout === "NHWC" ? dims.slice(0, -2) : dims.slice(2);
  const spatialSteps = layout === "NHWC" ? strides.slice(0, -2) : strides.slice(2);
  const [height, width] = [1, 1, ...spatial].slice(-2) as [number, number];
  const [rowStep, columnStep] = [0, 0, ...spatialSteps].slice(-2) as [number, number];
  // Keras' depthwise kernels are rows, columns, in, multiplier: channel i's filters are i * multiplier and on.
  if (depthwise)
    return {
      data,
      noun,
      filters: dims.at(-2)! * dims.at(-1)!,
      inputs: 1,
      height,
      width,
      steps: [1, 0, rowStep, columnStep],
    };
  return {
    data,
    noun,
    filters: dims[filterAxis]!,
    inputs: dims[inputAxis]!,
    height,
    width,
    steps: [strides[filterAxis]!, strides[inputAxis]!, rowStep, columnStep],
  };
}

/**
 * Draws a layer's kernel, with the bias of each filter where there is one. Each page is at most 256 RGB or single
 * tiles, or 64 filters of a deeper layer. Filters whose weights are all equal are mid-grey; NaN is magenta.
 * Throws `option-invalid` for a tensor that is no kernel.
 */
export function filterSheets(
  named: NamedTensor,
  bias: NamedTensor | undefined,
  options: FilterSheetOptions,
): Picture[] {
  const kernel = kernelOf(named, options.layout);
  const title = `${named.layer.name} (${named.layer.class}) — ${named.part} ${shapeText(named.tensor.dims)}`;
  const ranges = rangesOf(kernel, options.scale ?? "filter");
  const biases = bias?.tensor.data.length === kernel.filters ? bias.tensor.data : undefined;
  const draw = kernel.inputs === 1 || kernel.inputs === 3 ? tileSheets : tableSheets;
  return draw(kernel, title, ranges, biases, options);
}

/** The extremes that become black and white, of every filter. */
function rangesOf(kernel: Kernel, scale: "filter" | "layer"): { min: number; max: number }[] {
  const { data, filters, inputs, height, width, steps } = kernel;
  const ranges = Array.from({ length: filters }, (_, f) => {
    let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = 0; i < inputs; i++)
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) {
          const v = data[f * steps[0] + i * steps[1] + y * steps[2] + x * steps[3]]!;
          if (v - v !== 0) continue;
          if (v < min) min = v;
          if (v > max) max = v;
        }
    return { min, max };
  });
  if (scale === "filter") return ranges;
  const whole = ranges.reduce((a, b) => ({ min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) }));
  return ranges.map(() => whole);
}

/** Grey or RGB pixels of one filter: `channels` gives the input channels that are red, green and blue. */
function pixelsOf(
  kernel: Kernel,
  filter: number,
  channels: readonly [number, number, number],
  { min, max }: { min: number; max: number },
): Uint32Array {
  const { data, height, width, steps } = kernel;
  const colors = new Uint32Array(height * width);
  const level = (i: number, y: number, x: number) => {
    const v = data[filter * steps[0] + i * steps[1] + y * steps[2] + x * steps[3]]!;
    return max > min ? ((v - min) / (max - min)) * 255 : Number.isNaN(v) ? v : 128;
  };
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [red, green, blue] = channels.map((i) => Math.round(Math.max(0, Math.min(255, level(i, y, x)))));
      const bad = Number.isNaN(red! + green! + blue!);
      colors[y * width + x] = packed(bad ? nanColor : [red!, green!, blue!]);
    }
  return colors;
}

function tileSheets(
  kernel: Kernel,
  title: string,
  ranges: readonly { min: number; max: number }[],
  biases: Float32Array | undefined,
  options: FilterSheetOptions,
): Picture[] {
  const { filters, height, width } = kernel;
  const [across, down] = enlargement(width, height);
  const pages = planPages({
    count: filters,
    noun: kernel.noun,
    tileWidth: width * across,
    tileHeight: height * down,
    columns: 16,
    perPage: 256,
    labels: true,
    below: biases !== undefined,
  });
  const rgb = kernel.inputs === 3;
  const order: [number, number, number] = !rgb ? [0, 0, 0] : options.channels === "BGR" ? [2, 1, 0] : [0, 1, 2];
  const facts = [`${filters} ${kernel.noun}`, rgb ? "RGB" : "grey", scaleText(kernel, options)];
  if (biases) facts.push("bias below");
  return pages.map((page) => {
    const picture = startPage(page.width, page.height, title, [page.range, ...facts].filter(Boolean).join(" · "));
    for (const tile of page.tiles) {
      const f = tile.channel;
      if (!rgb) fillRect(picture, tile.x - 1, tile.y - 1, tile.width + 2, tile.height + 2, between);
      paint(picture, tile, pixelsOf(kernel, f, order, ranges[f]!), width, across, down);
      drawAbove(picture, tile, String(f), theme.muted);
      if (biases) drawBelow(picture, tile, short(biases[f]!, 2), theme.text);
    }
    return picture;
  });
}

const scaleText = ({ noun }: Kernel, { scale }: FilterSheetOptions): string =>
  `black to white ${scale === "layer" ? "over the layer" : `in each ${noun.slice(0, -1)}`}`;

/** Rows of filters, columns of input channels. */
function tableSheets(
  kernel: Kernel,
  title: string,
  ranges: readonly { min: number; max: number }[],
  biases: Float32Array | undefined,
  options: FilterSheetOptions,
): Picture[] {
  const { filters, height, width } = kernel;
  const point = height * width === 1;
  const inputs = Math.min(kernel.inputs, Math.max(1, options.inputs ?? (point ? 64 : 16)));
  const factor = point ? 16 : Math.max(1, Math.ceil(30 / Math.max(height, width)));
  // Tall enough for the text at its left; a whole number of pixels for each weight.
  const down = Math.max(factor, Math.ceil(14 / height));
  const [tileWidth, tileHeight] = [width * factor, height * down];
  const [left, top, gap, perPage] = [biases ? 112 : 52, 74, point ? 1 : 3, 64];
  const numbered = Math.ceil((textWidth(String(inputs - 1), 10) + 4) / (tileWidth + gap));
  const facts = [
    `${filters} ${kernel.noun} down`,
    `${inputs === kernel.inputs ? "" : "first "}${inputs} of ${kernel.inputs} inputs across`,
  ];
  const pages: Picture[] = [];
  for (let first = 0; first < filters; first += perPage) {
    const rows = Math.min(perPage, filters - first);
    const range = filters > perPage ? [`${kernel.noun} ${first}–${first + rows - 1} of ${filters}`] : facts.slice(0, 1);
    const line = [...range, facts[1], scaleText(kernel, options), ...(biases ? ["bias at the left"] : [])].join(" · ");
    const picture = startPage(
      Math.max(480, left + inputs * (tileWidth + gap) + 12, Math.ceil(textWidth(line, 12)) + 24),
      top + rows * (tileHeight + gap) + 12,
      title,
      line,
    );
    fillRect(
      picture,
      left - gap,
      top - gap,
      inputs * (tileWidth + gap) + gap,
      rows * (tileHeight + gap) + gap,
      between,
    );
    for (let i = 0; i < inputs; i += numbered)
      drawText(picture, String(i), left + i * (tileWidth + gap) + tileWidth / 2, top - 5, 10, theme.muted, "middle");
    for (let r = 0; r < rows; r++) {
      const f = first + r;
      const y = top + r * (tileHeight + gap);
      const baseline = y + tileHeight / 2 + 4;
      drawText(picture, String(f), 40, baseline, 10, theme.muted, "end");
      if (biases) drawText(picture, short(biases[f]!, 2), left - 10, baseline, 10, theme.text, "end");
      for (let i = 0; i < inputs; i++) {
        const tile: Tile = { channel: f, x: left + i * (tileWidth + gap), y, width: tileWidth, height: tileHeight };
        paint(picture, tile, pixelsOf(kernel, f, [i, i, i], ranges[f]!), width, factor, down);
      }
    }
    pages.push(picture);
  }
  return pages;
}
