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
  const [row, size, gap, barWidth] = [30, 14, 12, 320] as const;
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
    const length = Math.min(1, Math.max(0, (values[i]! - low) / width)) * barWidth;
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
      { kind: "rect", x: left, y, width: barWidth, height: row - 9, fill: "track", title },
      { kind: "rect", x: left, y, width: Math.max(1, length), height: row - 9, fill: "accent", title },
      { kind: "text", x: left + barWidth + gap, y: y + 15, text: scoreText(p), size, fill: "text" },
    );
  }
  return {
    width: left + barWidth + gap + right + 12,
    height: 10 + predictions.length * row + 4,
    title: `Prediction: ${predictions.map((p) => `${label(p)} ${scoreText(p)}`).join(", ")}`,
    marks,
  };
}

/** Past so many rows they get thinner and only some are named. */
const fullRows = 80;

/** One row a layer in order of depth; shares as bars from 0 to 100 %, counts as bars up to the greatest, numbers beside. */
export function measureChart({ title, columns, rows }: Measure): Scene {
  const dense = rows.length > fullRows;
  const row = dense ? 7 : 20;
  const everyNth = dense ? 2 : 1;
  const size = dense ? 10 : 12;
  const [top, gap] = [64, 14];
  const names = Math.min(200, Math.max(40, ...rows.map((r) => textWidth(r.name, size))));
  const most = columns.map((column, c) =>
    column.unit === "share" ? 1 : Math.max(0, ...rows.map((r) => r.values[c]!).filter(Number.isFinite)) || 1,
  );
  const text = (c: number, v: number) =>
    columns[c]!.unit === "share" ? percent(v) : Number.isInteger(v) ? grouped(v) : short(v);
  const barWidths = columns.map((column) => (column.unit === "share" ? 240 : 120));
  const textWidths = columns.map((_, c) => Math.max(0, ...rows.map((r) => textWidth(text(c, r.values[c]!), size))));
  const marks: Mark[] = [];
  const starts: number[] = [];
  let x = 12 + names + gap;
  for (const [c, column] of columns.entries()) {
    starts.push(x);
    const room = barWidths[c]! + 8 + textWidths[c]!;
    marks.push({ kind: "text", x, y: 48, text: column.title, size: 12, fill: "muted", width: room });
    x += room + 2 * gap;
  }
  const height = top + rows.length * row + 10;
  const width = Math.max(x - gap, 360);
  marks.unshift({ kind: "text", x: 12, y: 22, text: title, size: 14, fill: "text", width: width - 24 });
  for (const [i, r] of rows.entries()) {
    const y = top + i * row;
    const baseline = y + (dense ? 6 : 12);
    const named = i % everyNth === 0;
    if (named)
      marks.push({
        kind: "text",
        x: 12 + names,
        y: baseline,
        text: r.name,
        size,
        fill: "text",
        align: "end",
        width: names,
      });
    for (const [c, x0] of starts.entries()) {
      const v = r.values[c]!;
      const share = Number.isFinite(v) ? Math.max(0, Math.min(1, v / most[c]!)) : 0;
      const hover = `${r.name}: ${columns[c]!.title} ${text(c, v)}`;
      const bar = { kind: "rect", x: x0, y, height: row - (dense ? 1 : 5), title: hover } as const;
      marks.push({ ...bar, width: barWidths[c]!, fill: "track" });
      if (share > 0)
        marks.push({ ...bar, width: Math.max(1, share * barWidths[c]!), fill: c === 0 ? "accent" : "alert" });
      if (named)
        marks.push({ kind: "text", x: x0 + barWidths[c]! + 8, y: baseline, text: text(c, v), size, fill: "text" });
    }
  }
  return { width, height, title, marks };
}
