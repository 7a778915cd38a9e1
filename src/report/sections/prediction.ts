/** What the network answers: the best classes with bars. */
import type { ClassScore, Prediction } from "../../core/result.ts";
import { predict } from "../../methods/index.ts";
import { percent, short } from "../../render/numbers.ts";
import { plural, share } from "../format.ts";
import { type Html, html } from "../html.ts";
import type { Section } from "../section.ts";
import { bar } from "./parts.ts";

export const prediction: Section = {
  id: "prediction",
  title: "What it answers",
  summary: "The best classes with their probabilities.",
  order: 20,
  passes: 1,
  share: 0,
  applies: () => undefined,
  async produce(context) {
    const result = await context.result(predict, { top: 10 });
    const best = result.predictions[0];
    const own = result.notes.filter((note) => !context.model.notes.includes(note));
    return {
      body: html`${predictionHtml(result, context.model.labels?.length)}${own.length > 0 && html`<ul class="notes soft small">${own.map((note) => html`<li>${note}</li>`)}</ul>`}`,
      notes: result.notes,
      ...(best === undefined ? {} : { lede: sentence(best) }),
    };
  },
};

const sentence = ({ label, probability, score }: ClassScore): Html =>
  probability === null
    ? html`It answers <strong>${label}</strong>, with a score of ${short(score)}.`
    : html`It answers <strong>${label}</strong>, with a probability of ${share(probability)}.`;

/** The table of classes, best first. `classes`: how many the network knows, where it is known. */
export function predictionHtml({ predictions, output }: Prediction, classes: number = output.length): Html {
  const known = Math.max(classes, output.length, predictions.length);
  const sure = predictions.every((p) => p.probability !== null);
  const top = Math.max(...predictions.map((p) => Math.abs(p.score)), Number.MIN_VALUE);
  const scored = !sure || predictions.some((p) => Math.abs(p.score - p.probability!) > 1e-6);
  const sum = predictions.reduce((total, p) => total + (p.probability ?? 0), 0);
  const rest = known - predictions.length;
  const exclusive = sum < 1.001 && (rest > 0 || sum > 0.999);
  const rows = predictions.map(
    (p, i) => html`<tr${i === 0 && html` class="best"`}><th scope="row">${p.label}</th>
<td class="bar">${bar(sure ? p.probability! : Math.max(0, p.score) / top)}</td>
${sure && html`<td class="right number">${percent(p.probability!)}</td>`}${scored && html`<td class="right number soft">${short(p.score)}</td>`}</tr>
`,
  );
  return html`<p>${
    sure
      ? `Each bar is a probability${exclusive ? "; all classes together make 100 %." : ", each class judged by itself."}${scored ? " The score is the number behind it, before it was turned into a probability." : ""}`
      : "The file does not say how scores become probabilities, so the bars compare the scores themselves."
  }</p>
<div class="scroll"><table>
<thead><tr><th scope="col">class</th>${
    sure ? html`<th scope="col" colspan="2">probability</th>` : html`<th scope="col">scores compared</th>`
  }${scored && html`<th scope="col" class="right">score</th>`}</tr></thead>
<tbody>${rows}</tbody></table></div>
${rest > 0 && html`<p class="soft small">The best ${predictions.length} of ${plural(known, "class", "classes")}.</p>`}`;
}
