/**
 * The colours of everything drawn, by role. Pictures take the light values below; SVG takes CSS variables
 * (`--convlens-<role>`) with these as a fallback, so a page may set others for dark mode.
 */

export type Rgb = readonly [red: number, green: number, blue: number];

export const theme = {
  surface: [255, 255, 255],
  text: [28, 32, 40],
  muted: [98, 106, 120],
  line: [206, 211, 219],
  /** Data. */
  accent: [47, 98, 168],
  /** What stands out in data: dead channels, warnings. */
  alert: [192, 72, 32],
  /** The empty part of a bar. */
  track: [234, 237, 242],
} as const satisfies Readonly<Record<string, Rgb>>;

export type Role = keyof typeof theme;
