/** How little it takes to change the answer: one pixel, searched for within what the budget allows. */
import type { Attack, ChangedPixel } from "../../core/result.ts";
import type { SharedOptions } from "../../methods/attack/attack.ts";
import type { OnePixelOptions } from "../../methods/attack/one-pixel.ts";
import { onePixel, ranked } from "../../methods/index.ts";
import { type AnswerPart, answerRows, attackPanels } from "../../render/attack.ts";
import { grouped, short } from "../../render/numbers.ts";
import { sceneToPicture } from "../../render/scene.ts";
import { plural, share } from "../format.ts";
import { type Html, html } from "../html.ts";
import { ifPossible } from "../overlays.ts";
import { pixelsUrl } from "../picture.ts";
import type { Context, Fragment, Section } from "../section.ts";
import { bar, tile } from "./parts.ts";

/** Up to this side the one-pixel attack of the paper is tried, else the changes that the gradient promises most of. */
const smallSide = 64;
/** Pictures judged at most by each attack, and the share of the time left that it may take. */
const most = { evolution: 4000, ranked: 1500 } as const;
const shareOfTime = 0.3;

export const attack: Section = {
  id: "attack",
  title: "How little it takes to fool it",
  summary: "A search for one pixel that changes the answer.",
  order: 70,
  // The search itself keeps to the time that is left.
  passes: 6,
  share: 0.06,
  applies: (model) => onePixel.applies(model),
  produce,
};

async function produce(context: Context): Promise<Fragment> {
  const { model, seed } = context;
  const isSmall = Math.max(...model.preprocessing.size) <= smallSide;
  // A search that ends for the clock would end elsewhere the next time: the number of pictures should end it first.
  const maxTime = () => Math.min(86_400, Math.max(1, Math.ceil((context.timeLeft() / 1000) * shareOfTime)));
  const first = isSmall
    ? [
        await context.result<OnePixelOptions, Attack>(onePixel, {
          maxQueries: most.evolution,
          maxTime: maxTime(),
          seed,
        }),
      ]
    : [];
  const fooled = first.some(({ success }) => success);
  const white = () => context.result<SharedOptions, Attack>(ranked, { maxQueries: most.ranked, maxTime: maxTime() });
  const problems: string[] = [];
  // Networks without gradients have the first search only.
  const second = fooled
    ? undefined
    : isSmall
      ? await ifPossible(white, (why) => problems.push(`no search along the gradient: ${why}`))
      : await white();
  const tried = second === undefined ? first : [...first, second];
  const own = tried.flatMap((result) => result.notes).filter((note) => !model.notes.includes(note));
  const notes = new Set([...own, ...problems]);
  return { body: attackHtml(tried, context.room), notes: [...notes] };
}

const ways: Readonly<Record<string, string>> = {
  "one-pixel": "by differential evolution, as in the paper on the one-pixel attack",
  ranked: "with extreme colours at the places that the gradient names first",
};

/** The pictures and answers of what was found, or of what came closest, and a sentence on what was tried. */
export function attackHtml(tried: readonly Attack[], room: number): Html {
  const result = tried.reduce((a, b) => (b.margin.after < a.margin.after ? b : a));
  const { before, after, margin, pixels } = result;
  const panels = attackPanels(result).map((scene) => ({ ...pixelsUrl(sceneToPicture(scene), 640), alt: scene.title }));
  const search = tried
    .map(({ queries, origin }) => `${plural(queries, "picture")} ${ways[origin.method] ?? ""}`)
    .join(", and ");
  const left = tried.some(({ ended }) => ended === "budget")
    ? "; that is what the budget of this report allows"
    : "; there are no others";
  const found = result.success
    ? html`<p>One pixel is enough: ${pixels.map(pixelWords)}turns <strong>${before.label}</strong>${probability(before.probability)} into <strong>${after.label}</strong>${probability(after.probability)}.
Tried were ${search}.</p>`
    : html`<p>No single pixel was found that changes the answer. Tried were ${search}${left}.
The closest leaves <strong>${before.label}</strong> ahead by ${short(margin.after, 3)}; at first it led by ${short(margin.before, 3)} (logits).</p>`;
  return html`<p>Networks can be fooled by changes that no one would mind. Here a single pixel of the picture, as the network sees it, may take any colour.
The picture with the changed pixel was written as a file and read again before the network was asked, so what is shown is what happens.</p>
${found}
${
  panels.reduce((sum, { url }) => sum + url.length, 0) <= room &&
  html`<div class="sheet panels" data-title="The attack">${panels.map((panel, i) =>
    tile({ ...panel, under: html`<span class="under wrap">${panel.alt}</span>` }, i === 0),
  )}</div>`
}
${answersHtml(result)}
<p class="soft small">More: <code>convlens attack --method corners</code> tries every pixel with every extreme colour (${grouped(8 * result.original.width * result.original.height)} pictures) and proves it where none will do;
<code>--pixels 3</code> changes more of them, <code>--method pgd</code> all of them a little, which almost always succeeds.</p>`;
}

/** Two lines a class, so that the table has room on a narrow screen. */
function answersHtml(attack: Attack): Html {
  const line = (when: string, { share: part, text, isListed }: AnswerPart) =>
    html`<td>${when}</td><td class="bar">${bar(part)}</td><td class="right number${!isListed && " soft"}">${text}</td></tr>
`;
  const rows = answerRows(attack).map(
    ({ label, before, after }) =>
      html`<tr class="first"><th scope="rowgroup" rowspan="2">${label}</th>${line("before", before)}<tr class="after">${line("after", after)}`,
  );
  const known = attack.before.probability !== null;
  return html`<div class="scroll"><table class="twofold">
<thead><tr><th scope="col">class</th><th scope="col">answer</th><th scope="col" colspan="2">${known ? "probability" : "score"}</th></tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

const pixelWords = ({ x, y, from, to }: ChangedPixel): Html =>
  html`column ${x}, row ${y}, from ${from.join(" ")} to ${to.join(" ")} (red green blue), `;

const probability = (value: number | null): string => (value === null ? "" : ` (${share(value)})`);
