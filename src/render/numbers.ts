/** Numbers and shapes as people read them. */

/** At most `digits` significant digits, without trailing zeros; very small and very large ones in scientific notation. */
export function short(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  const text =
    size !== 0 && (size < 1e-3 || size >= 1e6)
      ? value
          .toExponential(digits - 1)
          .replace(/\.?0+e/, "e")
          .replace("e+", "e")
      : String(Number(value.toPrecision(digits)));
  return text.replace(/-/g, "−");
}

/** A share from 0 to 1 as a percentage; never "0.0 %" for what is not zero nor "100.0 %" for what is not all. */
export function percent(share: number): string {
  if (!Number.isFinite(share)) return short(share);
  if (share > 0 && share < 0.0005) return "< 0.1 %";
  if (share < 1 && share >= 0.9995) return "> 99.9 %";
  return `${(share * 100).toFixed(1)} %`;
}

/** 3453121 as "3,453,121". */
export const grouped = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ",");

/** "(None, 148, 148, 32)", as Keras writes a shape. */
export const shapeText = (shape: readonly (number | null)[]): string =>
  shape.length === 0 ? "?" : `(${shape.map((n) => n ?? "None").join(", ")}${shape.length === 1 ? "," : ""})`;

/** Up to about `most` round numbers (1, 2, 5 times a power of ten) within [min, max]; `whole`: whole numbers only. */
export function ticks(min: number, max: number, most: number, whole = false): number[] {
  const width = max - min;
  if (!(width > 0) || !Number.isFinite(width)) return [min];
  const rough = width / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((f) => f * power >= rough * (1 - 1e-9)) ?? 10;
  const step = whole ? Math.max(1, Math.round(factor * power)) : factor * power;
  const out: number[] = [];
  const first = Math.ceil(min / step - 1e-9);
  const last = Math.floor(max / step + 1e-9);
  for (let i = first; i <= last; i++) out.push(i * step + 0); // + 0: no minus zero
  return out;
}

/** Numbers of one scale, all with the same number of decimals: as many as the one that needs most. */
export function alike(values: readonly number[]): string[] {
  const texts = values.map((v) => short(v));
  if (texts.some((t) => /[e∞N]/.test(t))) return texts;
  const decimals = Math.max(0, ...texts.map((t) => t.split(".")[1]?.length ?? 0));
  return values.map((v) => v.toFixed(decimals).replace("-", "−"));
}
