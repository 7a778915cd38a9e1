/** Single pixels: the gradient of the best class, and integrated gradients. */
import type { Attribution } from "../../core/result.ts";
import { predict } from "../../methods/index.ts";
import { defaultClip } from "../../render/explain/draw.ts";
import { scaleOf } from "../../render/explain/field.ts";
import { short } from "../../render/numbers.ts";
import { type Html, html } from "../html.ts";
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

const ids = ["gradient", "ig"];
/** Passes of integrated gradients for each of the gradient's. */
const steps = 50;

export const pixels: Section = {
  id: "pixels",
  title: "The evidence, pixel by pixel",
  summary: "The gradient of the best class's score, and integrated gradients, which add up to the score.",
  order: 28,
  passes: 4,
  share: 0.04,
  applies: (model) => whyNone(ids.slice(0, 1), model),
  produce,
};

async function produce(context: Context): Promise<Fragment> {
  const { model, room, onProgress } = context;
  const { predictions } = await context.result(predict, { top: 10 });
  const targets = [predictions[0]!.index];
  const below = await groundOf(context, "pixels-photograph", "faint", room * 0.25);
  const known = ids.flatMap((id) => explanation(id, model) ?? []);
  const each = (room - below.bytes) / known.length;
  const notes: string[] = [];
  const groups = [];
  const all: Attribution[] = [];
  let pass = 0;
  for (const [i, method] of known.entries()) {
    onProgress(i, known.length);
    if (i > 0 && context.timeLeft() < steps * pass) {
      notes.push(
        `the report leaves out ${method.id} for want of time; "convlens explain --method ${method.id}" makes it, or --with pixels`,
      );
      continue;
    }
    const before = performance.now();
    const run = () => context.explain(method, { targets });
    const results = i === 0 ? await run() : await ifPossible(run, (why) => notes.push(`no ${method.id}: ${why}`));
    if (i === 0) pass = performance.now() - before;
    const result = results?.find((one): one is Attribution => one.kind === "attribution");
    if (result === undefined) continue;
    all.push(result);
    const scale = scaleOf(fieldsOf([result]), defaultClip(result));
    const body = html`<p>${method.summary}</p>
<div class="figures one">${overlayFigure(below, result, html`${targetWords(result)}${sumOf(result)}`, each, scale).html}</div>
${legend(result, scale)}
<p class="soft small">When it misleads: ${method.misleads}</p>`;
    groups.push({ id: method.id, title: method.title, body });
  }
  return {
    body: html`${below.html}<p>Class activation maps are as coarse as the layer they come from. These go back to the numbers that the network was given, one for each pixel and colour.
They are finer and noisier: read where many strong pixels gather, not single ones.</p>
${overlays("pixels", groups)}`,
    notes: [...notes, ...ownNotes(all, model)],
  };
}

/** What the numbers add up to, for a method that promises it. */
const sumOf = ({ completeness }: Attribution): Html | undefined =>
  completeness &&
  html` <span>All values together: <span class="number">${short(completeness.sum)}</span>; they should sum to <span class="number">${short(completeness.expected)}</span>.</span>`;
