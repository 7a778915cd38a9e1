/** What the first convolution has learned to look for: its weights as small colour pictures, with the biases. */
import type { Layout } from "../../core/layers.ts";
import type { Picture } from "../../core/picture.ts";
import type { NamedTensor } from "../../core/result.ts";
import { filters as method } from "../../methods/index.ts";
import { filterSheets } from "../../render/filters.ts";
import { shapeText, short } from "../../render/numbers.ts";
import { plural } from "../format.ts";
import { type Html, html } from "../html.ts";
import { pixelsUrl } from "../picture.ts";
import type { Context, Fragment, Section } from "../section.ts";
import { tile } from "./parts.ts";

const mostFilters = 256;

export const filters: Section = {
  id: "filters",
  title: "What the first layer looks for",
  summary: "The weights of the first convolution as small pictures, with their biases.",
  order: 50,
  passes: 0,
  share: 0.1,
  applies: (model) => method.applies(model),
  produce: filtersFragment,
};

async function filtersFragment(context: Context): Promise<Fragment> {
  const { model } = context;
  const layers = await model.layers();
  if (!layers.some((layer) => layer.weights[0]?.shape.length === 4))
    return { body: html`<p>This network has no convolution with stored weights.</p>` };
  const { tensors, notes } = await context.result(method);
  const kernel = tensors.find(({ tensor }) => tensor.dims.length === 4)!;
  const bias = tensors.find(({ part }) => part === "bias" || part === "B");
  const swapped = model.preprocessing.channels === "BGR";
  const pictures = colorFilters(kernel, model.sourceLayout, swapped);
  const { layer, tensor } = kernel;
  const head = html`<h3>${layer.name} <span class="soft">(${layer.class})</span></h3><p class="shape">${kernel.part} ${shapeText(tensor.dims)}`;
  if (pictures === undefined) {
    const pages = filterSheets(kernel, bias, { layout: model.sourceLayout });
    const shown = pixelsUrl(pages[0]!, 2000);
    return {
      body: html`<div class="layer">${head}</p>
<p>Its filters read more than three channels, so each is a row of grey squares, one for each channel it reads; dark is the smallest weight, bright the largest.</p>
<div class="scroll" tabindex="0" role="region" aria-label="filters of ${layer.name}"><img alt="Weights of ${layer.name}: a row for each filter" width="${shown.width}" height="${shown.height}" src="${shown.url}"></div></div>`,
      notes,
    };
  }
  const biases = bias?.tensor.data;
  const tiles = pictures.slice(0, mostFilters).map((picture, i) => ({
    ...pixelsUrl(picture, 256),
    channel: i,
    alt: `filter ${i}${biases ? `, bias ${short(biases[i]!)}` : ""}`,
    under: html`<span class="under"><b>${i}</b>${biases && ` ${biasText(biases[i]!)}`}</span>`,
  }));
  return { body: colorHtml(head, layer.name, pictures.length, tiles, biases !== undefined, swapped), notes };
}

/** Three decimals, as many as fit under a tile; the picture's text has the bias to four digits. */
const biasText = (bias: number): string => (Math.abs(bias) < 100 ? bias.toFixed(3).replace("-", "−") : short(bias, 3));

function colorHtml(
  head: Html,
  name: string,
  count: number,
  tiles: readonly Parameters<typeof tile>[0][],
  biases: boolean,
  swapped: boolean,
): Html {
  return html`<p>Each square is one filter, the pattern of colours that it looks for everywhere in the photograph; channel 7 of this layer is the answer of filter 7.
A bright or dark edge in the square answers to edges that run the same way, an even colour to areas of that colour.
The smallest weight of each filter is drawn black, the largest white.${
    biases &&
    " Below stand its number and its bias, which is added to the sum before the activation: the lower it is, the stronger the pattern must be."
  }</p>
${swapped && html`<p class="soft small">The network reads blue, green, red; the squares are shown in true colours.</p>`}
<div class="layer">${head}: ${plural(count, "filter")}${tiles.length < count && `, the first ${tiles.length} shown`}</p>
<div class="sheet filters" role="group" aria-label="filters of ${name}" data-title="${name}, weights" data-noun="filter" data-channels="${count}">
${tiles.map((t, i) => tile(t, i === 0))}</div>
<p class="status js-only">&nbsp;</p></div>`;
}

/**
 * Filters over three input channels (or one) as pictures: its smallest weight 0, its largest 255, mid-grey where all
 * are equal. `undefined` for a kernel over other inputs. `swapped`: the inputs are blue, green, red.
 */
export function colorFilters(kernel: NamedTensor, layout: Layout, swapped: boolean): readonly Picture[] | undefined {
  const { dims, data } = kernel.tensor;
  // Keras: rows, columns, inputs, filters; PyTorch and ONNX: filters, inputs, rows, columns.
  const order = layout === "NHWC" ? [3, 2, 0, 1] : [0, 1, 2, 3];
  const [count, inputs, height, width] = order.map((axis) => dims[axis]!) as [number, number, number, number];
  if (inputs !== 3 && inputs !== 1) return undefined;
  const steps = order.map((axis) => dims.slice(axis + 1).reduce((product, n) => product * n, 1));
  const [filterStep, inputStep, rowStep, columnStep] = steps as [number, number, number, number];
  return Array.from({ length: count }, (_, filter) => {
    const values = new Float32Array(height * width * 3);
    for (let y = 0, to = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        for (let c = 0; c < 3; c++, to++) {
          const input = inputs === 1 ? 0 : swapped ? 2 - c : c;
          values[to] = data[filter * filterStep + input * inputStep + y * rowStep + x * columnStep]!;
        }
    const min = values.reduce((a, b) => Math.min(a, b));
    const max = values.reduce((a, b) => Math.max(a, b));
    const pixels = new Uint8ClampedArray(height * width * 4).fill(255);
    values.forEach((v, i) => {
      pixels[Math.floor(i / 3) * 4 + (i % 3)] = max > min ? ((v - min) / (max - min)) * 255 : 128;
    });
    return { width, height, data: pixels };
  });
}
