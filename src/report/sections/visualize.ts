/** What filters and classes look for: patterns of some convolutions and pictures of two classes, by gradient ascent. */
import type { Layer } from "../../core/layers.ts";
import type { Images, Prediction } from "../../core/result.ts";
import { visualize as method, predict, type VisualizeOptions } from "../../methods/index.ts";
import { reachedText } from "../../render/images.ts";
import { type Html, html } from "../html.ts";
import { ifPossible } from "../overlays.ts";
import { pixelsUrl } from "../picture.ts";
import type { Context, Fragment, Section } from "../section.ts";
import { tile } from "./parts.ts";

/** Few and small: a page should not wait for what `convlens visualize` makes better. */
const mostLayers = 3;
const filtersEach = 4;
const patterns = { size: [64], steps: 20 } as const;
const classSteps = 24;

export const visualize: Section = {
  id: "visualize",
  title: "What filters and classes look for",
  summary: "Patterns that excite filters of some layers most, and pictures that maximise two classes.",
  order: 75,
  // Forward and backward for two classes; patterns are small.
  passes: 2 * 2 * classSteps + 60,
  share: 0.05,
  applies: (model) => method.applies(model),
  produce,
};

async function produce(context: Context): Promise<Fragment> {
  const { model, seed, onProgress } = context;
  const problems: string[] = [];
  const layers = await someConvolutions(await model.layers());
  const results: Images[] = [];
  const run = async (options: Partial<VisualizeOptions>): Promise<Images | undefined> => {
    const made = await ifPossible(
      () => context.result<VisualizeOptions, Images>(method, { ...options, seed }),
      (why) => problems.push(`no pictures of ${options.layer ?? "classes"}: ${why}`),
    );
    onProgress(results.length + 1, layers.length + 1);
    if (made) results.push(made);
    return made;
  };
  const filters: Images[] = [];
  for (const layer of layers) {
    const count = layer.shape.at(model.sourceLayout === "NCHW" ? 1 : -1) ?? 0;
    const channels = Array.from({ length: Math.min(filtersEach, count) }, (_, i) => i);
    const made = await run({ ...patterns, layer: layer.name, channels });
    if (made) filters.push(made);
  }
  const answer = await ifPossible(
    () => context.result<object, Prediction>(predict),
    (why) => problems.push(`no pictures of classes: ${why}`),
  );
  const two = answer?.predictions.slice(0, 2).map(({ index }) => index);
  const classes = two && (await run({ targets: two, steps: classSteps }));
  const own = results.flatMap(({ notes }) => notes).filter((note) => !model.notes.includes(note));
  return { body: body(filters, classes), notes: [...new Set([...own, ...problems])] };
}

/** Convolutions at even distances, the first and the last among them. */
function someConvolutions(layers: readonly Layer[]): readonly Layer[] {
  const all = layers.filter(({ weights, shape }) => weights[0]?.shape.length === 4 && shape.length === 4);
  const count = Math.min(mostLayers, all.length);
  return Array.from(
    { length: count },
    (_, i) => all[count === 1 ? 0 : Math.round((i * (all.length - 1)) / (count - 1))]!,
  );
}

function body(filters: readonly Images[], classes: Images | undefined): Html {
  if (filters.length === 0 && !classes) return html`<p>No picture could be made for this network.</p>`;
  return html`<p>Nobody took these pictures: each began as noise and was changed step by step so that one number of the network grew.
They show what excites a filter or a class most, not what it means; another start gives another picture. The number below says what was reached, and how many times the photograph's mean that is.</p>
${filters.map((made) => html`<div class="layer"><h3>${made.of}</h3>${tiles(made, "filter")}</div>`)}
${
  classes &&
  html`<div class="layer"><h3>Classes</h3><p>The photograph's class and its rival, maximised. The probability is what the network gives this very picture.</p>${tiles(classes, "class")}</div>`
}
<p class="soft small">More steps and sharper pictures: <code>convlens visualize --layer NAME --channel 0:64</code>, <code>convlens visualize --target CLASS</code>.</p>`;
}

const tiles = (
  made: Images,
  noun: string,
): Html => html`<div class="sheet ${noun === "class" ? "one" : "few"}" role="group" aria-label="${made.title}" data-title="${made.title}" data-noun="${noun}">
${made.images.map((image, i) =>
  tile(
    {
      ...pixelsUrl(image.picture, 256),
      ...(noun === "filter" ? { channel: i } : {}),
      ...(image.dead === null ? {} : { state: "dead" as const }),
      alt: `${image.label}: ${image.dead ?? reachedText(image)}`,
      under: html`<span class="under wrap"><b>${noun === "filter" ? i : image.label}</b> ${image.dead === null ? reachedText(image) : "dead"}</span>`,
    },
    i === 0,
  ),
)}</div>
<p class="status js-only">&nbsp;</p>`;
