/** The photograph, what was left of it at the network's door, and the arithmetic between the two. */
import { throwIfCancelled } from "../../core/errors.ts";
import type { Preprocessing } from "../../model/card.ts";
import { shapeText, short } from "../../render/numbers.ts";
import { type Html, html } from "../html.ts";
import { photographUrl, pixelsUrl } from "../picture.ts";
import type { Context, Section } from "../section.ts";
import { tile } from "./parts.ts";

export const photograph: Section = {
  id: "photograph",
  title: "The photograph, and what the network saw",
  summary: "The photograph, the small picture made of it, and the preprocessing as a formula.",
  order: 10,
  passes: 0,
  share: 0.15,
  applies: () => undefined,
  async produce(context) {
    const { photo, prepared, room, codec, signal } = context;
    const whole = await photographUrl(photo.picture, codec === undefined ? 640 : 1024, room * 0.6, codec);
    throwIfCancelled(signal);
    const seen = pixelsUrl(prepared.seen, 640);
    const { width, height } = photo.picture;
    const scaled = whole.width === width ? "" : `, shown here at ${size(whole)}`;
    return {
      body: html`<div class="pair">
<figure><div class="sheet one" data-title="${photo.name}" data-smooth>${tile(
        { ...whole, alt: `The photograph ${photo.name}` },
        true,
      )}</div>
<figcaption>${photo.name}, ${width} × ${height} pixels${scaled}</figcaption></figure>
<figure class="seen" data-seen><div class="sheet one" data-title="What the network saw">${tile(
        { ...seen, alt: `What the network saw of ${photo.name}` },
        true,
      )}</div>
<figcaption>What the network saw: ${size(prepared.seen)}. Nothing finer than these pixels can have mattered.</figcaption></figure>
</div>
${preprocessingHtml(context)}`,
    };
  },
};

const size = ({ width, height }: { readonly width: number; readonly height: number }): string =>
  `${width} × ${height} pixels`;

const libraries = { pil: "Pillow", opencv: "OpenCV", tensorflow: "TensorFlow" } as const;
const channelNames = { RGB: ["red", "green", "blue"], BGR: ["blue", "green", "red"], gray: ["grey"] } as const;

function preprocessingHtml({ model, photo, prepared }: Context): Html {
  const p = model.preprocessing;
  const { dims, data } = prepared.tensor;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const x of data) {
    if (x < low) low = x;
    if (x > high) high = x;
  }
  const chosen =
    model.notes.length > 0 &&
    html`<div class="note"><p>What Convlens took on its own account, here or elsewhere in this report:</p>
<ul>${model.notes.map((note) => html`<li>${note}</li>`)}</ul></div>`;
  return html`<h3>From photograph to numbers</h3>
<ol class="steps">
<li>${resizing(p, photo.picture)}</li>
<li>Every pixel value, 0 to 255, becomes
<code class="formula" tabindex="0">${formula(p)}</code></li>
<li>The numbers are laid out as <code>${shapeText(dims)}</code> (${p.layout === "NHWC" ? "picture, row, column, colour" : "picture, colour, row, column"}).
Here they run from ${short(low)} to ${short(high)}.</li>
</ol>
${chosen}`;
}

/** How a photograph came to the network's size, in a sentence. */
export function resizing(
  p: Preprocessing,
  { width, height }: { readonly width: number; readonly height: number },
): string {
  const [high, wide] = p.size;
  if (width === wide && height === high)
    return `The photograph has the network's size, ${wide} × ${high}: it is neither resized nor cropped.`;
  const how = `(${p.resize}, as ${libraries[p.resizeLibrary]} does it)`;
  const to = `${wide} × ${high}`;
  switch (p.fit) {
    case "stretch":
      return `The ${width} × ${height} pixels are stretched to ${to} ${how}; the aspect ratio is not kept.`;
    case "crop": {
      const byHeight = high / height >= wide / width;
      const enlarge = Math.max(1, (p.cropSide ?? 0) / Math.min(high, wide));
      const side = high === wide ? "shorter side" : byHeight ? "height" : "width";
      return `The ${side} is scaled to ${Math.round((byHeight ? high : wide) * enlarge)} pixels ${how}, and the middle ${to} is cut out.`;
    }
    case "pad":
      return `The longer side is scaled to fit ${to} ${how}, and the rest is filled with black.`;
  }
}

/** `(pixel * scale - mean) / std`, written as simply as its numbers allow; one line a colour where they differ. */
export function formula({ scale, mean, std, channels }: Preprocessing): string {
  const names = channelNames[channels];
  const scaled =
    scale === 1 ? "pixel" : Math.abs(scale * 255 - 1) < 1e-6 ? "pixel / 255" : `pixel × ${short(scale, 7)}`;
  const lines = names.map((_, i) => {
    const m = mean[i] ?? mean[0] ?? 0;
    const s = std[i] ?? std[0] ?? 1;
    const shifted = m === 0 ? scaled : m < 0 ? `${scaled} + ${short(-m, 7)}` : `${scaled} − ${short(m, 7)}`;
    return s === 1 ? shifted : `${shifted === "pixel" ? shifted : `(${shifted})`} / ${short(s, 7)}`;
  });
  if (lines.every((line) => line === lines[0]) && channels !== "BGR") return `x = ${lines[0]}`;
  const width = Math.max(...names.map((name) => name.length));
  return lines.map((line, i) => `x[${i}], ${names[i]!.padEnd(width)} = ${line}`).join("\n");
}
