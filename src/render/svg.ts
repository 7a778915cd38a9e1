/** Scenes as SVG: text stays text, colours are CSS variables, so a page restyles a chart and readers can copy from it. */
import { ConvlensError } from "../core/errors.ts";
import type { Picture } from "../core/picture.ts";
import { fitText } from "./font.ts";
import type { Mark, Scene } from "./scene.ts";
import { type Role, theme } from "./theme.ts";

const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
/** Escaped for XML; characters XML forbids become a replacement sign. */
const escaped = (text: string): string =>
  text
    .replace(/\p{Surrogate}/gu, "\ufffd")
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones XML forbids
    .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, "\ufffd")
    .replace(/[&<>"]/g, (c) => escapes[c]!);

const color = (role: Role): string => `var(--convlens-${role},rgb(${theme[role].join(",")}))`;
const number = (value: number): string => String(Math.round(value * 100) / 100);

/**
 * A scene as one `<svg>` element without a background, scaling with its container (at most its own width).
 * `pictureUrl` gives the address (a data URL, say) of each picture mark; a scene with pictures needs it.
 */
export function sceneToSvg(scene: Scene, pictureUrl?: (picture: Picture) => string): string {
  const size = `${number(scene.width)} ${number(scene.height)}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size}" width="${number(scene.width)}" height="${number(scene.height)}" role="img" aria-label="${escaped(scene.title)}" style="max-width:100%;height:auto" font-family="'DejaVu Sans',Verdana,system-ui,sans-serif">`,
    ...scene.marks.map((mark) => markToSvg(mark, pictureUrl)),
    "</svg>",
  ].join("\n");
}

function markToSvg(mark: Mark, pictureUrl?: (picture: Picture) => string): string {
  switch (mark.kind) {
    case "rect": {
      const place = `x="${number(mark.x)}" y="${number(mark.y)}" width="${number(mark.width)}" height="${number(mark.height)}"`;
      return `<rect ${place} style="fill:${color(mark.fill)}"${titled("rect", mark.title)}`;
    }
    case "line":
      return `<line x1="${number(mark.x1)}" y1="${number(mark.y1)}" x2="${number(mark.x2)}" y2="${number(mark.y2)}" stroke-width="${number(mark.thickness ?? 1)}" style="stroke:${color(mark.stroke)}"/>`;
    case "text": {
      const text = mark.width === undefined ? mark.text : fitText(mark.text, mark.size, mark.width);
      const title = text === mark.text ? "" : `<title>${escaped(mark.text)}</title>`;
      const anchor = mark.align && mark.align !== "start" ? ` text-anchor="${mark.align}"` : "";
      return `<text x="${number(mark.x)}" y="${number(mark.y)}" font-size="${mark.size}"${anchor} style="fill:${color(mark.fill)}">${title}${escaped(text)}</text>`;
    }
    case "picture": {
      if (!pictureUrl) throw new ConvlensError("internal", "sceneToSvg needs pictureUrl for a scene with pictures");
      const { picture } = mark;
      const place = `x="${number(mark.x)}" y="${number(mark.y)}" width="${picture.width * mark.across}" height="${picture.height * mark.down}"`;
      return `<image ${place} href="${escaped(pictureUrl(picture))}" preserveAspectRatio="none" style="image-rendering:pixelated"${titled("image", mark.title)}`;
    }
  }
}

const titled = (tag: string, title?: string): string =>
  title === undefined ? "/>" : `><title>${escaped(title)}</title></${tag}>`;
