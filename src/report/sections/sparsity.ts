/** How empty the feature maps are, layer by layer. */
import type { Measure } from "../../core/result.ts";
import { sparsity as method } from "../../methods/index.ts";
import { grouped, percent } from "../../render/numbers.ts";
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
  return html`<p>The first layers answer almost everywhere: they keep nearly all of the photograph, as edges and colours. Deeper layers ask for
more particular things, an ear, a muzzle, and where the thing is missing their ReLU gives exactly zero. So the share of zeros
usually grows from layer to layer, and some channels stay silent all over the picture: the pattern they wait for is not in this photograph.
A channel that is silent for every photograph is another matter, a unit that the training lost. Max pooling keeps the strongest answer of
each small square, so it makes the maps fuller again for one step.</p>
<div class="scroll tall" role="region" aria-label="zeros by depth" tabindex="0"><table>
<thead><tr><th scope="col">layer</th>${head}</tr></thead>
<tbody>${body}</tbody></table></div>`;
}
