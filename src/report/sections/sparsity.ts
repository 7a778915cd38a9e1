/** How empty the feature maps are, layer by layer. */
import type { Measure } from "../../core/result.ts";
import { sparsity as method } from "../../methods/index.ts";
import { grouped, percent } from "../../render/numbers.ts";
import { plural, share } from "../format.ts";
import { type Html, html } from "../html.ts";
import type { Section } from "../section.ts";
import { bar } from "./parts.ts";

export const sparsity: Section = {
  id: "sparsity",
  title: "How empty the layers are",
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

/** The first layer with zeros, the emptiest, and the one with most dead channels, in a sentence; the columns are the method's. */
function here(rows: Measure["rows"]): Html {
  const layers = rows.map(({ name, values: [zeros = 0, dead = 0, channels = 0] }) => ({ name, zeros, dead, channels }));
  const first = layers.find(({ zeros }) => zeros > 0);
  if (first === undefined)
    return html`<p>In this photograph no layer hands on a single zero: its activations are of a kind that seldom gives any.</p>`;
  const emptiest = layers.reduce((a, b) => (b.zeros > a.zeros ? b : a));
  const deadest = layers.reduce((a, b) => (b.dead > a.dead ? b : a));
  return html`<p>In this photograph ${share(first.zeros)} of the numbers that <code>${first.name}</code> hands on are zero${
    emptiest !== first && html`; the emptiest layer is <code>${emptiest.name}</code> with ${share(emptiest.zeros)}`
  }. ${
    deadest.dead === 0
      ? "Every channel of every layer found something."
      : html`Most dead channels are in <code>${deadest.name}</code>: ${grouped(deadest.dead)} of ${plural(deadest.channels, "channel")} found nothing at all.`
  }</p>
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
more particular things, an eye, a wheel, and where the thing is missing their ReLU gives exactly zero. So the share of zeros usually
grows with depth, and some channels stay silent all over the picture: the pattern they wait for is not in this photograph. (One that
is silent for every photograph is another matter: a channel that the training lost.) Three things fill the maps again: max pooling,
which keeps the strongest answer of each small square; the sums where a shortcut joins; and the last layers of some networks, where
every class has its say.</p>
<div class="scroll${rows.length > 40 && " tall"}" role="region" aria-label="zeros by depth" tabindex="0"><table>
<thead><tr><th scope="col">layer</th>${head}</tr></thead>
<tbody>${body}</tbody></table></div>`;
}
