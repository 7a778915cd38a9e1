/** One question put to one explanation method after another: the photograph once, a group of figures for each method. */
import { throwIfCancelled } from "../core/errors.ts";
import type { Attribution, HeatMap } from "../core/result.ts";
import { predict } from "../methods/index.ts";
import { defaultClip } from "../render/explain/draw.ts";
import { scaleOf } from "../render/explain/field.ts";
import { type Html, html } from "./html.ts";
import {
  explanation,
  fieldsOf,
  groundOf,
  ifPossible,
  legend,
  overlayFigure,
  overlays,
  ownNotes,
  whyNone,
} from "./overlays.ts";
import type { Context, Fragment, Section } from "./section.ts";

/** What tells such a section from the others. */
interface Question<R extends HeatMap | Attribution>
  extends Pick<Section, "id" | "title" | "summary" | "order" | "passes" | "share"> {
  /** The methods of the picker, the first of them shown. */
  readonly methods: readonly string[];
  /** So many of the best classes are explained. */
  readonly classes: number;
  readonly kind: R["kind"];
  /** The photograph below the figures, and its part of the section's bytes. */
  readonly tone: "quiet" | "faint";
  readonly photoShare: number;
  /** How many times the longest of the methods so far the next one may take. */
  readonly growth: number;
  /** What stands above the picker. */
  readonly words: Html;
  /** Said of a method's results behind what the method does. */
  readonly about: (result: R) => Html | undefined;
  /** Below a figure. */
  readonly caption: (result: R) => Html;
}

/** The section that puts the question. */
export const byMethod = <R extends HeatMap | Attribution>(question: Question<R>): Section => {
  const { id, title, summary, order, passes, share, methods } = question;
  return {
    id,
    title,
    summary,
    order,
    passes,
    share,
    applies: (model) => whyNone(methods.slice(0, 1), model),
    produce: (context) => produce(context, question),
  };
};

async function produce<R extends HeatMap | Attribution>(context: Context, question: Question<R>): Promise<Fragment> {
  const { model, room, signal, onProgress } = context;
  const { predictions } = await context.result(predict, { top: 10 });
  const targets = predictions.slice(0, question.classes).map(({ index }) => index);
  const below = await groundOf(context, `${question.id}-photograph`, question.tone, room * question.photoShare);
  const known = question.methods.flatMap((id) => explanation(id, model) ?? []);
  const each = (room - below.bytes) / (known.length * targets.length);
  const groups = [];
  const notes: string[] = [];
  const all: R[] = [];
  let longest = 0;
  for (const [i, method] of known.entries()) {
    throwIfCancelled(signal);
    onProgress(i, known.length);
    if (i > 0 && context.timeLeft() < question.growth * longest) {
      notes.push(
        `the report leaves out ${method.id} for want of time; "convlens explain --method ${method.id}" draws it, or --with ${question.id}`,
      );
      continue;
    }
    const before = performance.now();
    // The first method decides whether the section can be made at all.
    const run = () => context.explain(method, { targets });
    const made = i === 0 ? await run() : await ifPossible(run, (why) => notes.push(`no ${method.id}: ${why}`));
    longest = Math.max(longest, performance.now() - before);
    const results = (made ?? []).filter((result): result is R => result.kind === question.kind);
    const first = results[0];
    if (first === undefined) continue;
    all.push(...results);
    const scale = scaleOf(fieldsOf(results), defaultClip(first));
    const figures = results.map((result) => overlayFigure(below, result, question.caption(result), each, scale).html);
    const body = html`<p>${method.summary}${question.about(first)}</p>
<div class="figures${question.classes === 1 && " one"}">${figures}</div>
${legend(first, scale)}
<p class="soft small">When it misleads: ${method.misleads}</p>`;
    groups.push({ id: method.id, title: method.title, body });
  }
  return {
    body: html`${below.html}${question.words}
${overlays(question.id, groups)}`,
    notes: [...notes, ...ownNotes(all, model)],
  };
}
