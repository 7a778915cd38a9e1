/**
 * The colours of everything drawn, by role. Pictures take the light values below; SVG takes CSS variables
 * (`--convlens-<role>`) with these as a fallback, so a page may set others for dark mode.
 */

export type Rgb = readonly [red: number, green: number, blue: number];

/** NaN in maps and kernels, which have every other colour. */
export const nanColor: Rgb = [200, 60, 160];

export type Role =
  | "surface"
  | "text"
  | "muted"
  | "line"
  /** Data. */
  | "accent"
  /** What stands out in data: dead channels, warnings. */
  | "alert"
  /** The empty part of a bar. */
  | "track";

export const theme: Readonly<Record<Role, Rgb>> = {
  surface: [255, 255, 255],
  text: [28, 32, 40],
  muted: [98, 106, 120],
  line: [206, 211, 219],
  accent: [47, 98, 168],
  alert: [192, 72, 32],
  track: [234, 237, 242],
};
