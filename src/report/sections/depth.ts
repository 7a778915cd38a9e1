/** The strip: the map of the best class at one convolution after another. */
import type { HeatMap } from "../../core/result.ts";
import { mapLayers } from "../../methods/explain/layer-choice.ts";
import { predict } from "../../methods/index.ts";
import { scaleOf } from "../../render/explain/field.ts";
import { shapeText, short } from "../../render/numbers.ts";
import { html } from "../html.ts";
import { explanation, fieldsOf, groundOf, overlayFigure, overlays, ownNotes, whyNone } from "../overlays.ts";
import type { Context, Fragment, Section } from "../section.ts";
import { pickLayers } from "./activations.ts";

const id = "gradcam";
const mostLayers = 12;

export const depth: Section = {
  id: "depth",
  title: "The evidence, layer by layer",
  summary: "The heat map of the best class at each convolution, from the first to the last.",
  order: 26,
  passes: 4,
  share: 0.04,
  applies: (model) => whyNone([id], model),
  produce,
};

async function produce(context: Context): Promise<Fragment> {
  const { model, room } = context;
  const method = explanation(id, model)!;
  const { predictions } = await context.result(predict, { top: 10 });
  const best = predictions[0]!;
  const { layers } = await mapLayers(model, ["all"]);
  const picked = pickLayers(layers, mostLayers).map(({ name }) => name);
  const results = await context.explain(method, { targets: [best.index], layers: picked });
  const maps = results.filter((result): result is HeatMap => result.kind === "map");
  const below = await groundOf(context, "depth-photograph", "quiet", room * 0.3);
  const each = (room - below.bytes) / maps.length;
  const figures = maps.map((result) => {
    const { max } = scaleOf(fieldsOf([result]));
    const words = html`<b>${result.layers.join(" + ")}</b><br><span class="number">${shapeText(result.map.dims)}</span><br><span class="number">0 to ${short(max, 3)}</span>`;
    return overlayFigure(below, result, words, each).html;
  });
  const rest = layers.length - picked.length;
  return {
    body: html`${below.html}<p>The same question for <b>${best.label}</b>, asked at ${rest > 0 ? `${picked.length} of the ${layers.length}` : "each of the"} convolutions. Early layers see edges and colours, and their maps are fine and scattered;
late ones see parts of things, and their maps are coarse and say where. Each map has its own scale, written below it.</p>
${overlays("depth", [{ id, title: method.title, body: html`<div class="figures small">${figures}</div>` }])}`,
    notes: [
      ...(rest > 0
        ? [`the report maps ${picked.length} of ${layers.length} convolutions; "convlens explain --layer all" maps all`]
        : []),
      ...ownNotes(maps, model),
    ],
  };
}
