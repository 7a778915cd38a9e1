/**
 * A scene: a drawing as plain data, in pixels from the top left. Two back ends draw it: pixels here, SVG in svg.ts.
 * Colours are roles of the theme, so a page can restyle a chart, in dark mode for one.
 */
import type { Picture } from "../core/picture.ts";
import { blank, drawLine, fillRect, place } from "./canvas.ts";
import { drawText, type FontSize, fitText } from "./font.ts";
import { type Role, theme } from "./theme.ts";

export type Mark = RectMark | LineMark | TextMark | PictureMark;

export interface RectMark {
  readonly kind: "rect";
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly fill: Role;
  /** Shown on hover in SVG. */
  readonly title?: string;
}

export interface LineMark {
  readonly kind: "line";
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
  /** Default 1. */
  readonly thickness?: number;
  readonly stroke: Role;
}

export interface TextMark {
  readonly kind: "text";
  readonly x: number;
  /** The baseline. */
  readonly y: number;
  readonly text: string;
  readonly size: FontSize;
  readonly fill: Role;
  /** Default `start`. */
  readonly align?: "start" | "middle" | "end";
  /** The text is shortened in its middle to this width; SVG then gives it whole on hover. */
  readonly width?: number;
}

export interface PictureMark {
  readonly kind: "picture";
  readonly x: number;
  readonly y: number;
  readonly picture: Picture;
  /** Each pixel of the picture becomes a block of `across` x `down`, both whole numbers. */
  readonly across: number;
  readonly down: number;
  readonly title?: string;
}

export interface Scene {
  readonly width: number;
  readonly height: number;
  /** What the drawing shows, for those who cannot see it. */
  readonly title: string;
  readonly marks: readonly Mark[];
}

/** Draws a scene with the theme's light colours. */
export function sceneToPicture(scene: Scene): Picture {
  const picture = blank(Math.ceil(scene.width), Math.ceil(scene.height), theme.surface);
  for (const mark of scene.marks) {
    switch (mark.kind) {
      case "rect":
        fillRect(picture, mark.x, mark.y, mark.width, mark.height, theme[mark.fill]);
        break;
      case "line":
        drawLine(picture, mark.x1, mark.y1, mark.x2, mark.y2, mark.thickness ?? 1, theme[mark.stroke]);
        break;
      case "text": {
        const text = mark.width === undefined ? mark.text : fitText(mark.text, mark.size, mark.width);
        drawText(picture, text, mark.x, mark.y, mark.size, theme[mark.fill], mark.align);
        break;
      }
      case "picture":
        place(picture, mark.picture, mark.x, mark.y, mark.across, mark.down);
    }
  }
  return picture;
}
