/**
 * Heat maps over the photograph, as the page lays them: the photograph stands on it once, each map is a transparent
 * picture of its own, so that the reader can change the opacity.
 */
import { ConvlensError } from "../core/errors.ts";
import type { Attribution, HeatMap } from "../core/result.ts";
import { type ExplanationMethod, methods } from "../methods/index.ts";
import { type Drawing, drawingOf, type Placed, resized, shownSize } from "../render/explain/draw.ts";
import { fieldOf, type Scale } from "../render/explain/field.ts";
import { ground, heat, lay } from "../render/explain/layers.ts";
import { ramp } from "../render/explain/legend.ts";
import { percent, short } from "../render/numbers.ts";
import { reasonOf } from "../render/overlay.ts";
import { type Html, html } from "./html.ts";
import { photographUrl, pixelsUrl } from "./picture.ts";
import type { Context } from "./section.ts";

/** The photograph below all maps of a section. */
export interface Ground {
  readonly id: string;
  readonly photo: Placed;
  /** Stands once before the figures. */
  readonly html: Html;
  readonly bytes: number;
}

/** The photograph with its colours held back, and what the network did not see dimmed. `id` must be the page's only. */
export async function groundOf(context: Context, id: string, tone: "quiet" | "faint", room: number): Promise<Ground> {
  const whole = { picture: context.photo.picture, region: context.prepared.region };
  const photo = resized(whole, ...shownSize(whole.picture, 320, 640));
  const { width, height } = photo.picture;
  const nothing = { values: new Float32Array(1), height: 1, width: 1, signed: false };
  const quiet = ground(photo.picture, lay(nothing, width, height, photo.region, false), tone);
  const { url } = await photographUrl(quiet, 640, room, context.codec);
  return {
    id,
    photo,
    html: html`<svg class="store" width="0" height="0" aria-hidden="true"><defs><image id="${id}" width="${width}" height="${height}" preserveAspectRatio="none" href="${url}"></image></defs></svg>
`,
    bytes: url.length,
  };
}

/** An explanation method by its id; `undefined` where there is none, or it does not apply to the network. */
export function explanation(
  id: string,
  model: Context["model"],
): ExplanationMethod<Readonly<Record<string, unknown>>, HeatMap | Attribution> | undefined {
  const method = methods.find((each) => each.id === id && "runMany" in each);
  if (method === undefined || method.applies(model) !== undefined) return undefined;
  return method as ExplanationMethod<Readonly<Record<string, unknown>>, HeatMap | Attribution>;
}

/** `undefined` when one of the methods applies, else why the first does not. */
export function whyNone(ids: readonly string[], model: Context["model"]): string | undefined {
  if (ids.some((id) => explanation(id, model) !== undefined)) return undefined;
  return methods.find(({ id }) => id === ids[0])?.applies(model) ?? `no method ${ids.join(", ")}`;
}

/** Runs what may not apply to this network: `undefined` where it does not, the reason told. */
export async function ifPossible<T>(run: () => Promise<T>, tell: (why: string) => void): Promise<T | undefined> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof ConvlensError) || error.code === "cancelled") throw error;
    tell(error.message);
    return undefined;
  }
}

/** Maps are drawn at most so wide; the browser smooths what it enlarges. */
const mostSide = 224;

export interface Shown {
  readonly html: Html;
  readonly bytes: number;
}

/** A map over the photograph, with words below it, in about `room` bytes. Maps that are compared share a `scale`. */
export function overlayFigure(
  below: Ground,
  result: HeatMap | Attribution,
  words: Html,
  room: number,
  scale?: Scale,
): Shown {
  const drawing = drawingOf(result, true, scale === undefined ? {} : { scale });
  const { width, height } = below.photo.picture;
  const { region } = below.photo;
  const url = heatUrl(drawing, region, room);
  const fine = result.kind === "attribution";
  const markup = html`<figure class="overlay"><svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${described(drawing)}"><use href="#${below.id}"></use><image class="heat${fine && " fine"}" x="${round(region.x)}" y="${round(region.y)}" width="${round(region.width)}" height="${round(region.height)}" preserveAspectRatio="none" href="${url}"></image></svg>
<figcaption>${words}${drawing.fault && html`<span class="trouble">${reasonOf(drawing)}</span>`}</figcaption></figure>
`;
  return { html: markup, bytes: url.length + 600 };
}

