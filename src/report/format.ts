/** Words around numbers, in addition to the renderers' number formats. */
import { grouped, percent, short } from "../render/numbers.ts";

/** A count of things with its noun: "1 channel", "6,272 channels". */
export const plural = (n: number, one: string, many = `${one}s`): string => `${grouped(n)} ${n === 1 ? one : many}`;

/** A share from 0 to 1 in running text: "57.7 %" that no line break splits. */
export const share = (value: number): string => percent(value).replaceAll(" ", "\u00a0");

/** Bytes in powers of 1000, three digits: 13812484 -> "13.8 MB". */
export function bytes(n: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let value = n;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return unit === 0 ? plural(n, "byte") : `${short(value, 3)} ${units[unit]}`;
}

/** Large counts in words: 226000000 -> "226 million". */
export function roughly(n: number): string {
  if (n >= 999.5e6) return `${short(n / 1e9, 3)} billion`;
  if (n >= 999.5e3) return `${short(n / 1e6, 3)} million`;
  return grouped(n);
}
