/** The table of layers with totals. */
import type { Summary } from "../../core/result.ts";
import { summary as method } from "../../methods/index.ts";
import { grouped, shapeText } from "../../render/numbers.ts";
import { bytes, plural, roughly } from "../format.ts";
import { type Html, html } from "../html.ts";
import type { Section } from "../section.ts";

export const summary: Section = {
  id: "summary",
  title: "How it is built",
  summary: "The table of layers: shapes, parameters, connections, costs.",
  order: 30,
  passes: 0,
  share: 0,
  applies: () => undefined,
  async produce(context) {
    const result = await context.result(method);
    return { body: summaryHtml(result), notes: result.notes };
  },
};

export function summaryHtml({ layers, totals, inputs }: Summary): Html {
  const fact = (name: string, value: string): Html => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`;
  const rows = layers.map(
    (layer) => html`<tr><th scope="row">${layer.name} <span class="soft class">(${layer.class})</span></th>
<td class="number">${shapeText(layer.shape)}</td><td class="right number">${grouped(layer.parameters)}</td>
<td class="right number">${grouped(layer.multiplyAdds)}</td><td>${layer.inputs.join(", ")}</td></tr>
`,
  );
  return html`<p>Data flows from the top row to the bottom one. The shape tells what a layer hands on for one picture; a convolution keeps
height and width, or nearly so, and its last or second number counts its channels. <span class="soft">None</span> stands for the number of pictures.</p>
<dl class="facts">
${fact("layers", grouped(layers.length))}${fact("parameters", grouped(totals.parameters))}${fact(
  "of them trainable",
  grouped(totals.trainable),
)}${fact("multiply-adds for one picture", roughly(totals.multiplyAdds))}${fact(
  "memory of all outputs, float32",
  bytes(totals.activationBytes),
)}</dl>
${
  layers.length > 0 &&
  html`<div class="scroll${layers.length > 40 && " tall"}" role="region" aria-label="table of layers" tabindex="0"><table>
<thead><tr><th scope="col">layer (class)</th><th scope="col">output shape</th><th scope="col" class="right">parameters</th><th scope="col" class="right">multiply-adds</th><th scope="col">connected to</th></tr></thead>
<tbody>${rows}</tbody></table></div>`
}
<p class="soft small">${plural(inputs.length, "input")}: ${inputs
    .map(({ name, shape }) => `${name} ${shapeText(shape)}`)
    .join(", ")}. Not trainable: ${grouped(totals.nonTrainable)}.</p>`;
}
