/** Small pieces that several sections use. */
import { type Html, html } from "../html.ts";

/** A bar that is filled to `share` (0..1). Its length is an attribute, since the page's policy forbids inline styles. */
export const bar = (share: number): Html =>
  html`<svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true"><rect width="${Math.round(
    Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0)) * 1000,
  )}" height="10"></rect></svg>`;

export interface Tile {
  /** Text of the picture: what a screen reader says and what shows below the sheet. */
  readonly alt: string;
  readonly url: string;
  readonly width: number;
  readonly height: number;
  /** Number of the channel or filter, shown under the pointer. */
  readonly channel?: number;
  /** Values at the dark and the bright end of the colours. */
  readonly range?: readonly [string, string];
  /** Written over a flat picture. */
  readonly state?: "live" | "dead" | "constant";
  readonly under?: Html;
}

/** A picture that can be enlarged. The first tile of a sheet takes the tab key, the arrow keys reach the others. */
export const tile = (t: Tile, first: boolean): Html =>
  html`<button type="button" class="tile${t.state !== undefined && t.state !== "live" && ` ${t.state}`}"${t.channel !== undefined && html` data-channel="${t.channel}"`}${
    t.range && html` data-low="${t.range[0]}" data-high="${t.range[1]}"`
  }${!first && html` tabindex="-1"`}><img${Math.max(t.width, t.height) < 64 && html` class="pixels"`} alt="${t.alt}" width="${t.width}" height="${t.height}" src="${t.url}">${t.under}</button>
`;
