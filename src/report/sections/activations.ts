/** The feature maps of one layer after another, every channel a picture that can be enlarged. */
import { throwIfCancelled } from "../../core/errors.ts";
import type { Layer, Layout } from "../../core/layers.ts";
import type { NamedTensor } from "../../core/result.ts";
import { activations as method } from "../../methods/index.ts";
import type { Model } from "../../model/model.ts";
import { activationSheets } from "../../render/activations.ts";
import { percent, shapeText, short } from "../../render/numbers.ts";
import { type ChannelFacts, channels } from "../channels.ts";
import { plural } from "../format.ts";
import { type Html, html } from "../html.ts";
import { pixelsUrl } from "../picture.ts";
import type { Context, Fragment, Section } from "../section.ts";
import { type Tile, tile } from "./parts.ts";

/** More layers and channels than these nobody looks through on one page. */
const mostLayers = 12;
const mostChannels = 128;
/** Longest side of a tile in pixels. */
const mostSide = 256;
/** What the markup around a picture takes, about. */
const tileMarkup = 320;

export const activations: Section = {
  id: "activations",
  title: "Layer by layer",
  summary: "What each channel of each layer answers to, as pictures.",
  order: 40,
  passes: 1,
  share: 0.5,
  applies: (model) => method.applies(model),
  produce: activationsFragment,
};

async function activationsFragment(context: Context): Promise<Fragment> {
  const { model, room, signal, onProgress } = context;
  const layers = await model.layers();
  const maps = layers.filter(({ shape }) => isMap(shape, model.sourceLayout));
  const chosen = pickLayers(maps, mostLayers);
  const notes: string[] = [];
  if (chosen.length < maps.length)
    notes.push(
      `the report shows ${chosen.length} of ${maps.length} layers with feature maps, spread over the depth; "convlens activations --layer NAME" draws any of them`,
    );
  if (chosen.length === 0)
    return { body: html`<p>No layer of this network has feature maps with height and width.</p>`, notes };
  const result = await context.result(method, { layers: chosen.map(({ name }) => name) });

  // Deep layers are small and leave room; so the last one is drawn first and what it saves goes to those before it.
  const drawn: Html[] = [];
  const tensors = result.tensors.filter(({ tensor }) => isMap(tensor.dims, model.sourceLayout));
  const thinned: string[] = [];
  let left = room;
  for (let i = tensors.length - 1; i >= 0; i--) {
    throwIfCancelled(signal);
    onProgress(tensors.length - 1 - i, tensors.length);
    const sheet = sheetOf(tensors[i]!, model, left / (i + 1), thinned);
    left -= sheet.size;
    drawn.unshift(sheet.body);
  }
  if (thinned.length > 0)
    notes.push(
      `of some layers the report shows only the first channels (${thinned.reverse().join(", ")}); "convlens activations --layer NAME" draws all`,
    );
  const flat = layers.length - maps.length;
  return {
    body: html`<p>Every small picture is one channel: where in the photograph the channel answers strongly (bright) and where it does not (dark).
Early channels look like the photograph itself, drawn by its edges or colours; later ones become coarser and emptier, because they mark
<em>that</em> something is there rather than how it looks.</p>
<p class="legend"><span>below the channel's mean</span><span class="ramp" role="img" aria-label="from dark violet over green to yellow"></span><span>above it</span></p>
<p class="soft small">Each channel has its own scale: its mean is the middle colour, the ends lie two standard deviations away, so brightness cannot be
compared between channels. <span class="js-only">Point at a channel for its number and values; click it, or press Enter, to enlarge it beside the photograph. The arrow keys move between channels.</span></p>
${drawn}
${flat > 0 && html`<p class="soft small">${plural(flat, "layer")} without height and width ${flat === 1 ? "is" : "are"} not drawn here.</p>`}`,
    notes: [...result.notes, ...notes],
  };
}

/** Whether an output has height and width: what a pooling over the whole picture gives is a list of numbers. */
function isMap(shape: readonly (number | null)[], layout: Layout): boolean {
  const [height, width] = sides(shape, layout);
  return shape.length === 4 && (height !== 1 || width !== 1);
}

const sides = (shape: readonly (number | null)[], layout: Layout): readonly (number | null)[] =>
  layout === "NHWC" ? shape.slice(1, 3) : shape.slice(2, 4);

/**
 * At most `most` layers, spread evenly over the depth, the first and the last included. Where there are more, layers
 * that only feed a following normalisation or activation step aside for it.
 */
export function pickLayers(maps: readonly Layer[], most: number): readonly Layer[] {
  if (maps.length <= most) return maps;
  const finishing =
    /^(Relu|ReLU|LeakyRelu|PRelu|Clip|Sigmoid|HardSigmoid|HardSwish|Swish|Elu|Selu|Gelu|Mish|Activation|BatchNorm)/;
  const finished = new Set(maps.filter((layer) => finishing.test(layer.class)).flatMap((layer) => layer.inputs));
  const ends = maps.filter((layer) => !finished.has(layer.name));
  const from = ends.length >= most ? ends : maps;
  const picked = Array.from({ length: most }, (_, i) => from[Math.round((i * (from.length - 1)) / (most - 1))]!);
  return [...new Set(picked)];
}

/** One layer's sheet within `room` characters, and how many it took; `thinned` is told where channels are left out. */
function sheetOf(named: NamedTensor, model: Model, room: number, thinned: string[]): { body: Html; size: number } {
  const { layer } = named;
  const facts = channels(named, model.sourceLayout);
  const pictures = activationSheets(named, { layout: model.sourceLayout, labels: false, columns: 1, perPage: 1 });
  const tiles: Tile[] = [];
  let size = 0;
  for (const [channel, fact] of facts.slice(0, mostChannels).entries()) {
    const shown = pixelsUrl(pictures[channel]!, mostSide);
    size += shown.url.length + tileMarkup;
    if (size > room && channel > 0) break;
    tiles.push({
      ...shown,
      channel,
      alt: describe(channel, fact),
      state: fact.state,
      range: [short(fact.mean - 2 * fact.deviation), short(fact.mean + 2 * fact.deviation)],
    });
  }
  const dead = facts.filter(({ state }) => state === "dead").length;
  const some = tiles.length < facts.length;
  if (some) thinned.push(`${layer.name} ${tiles.length} of ${facts.length}`);
  const [height, width] = sides(named.tensor.dims, model.sourceLayout);
  const body = html`<div class="layer"><h3>${layer.name} <span class="soft">(${layer.class})</span></h3>
<p class="shape">${shapeText(layer.shape)}: ${some && `${tiles.length} of `}${plural(facts.length, "channel")} of ${height} × ${width}, ${dead} dead</p>
<div class="sheet${facts.length < 8 ? " few" : facts.length <= 32 && " large"}" role="group" aria-label="channels of ${layer.name}" data-title="${layer.name}" data-channels="${facts.length}" data-beside>
${tiles.map((t, i) => tile(t, i === 0))}</div>
<p class="status js-only">&nbsp;</p></div>
`;
  return { body, size };
}

function describe(channel: number, { mean, max, zeros, state }: ChannelFacts): string {
  if (state !== "live") return `channel ${channel}: ${short(max)} everywhere, ${state}`;
  return `channel ${channel}: mean ${short(mean)}, highest ${short(max)}, zeros ${percent(zeros)}`;
}
