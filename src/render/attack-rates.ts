/** An attack over a set of pictures, drawn: the matrix from class to class, the histogram of reached classes; and as text. */
import type { Evaluation, Rate } from "../core/result.ts";
import { applyColorMap } from "./colormaps.ts";
import { textWidth } from "./font.ts";
import { grouped, percent, short } from "./numbers.ts";
import type { Mark, Scene } from "./scene.ts";

const size = 12;

const counted = (n: number, one: string): string => `${grouped(n)} ${one}${n === 1 ? "" : "s"}`;

/** Successes from class (row) to class (column); `undefined` where there is no matrix. */
export function matrixChart({ title, classes, matrix }: Evaluation): Scene | undefined {
  if (matrix.length === 0) return undefined;
  const cell = matrix.length > 40 ? 12 : 34;
  const left = 14 + Math.min(160, Math.max(...classes.map((name) => textWidth(name, size)))) + 10;
  const top = 96;
  const most = Math.max(1, ...matrix.flat());
  const sums = matrix.map((row) => row.reduce((a, b) => a + b, 0));
  const right = left + cell * classes.length;
  const width = Math.max(right + 70, 420);
  const marks: Mark[] = [
    {
      kind: "text",
      x: 14,
      y: 24,
      text: `${title}: from class (row) to class (column)`,
      size: 14,
      fill: "text",
      width: width - 28,
    },
    {
      kind: "text",
      x: 14,
      y: 44,
      text: "successful attacks; columns in the order of the rows",
      size,
      fill: "muted",
      width: width - 28,
    },
    { kind: "text", x: right + 12, y: top - 8, text: "all", size, fill: "muted" },
  ];
  for (const [to, name] of classes.entries())
    if (cell > 20)
      marks.push({
        kind: "text",
        x: left + (to + 0.5) * cell,
        y: top - 8 - 14 * (to % 2),
        text: name,
        size: 10,
        fill: "muted",
        align: "middle",
        width: 2 * cell - 6,
      });
  for (const [from, row] of matrix.entries()) {
    const y = top + from * cell;
    marks.push({
      kind: "text",
      x: left - 10,
      y: y + cell / 2 + 4,
      text: classes[from]!,
      size,
      fill: "text",
      align: "end",
      width: left - 24,
    });
    for (const [to, count] of row.entries()) {
      const color = applyColorMap([count], { min: 0, max: most * 1.6, map: "viridis" });
      const x = left + to * cell;
      const note = `${classes[from]} to ${classes[to]}: ${count}`;
      if (from === to) marks.push({ kind: "rect", x, y, width: cell - 1, height: cell - 1, fill: "line" });
      else
        marks.push({
          kind: "picture",
          x,
          y,
          picture: { width: 1, height: 1, data: color },
          across: cell - 1,
          down: cell - 1,
          title: note,
        });
      if (cell > 20 && count > 0)
        marks.push({
          kind: "text",
          x: x + cell / 2,
          y: y + cell / 2 + 4,
          text: grouped(count),
          size,
          fill: "surface",
          align: "middle",
        });
    }
    marks.push({ kind: "text", x: right + 12, y: y + cell / 2 + 4, text: grouped(sums[from]!), size, fill: "text" });
  }
  return { width, height: top + cell * classes.length + 14, title: `${title}, from class to class`, marks };
}

/** How many pictures reached how many of the wanted classes; `undefined` without targeted attacks. */
export function reachedChart({ title, reached }: Evaluation): Scene | undefined {
  if (reached.length === 0) return undefined;
  const all = reached.reduce((a, b) => a + b, 0);
  const [left, top, row, full] = [120, 66, 24, 320] as const;
  const width = left + full + 130;
  const marks: Mark[] = [
    { kind: "text", x: 14, y: 24, text: title, size: 14, fill: "text", width: width - 28 },
    {
      kind: "text",
      x: 14,
      y: 44,
      text: `how many other classes each of ${counted(all, "picture")} can be moved to`,
      size,
      fill: "muted",
      width: width - 28,
    },
  ];
  for (const [n, count] of reached.entries()) {
    const y = top + n * row;
    const share = all === 0 ? 0 : count / all;
    const text = `${grouped(count)}  (${percent(share)})`;
    marks.push({
      kind: "text",
      x: left - 10,
      y: y + 13,
      text: n === 1 ? "1 class" : `${n} classes`,
      size,
      fill: "text",
      align: "end",
    });
    marks.push({ kind: "rect", x: left, y, width: full, height: row - 6, fill: "track", title: text });
    if (count > 0)
      marks.push({
        kind: "rect",
        x: left,
        y,
        width: Math.max(1, share * full),
        height: row - 6,
        fill: "accent",
        title: text,
      });
    marks.push({ kind: "text", x: left + full + 10, y: y + 13, text, size, fill: "text" });
  }
  return { width, height: top + reached.length * row + 10, title: `${title}: classes reached`, marks };
}

/** The rates as a table of text. */
export function evaluationText({ title, pictures, untargeted, targeted, anyTarget }: Evaluation): string {
  const { seen, right, attacked, excluded, skipped } = pictures;
  const share = (rate: Rate): string =>
    rate.rate === null
      ? "nothing tried"
      : `${percent(rate.rate)} (${grouped(rate.succeeded)} of ${grouped(rate.tried)}; 95 %: ${rate.interval!.map((v) => percent(v)).join(" to ")})`;
  const more = (rate: NonNullable<Evaluation["untargeted"]>): string =>
    [
      rate.confidence === null ? [] : [`mean confidence of successes ${percent(rate.confidence)}`],
      rate.queries === null ? [] : [`mean queries ${short(rate.queries)}`],
      rate.successQueries === null ? [] : [`of successes ${short(rate.successQueries)}`],
    ]
      .flat()
      .join(", ");
  const lines = [
    title,
    `  ${counted(seen, "picture")} judged${right === null ? "" : `, ${grouped(right)} right`}; ${grouped(attacked)} attacked, ${grouped(excluded)} left out, ${grouped(skipped.length)} unreadable`,
  ];
  if (untargeted !== null)
    lines.push(`  any other class      ${share(untargeted)}`, `                       ${more(untargeted)}`);
  if (targeted !== null)
    lines.push(`  a wanted class       ${share(targeted)}`, `                       ${more(targeted)}`);
  if (anyTarget !== null)
    lines.push(
      `  at least one wanted  ${share(anyTarget)}`,
      "                       of pictures: what the one-pixel paper calls non-targeted",
    );
  return lines.join("\n");
}
