/** How empty the feature maps are, layer by layer. */
import type { Measure } from "../../core/result.ts";
import { sparsity as method } from "../../methods/index.ts";
import { grouped, percent } from "../../render/numbers.ts";
import { plural } from "../format.ts";
import { type Html, html } from "../html.ts";
import type { Section } from "../section.ts";
import { bar } from "./parts.ts";

export const sparsity: Section = {
  id: "sparsity",
  title: "Emptier with depth",
  summary: "Per layer: the share of zeros and the channels that found nothing.",
  order: 60,
  passes: 1,
  share: 0,
  applies: (model) => method.applies(model),
  async produce(context) {
    const result = await context.result(method);
    return { body: sparsityHtml(result), notes: result.notes };
  },
};

/** The first and the last layer in a sentence; the columns are the method's: zeros, dead, channels. */
function here(rows: Measure["rows"]): Html | false {
  const [first, last] = [rows[0], rows.at(-1)];
  if (first === undefined || last === undefined || first === last) return false;
  const [zeros, dead, channels] = last.values as readonly [number, number, number];
  return html`<p>In this photograph ${percent(first.values[0]!)} of the numbers that <code>${first.name}</code> hands on are zero, and ${percent(zeros)} of those of
<code>${last.name}</code>; ${grouped(dead)} of its ${plural(channels, "channel")} found nothing at all.</p>
`;
}

export function sparsityHtml({ columns, rows }: Measure): Html {
  const head = columns.flatMap(({ title, unit }) =>
    unit === "share"
      ? [html`<th scope="col" colspan="2">${title}</th>`]
      : [html`<th scope="col" class="right">${title}</th>`],
  );
  const body = rows.map(
    ({ name, values }) => html`<tr><th scope="row">${name}</th>${values.map((value, i) =>
      columns[i]?.unit === "share"
        ? html`<td class="bar">${bar(value)}</td><td class="right number">${percent(value)}</td>`
        : html`<td class="right number">${grouped(value)}</td>`,
    )}</tr>
`,
  );
  return html`${here(rows)}<p>The first layers answer almost everywhere: they keep nearly all of the photograph, as edges and colours. Deeper layers ask for
more particular things, an eye, a wheel, and where the thing is missing their ReLU gives exactly zero. So the share of zeros
usually grows from layer to layer, and some channels stay silent all over the picture: the pattern they wait for is not in this photograph.
A channel that is silent for every photograph is another matter, a unit that the training lost. Max pooling keeps the strongest answer of
each small square, so it makes the maps fuller again for one step.</p>
<div class="scroll${rows.length > 40 && " tall"}" role="region" aria-label="zeros by depth" tabindex="0"><table>
<thead><tr><th scope="col">layer</th>${head}</tr></thead>
<tbody>${body}</tbody></table></div>`;
}
