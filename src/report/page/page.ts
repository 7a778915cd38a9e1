/**
 * The document around the sections: policy, contents list, what was left out, the enlarged view. The policy allows
 * pictures inside the page and this one script and style sheet by their hashes, and nothing from anywhere else.
 */
import { type Html, html, Html as Markup, type Part } from "../html.ts";
import { script } from "./script.ts";
import { style } from "./style.ts";

export interface Page {
  readonly title: string;
  readonly ledes: readonly Html[];
  readonly sections: readonly { readonly id: string; readonly title: string; readonly body: Html }[];
  /** Sections by the reason why they are not there. */
  readonly leftOut: ReadonlyMap<string, readonly { readonly title: string; readonly summary: string }[]>;
}

async function hashOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `'sha256-${btoa(String.fromCharCode(...new Uint8Array(digest)))}'`;
}

/** Long file names may end a line after each underscore. */
const breakable = (title: string): Part =>
  title.split(/(?<=_)/).map((part, i) => (i === 0 ? part : html`<wbr>${part}`));

const lightbox = html`<dialog class="lightbox" aria-labelledby="lightbox-title">
<div class="strip"><h2 id="lightbox-title" data-part="title"></h2>
<button type="button" data-part="previous" aria-label="previous channel">←</button>
<button type="button" data-part="next" aria-label="next channel">→</button>
<button type="button" data-part="farther" aria-label="smaller">−</button>
<button type="button" data-part="closer" aria-label="larger">+</button>
<button type="button" data-part="close">Close</button></div>
<div class="stage"><figure data-part="beside"><div class="pane"><img data-part="seen" alt=""></div><figcaption>what the network saw</figcaption></figure>
<figure><div class="pane" data-part="pane"><img data-part="picture" alt=""></div><figcaption data-part="info"></figcaption></figure></div>
<div class="strip"><p class="legend" data-part="legend"><span class="number" data-part="low"></span><span class="ramp" aria-hidden="true"></span><span class="number" data-part="high"></span></p>
<p class="keys">← → channel · ↑ ↓ layer · + − zoom · 0 whole · Shift with arrows or drag moves · Esc closes</p></div>
</dialog>`;

/** The whole file. The same input gives the same bytes. */
export async function pageHtml(page: Page): Promise<string> {
  const policy = [
    "default-src 'none'",
    "img-src data:",
    `style-src ${await hashOf(style)}`,
    `script-src ${await hashOf(script)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const link = (id: string, title: string): Part => html`<li><a href="#${id}">${title}</a></li>\n`;
  const leftOut =
    page.leftOut.size > 0 &&
    html`<section id="left-out" aria-labelledby="left-out-title"><h2 id="left-out-title">Left out</h2>
<ul class="notes">${[...page.leftOut].map(
      ([reason, sections]) =>
        html`<li>${sections.map(({ title, summary }) => html`<strong>${title}</strong>: ${summary}<br>`)}Reason: ${reason}.</li>`,
    )}</ul></section>`;
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="Convlens">
<title>${page.title}</title>
<link rel="icon" href="data:,">
<style>${new Markup(style)}</style>
</head>
<body>
<a class="skip" href="#report">Skip to the report</a>
<div class="page">
<header class="top">
<p class="eyebrow">Convlens report</p>
<h1>${breakable(page.title)}</h1>
${page.ledes.map((lede) => html`<p class="lede">${lede}</p>\n`)}</header>
<div class="columns">
<nav class="contents" aria-labelledby="contents"><h2 id="contents">Contents</h2>
<ol>${page.sections.map((s) => link(s.id, s.title))}${leftOut && link("left-out", "Left out")}</ol></nav>
<main id="report" tabindex="-1">
${page.sections.map(
  (s) => html`<section id="${s.id}" aria-labelledby="${s.id}-title"><h2 id="${s.id}-title">${s.title}</h2>
${s.body}
</section>
`,
)}${leftOut}
</main>
</div>
</div>
${lightbox}
<script>${new Markup(script)}</script>
</body>
</html>
`;
  return document.markup;
}
