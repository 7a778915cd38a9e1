/** How the page was made: enough to make it again. */
import { shapeText, short } from "../../render/numbers.ts";
import { bytes, plural } from "../format.ts";
import { type Html, html } from "../html.ts";
import type { Context, Section } from "../section.ts";

export const made: Section = {
  id: "made",
  title: "How this page was made",
  summary: "Command, versions, checksums, options and notes.",
  order: 1000,
  passes: 0,
  share: 0,
  applies: () => undefined,
  async produce(context) {
    return { body: await madeHtml(context) };
  },
};

async function madeHtml({ model, photo, made: { command, versions, options, notes } }: Context): Promise<Html> {
  const row = (name: string, value: Html | string): Html => html`<dt>${name}</dt><dd>${value}</dd>\n`;
  const { width, height } = photo.picture;
  const file = photo.bytes && html`<br>${bytes(photo.bytes.length)}, SHA-256 <code>${await sha256(photo.bytes)}</code>`;
  return html`<p>The same command with the same files gives this same page, byte for byte. Everything was worked out on the machine where it ran, and
the page loads nothing.</p>
${command !== undefined && html`<pre tabindex="0"><code>${command}</code></pre>`}
<dl class="made">
${row("network", html`${model.name}<br>${model.description}<br>SHA-256 <code>${await model.sha256()}</code>`)}${row(
  "input",
  `${model.input.name} ${shapeText(model.input.shape)}`,
)}${row("photograph", html`${photo.name}, ${width} × ${height} pixels${file}`)}${row("engine", model.engineName)}${Object.entries(
  versions,
).map(([name, version]) => row(name, version))}${row(
  "options",
  [
    `budget ${short(options.budget / 1000)} s`,
    `at most ${bytes(options.sizeLimit)}`,
    `seed ${options.seed}`,
    ...(options.with.length > 0 ? [`with ${options.with.join(", ")}`] : []),
    ...(options.without.length > 0 ? [`without ${options.without.join(", ")}`] : []),
  ].join(", "),
)}</dl>
${
  notes.length > 0 &&
  html`<h3>${plural(notes.length, "note")}</h3><ul class="notes">${notes.map((note) => html`<li>${note}</li>`)}</ul>`
}`;
}

async function sha256(data: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(data)));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
