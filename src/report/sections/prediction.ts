/** What the network answers: the best classes with bars. */
import type { ClassScore, Prediction } from "../../core/result.ts";
import { predict } from "../../methods/index.ts";
import { percent, short } from "../../render/numbers.ts";
import { plural } from "../format.ts";
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
    return {
      body: predictionHtml(result, context.model.labels?.length),
      notes: result.notes,
      ...(best === undefined ? {} : { lede: sentence(best) }),
    };
  },
};

const sentence = ({ label, probability, score }: ClassScore): Html =>
  probability === null
    ? html`It answers <strong>${label}</strong>, with a score of ${short(score)}.`
    : html`It answers <strong>${label}</strong>, with a probability of ${percent(probability)}.`;

/** The table of classes, best first. `classes`: how many the network knows, where it is known. */
export function predictionHtml({ predictions, output }: Prediction, classes = output.length): Html {
  const known = Math.max(classes, output.length, predictions.length);
  const sure = predictions.every((p) => p.probability !== null);
  const top = Math.max(...predictions.map((p) => Math.abs(p.score)), Number.MIN_VALUE);
  const rows = predictions.map(
    (p, i) => html`<tr${i === 0 && html` class="best"`}><th scope="row">${p.label}</th>
<td class="bar">${bar(sure ? p.probability! : Math.max(0, p.score) / top)}</td>
<td class="right number">${sure ? percent(p.probability!) : ""}</td><td class="right number soft">${short(p.score)}</td></tr>
`,
  );
  const rest = known - predictions.length;
  return html`<p>${
    sure
      ? "Each bar is a probability; all classes together make 100 %. The score is what the last layer gives before it is turned into a probability."
      : "The file does not say how scores become probabilities, so the bars compare the scores themselves."
  }</p>
<div class="scroll"><table>
<thead><tr><th scope="col">class</th><th scope="col"><span class="small">${sure ? "probability" : "score, compared"}</span></th><th scope="col" class="right">${sure && "%"}</th><th scope="col" class="right">score</th></tr></thead>
<tbody>${rows}</tbody></table></div>
${rest > 0 && html`<p class="soft small">The best ${predictions.length} of ${plural(known, "class", "classes")}.</p>`}`;
}