const round = (v: number): string => String(Math.round(v * 100) / 100);

function heatUrl(drawing: Drawing, region: { readonly width: number; readonly height: number }, room: number): string {
  const { field, scale, look, result } = drawing;
  const aspect = region.width / region.height;
  const fine = result.kind === "attribution";
  for (let side = mostSide; ; side = Math.floor(side * 0.75)) {
    const wide = fine ? Math.min(side, field.width) : Math.round(aspect >= 1 ? side : side * aspect);
    const high = fine ? Math.min(side, field.height) : Math.round(aspect >= 1 ? side / aspect : side);
    const [width, height] = [Math.max(1, wide), Math.max(1, high)];
    const laid = lay(field, width, height, { x: 0, y: 0, width, height }, true);
    const { url } = pixelsUrl(heat(laid, scale, look), mostSide);
    if (url.length <= room || side < 24) return url;
  }
}

/** For those who cannot see it: what it is, and where its largest value lies. */
function described({ result, field, fault }: Drawing): string {
  const what = `${result.title} for ${result.target.label}`;
  if (fault !== undefined) return `${what}: ${fault}`;
  let top = 0;
  for (const [i, v] of field.values.entries()) if (v > field.values[top]!) top = i;
  const across = ((top % field.width) + 0.5) / field.width;
  const down = (Math.floor(top / field.width) + 0.5) / field.height;
  return `${what}: strongest at ${percent(across)} from the left and ${percent(down)} from the top of what the network saw`;
}

/** The colours with the values at their ends. */
export function legend(result: HeatMap | Attribution, scale: Scale): Html {
  const { look } = drawingOf(result, true, { scale });
  const { url, width, height } = pixelsUrl(ramp(scale, look, 144, 10), 144);
  const [low, high] = [short(scale.min, 3), `${scale.clipped ? "≥ " : ""}${short(scale.max, 3)}`];
  return html`<p class="legend"><span class="number">${low}</span><img class="colors" alt="colours from ${low} to ${high}" width="${width}" height="${height}" src="${url}"><span class="number">${high}</span>${
    scale.signed && html`<span>below 0 speaks against the class, above 0 for it</span>`
  }${scale.clipped && html`<span>the largest value is ${short(scale.clipped.largest, 3)}</span>`}</p>`;
}

/** Figures whose opacity can be changed, in groups of which one shows at a time. */
export function overlays(
  id: string,
  groups: readonly { readonly id: string; readonly title: string; readonly body: Html }[],
): Html {
  const several = groups.length > 1;
  return html`<div class="overlays" data-overlays>
<div class="controls js-only">${
    several &&
    html`<fieldset><legend>Method</legend>${groups.map(
      (group, i) =>
        html`<label><input type="radio" name="${id}-method" value="${group.id}"${i === 0 && html` checked`}><span>${group.title}</span></label>`,
    )}</fieldset>`
  }<label class="slider"><span>Opacity</span><input type="range" min="0" max="100" step="5" value="100"><output>100 %</output></label></div>
${groups.map((group) => html`<div class="maps" data-method="${group.id}">${several && html`<h3>${group.title}</h3>`}${group.body}</div>\n`)}</div>`;
}

/** The class's name with its probability or score. */
export const targetWords = ({ target }: HeatMap | Attribution): Html =>
  html`<b>${target.label}</b> <span class="number">${target.probability === null ? short(target.score) : percent(target.probability)}</span>`;

/** The notes of results that the network itself does not have already. */
export const ownNotes = (results: readonly (HeatMap | Attribution)[], model: Context["model"]): readonly string[] =>
  [...new Set(results.flatMap(({ notes }) => notes))].filter((note) => !model.notes.includes(note));

export const fieldsOf = (results: readonly (HeatMap | Attribution)[]): ReturnType<typeof fieldOf>[] =>
  results.map(fieldOf);
