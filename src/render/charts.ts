/** Charts as scenes: predictions as bars, and a measure by depth as a table of bars, one row a layer. */
import type { Measure, Prediction } from "../core/result.ts";
import { textWidth } from "./font.ts";
import { grouped, percent, short } from "./numbers.ts";
import type { Mark, Scene } from "./scene.ts";

/** "0.973" or "97.3 %": the probability where there is one, else the score. */
const scoreText = (p: { readonly probability: number | null; readonly score: number }): string =>
  p.probability === null ? short(p.score) : percent(p.probability);

/** Bars from 0 to 1 for probabilities; where none are known, scores from the least (or 0) to the greatest. */
export function predictionChart({ predictions }: Prediction): Scene {
  const [row, size, gap, full] = [30, 14, 12, 320] as const;
  const label = (p: { label: string; index: number }) => p.label || String(p.index);
  const left = 12 + Math.min(220, Math.max(0, ...predictions.map((p) => textWidth(label(p), size)))) + gap;
  const right = Math.max(0, ...predictions.map((p) => textWidth(scoreText(p), size)));
  const known = predictions.every((p) => p.probability !== null);
  const values = predictions.map((p) => (known ? p.probability! : p.score)).map((v) => (Number.isFinite(v) ? v : 0));
  const low = known ? 0 : Math.min(0, ...values);
  const width = known ? 1 : Math.max(0, ...values) - low || 1;
  const marks: Mark[] = [];
  for (const [i, p] of predictions.entries()) {
    const y = 10 + i * row;
    const title = `${label(p)} (class ${p.index}): ${scoreText(p)}`;
    const length = Math.min(1, Math.max(0, (values[i]! - low) / width)) * full;
    marks.push(
      {
        kind: "text",
        x: left - gap,
        y: y + 15,
        text: label(p),
        size,
        fill: "text",
        align: "end",
        width: left - gap - 12,
      },
      { kind: "rect", x: left, y, width: full, height: row - 9, fill: "track", title },
      { kind: "rect", x: left, y, width: Math.max(1, length), height: row - 9, fill: "accent", title },
      { kind: "text", x: left + full + gap, y: y + 15, text: scoreText(p), size, fill: "text" },
    );
  }
  return {
    width: left + full + gap + right + 12,
    height: 10 + predictions.length * row + 4,
    title: `Prediction: ${predictions.map((p) => `${label(p)} ${scoreText(p)}`).join(", ")}`,
    marks,
  };
}

/** Past so many rows they get thinner and only every other one is named. */
const fullRows = 80;
const barWidth = 240;

/** One row a layer in order of depth; shares as bars from 0 to 100 % with their numbers, counts as numbers. */
export function measureChart({ title, columns, rows }: Measure): Scene {
  const dense = rows.length > fullRows;
  const [rowHeight, everyNth, size] = dense ? ([7, 2, 10] as const) : ([20, 1, 12] as const);
  const [top, gap] = [64, 14];
  const text = (c: number, value: number) =>
    columns[c]!.unit === "share" ? percent(value) : Number.isInteger(value) ? grouped(value) : short(value);
  const widest = (texts: readonly string[]) => Math.max(0, ...texts.map((t) => textWidth(t, size)));
  const names = Math.min(240, Math.max(40, widest(rows.map((r) => r.name))));
  const height = top + rows.length * rowHeight + 10;

  const marks: Mark[] = [];
  for (const [i, row] of rows.entries()) {
    const y = top + i * rowHeight + (dense ? 6 : 12);
    if (i % everyNth === 0)
      marks.push({ kind: "text", x: 12 + names, y, text: row.name, size, fill: "text", align: "end", width: names });
  }
  let x = 12 + names + gap;
  for (const [c, column] of columns.entries()) {
    const isShare = column.unit === "share";
    const texts = rows.map((row) => text(c, row.values[c]!));
    const numbers = Math.max(widest(texts), isShare ? 0 : textWidth(column.title, 12));
    const end = x + (isShare ? barWidth + 8 : 0) + numbers;
    const heading = { kind: "text", y: 48, text: column.title, size: 12, fill: "muted" } as const;
    marks.push(isShare ? { ...heading, x, width: end - x } : { ...heading, x: end, align: "end" });
    for (const [i, row] of rows.entries()) {
      const y = top + i * rowHeight;
      const share = Math.max(0, Math.min(1, row.values[c]!));
      const bar = {
        kind: "rect",
        x,
        y,
        height: rowHeight - (dense ? 1 : 5),
        title: `${row.name}: ${texts[i]}`,
      } as const;
      if (isShare) marks.push({ ...bar, width: barWidth, fill: "track" });
      if (isShare && share > 0) marks.push({ ...bar, width: Math.max(1, share * barWidth), fill: "accent" });
      const baseline = y + (dense ? 6 : 12);
      if (i % everyNth === 0)
        marks.push({ kind: "text", x: end, y: baseline, text: texts[i]!, size, fill: "text", align: "end" });
    }
    x = end + 2 * gap;
  }
  const width = Math.max(x - gap, 360);
  marks.push({ kind: "text", x: 12, y: 22, text: title, size: 14, fill: "text", width: width - 24 });
  return { width, height, title, marks };
}
