/** Where the evidence for the best classes lies: class activation maps side by side, by one method after another. */
import { throwIfCancelled } from "../../core/errors.ts";
import type { HeatMap } from "../../core/result.ts";
import { predict } from "../../methods/index.ts";
import { scaleOf } from "../../render/explain/field.ts";
import { shapeText } from "../../render/numbers.ts";
import { html } from "../html.ts";
import {
  explanation,
  fieldsOf,
  groundOf,
  ifPossible,
  legend,
  overlayFigure,
  overlays,
  ownNotes,
  targetWords,
  whyNone,
} from "../overlays.ts";
import type { Context, Fragment, Section } from "../section.ts";

/** The methods of the picker, the first of them shown; each costs a pass forward and one back from the layer. */
const ids = ["gradcam", "gradcampp", "layercam", "hirescam", "eigencam"];
const mostClasses = 3;

export const classes: Section = {
  id: "classes",
  title: "Where the evidence lies",
  summary: "Heat maps of the best classes over the photograph, by several methods.",
  order: 24,
  passes: 3,
  share: 0.05,
  applies: (model) => whyNone(ids.slice(0, 1), model),
  produce,
};

async function produce(context: Context): Promise<Fragment> {
  const { model, room, signal, onProgress } = context;
  const { predictions } = await context.result(predict, { top: 10 });
  const targets = predictions.slice(0, mostClasses).map(({ index }) => index);
  const below = await groundOf(context, "classes-photograph", "quiet", room * 0.3);
  const known = ids.flatMap((id) => explanation(id, model) ?? []);
  const each = (room - below.bytes) / (known.length * targets.length);
  const groups = [];
  const notes: string[] = [];
  const all: HeatMap[] = [];
  let longest = 0;
  for (const [i, method] of known.entries()) {
    throwIfCancelled(signal);
    onProgress(i, known.length);
    if (i > 0 && context.timeLeft() < 2 * longest) {
      notes.push(
        `the report leaves out the maps of ${method.id} for want of time; "convlens explain --method ${method.id}" draws them`,
      );
      continue;
    }
    const before = performance.now();
    // The first method decides whether the section can be made at all.
    const run = () => context.explain(method, { targets });
    const results =
      i === 0 ? await run() : await ifPossible(run, (why) => notes.push(`no maps of ${method.id}: ${why}`));
    longest = Math.max(longest, performance.now() - before);
    const maps = (results ?? []).filter((result) => result.kind === "map");
    if (maps.length === 0) continue;
    all.push(...maps);
    const scale = scaleOf(fieldsOf(maps));
    const { layers, map } = maps[0]!;
    const body = html`<p>${method.summary} Taken at <code>${layers.join(" + ")}</code>, <span class="number">${shapeText(map.dims)}</span>.</p>
<div class="figures">${maps.map((result) => overlayFigure(below, result, targetWords(result), each, scale).html)}</div>
${legend(maps[0]!, scale)}
<p class="soft small">When it misleads: ${method.misleads}</p>`;
    groups.push({ id: method.id, title: method.title, body });
  }
  return {
    body: html`${below.html}<p>What in the photograph speaks for each of its best answers? The network's last feature maps still know roughly <em>where</em> something is;
the colours show where they raise the score of a class. The maps of one method share one scale, so a faint one means little evidence, not a faint picture.</p>
${overlays("classes", groups)}`,
    notes: [...notes, ...ownNotes(all, model)],
  };
}
