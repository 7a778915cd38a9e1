/** Results as text for terminals: tables of plain lines, bars of block characters, colour only where asked for. */
import type { List, Measure, Prediction, Summary } from "../core/result.ts";
import { grouped, percent, shapeText, short } from "./numbers.ts";
import { scopeRuns } from "./scopes.ts";

export interface TextOptions {
  /** Columns of the terminal; default 100. */
  readonly width?: number;
  /** ANSI colours; default none. */
  readonly color?: boolean;
}

const ansi = { bold: "1", dim: "2", blue: "34", yellow: "33" } as const;
const painter =
  (color = false): ((text: string, style: keyof typeof ansi) => string) =>
  (text, style) =>
    color ? `\x1b[${ansi[style]}m${text}\x1b[0m` : text;

/** What a reader sees as one character; Latin letters, dashes and the lines and bars of tables do not wait 10 ms for Unicode's tables. */
const graphemes = (text: string): string[] =>
  /^[ -~\u00a1-\u02ff\u2010-\u2027\u2500-\u259f]*$/.test(text)
    ? text.split("")
    : Array.from(new Intl.Segmenter("en", { granularity: "grapheme" }).segment(text), ({ segment }) => segment);
/** East Asian wide characters and pictographs take two columns. */
const wide =
  /^[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|^\p{Extended_Pictographic}/u;

/** The columns a text takes. Control and direction characters are shown as a sign, so that a file's names cannot steer a terminal. */
function cells(text: string): { text: string; width: number }[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal would obey them
  const clean = text.replace(/[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
  return graphemes(clean).map((char) => ({ text: char, width: wide.test(char) ? 2 : 1 }));
}

/** The text cut or filled to exactly `width` columns; long names keep their start and their end, which tells most. */
function pad(text: string, width: number, end: "left" | "right" = "left"): string {
  const all = cells(text);
  const total = all.reduce((sum, c) => sum + c.width, 0);
  if (total <= width) {
    const fill = " ".repeat(width - total);
    return end === "left" ? all.map((c) => c.text).join("") + fill : fill + all.map((c) => c.text).join("");
  }
  if (width < 1) return "";
  const take = (list: typeof all, room: number) => {
    const taken: string[] = [];
    let used = 0;
    for (const c of list) {
      if (used + c.width > room) break;
      used += c.width;
      taken.push(c.text);
    }
    return { taken, used };
  };
  const head = take(all, Math.ceil((width - 1) / 3));
  const tail = take([...all].reverse(), width - 1 - head.used);
  const cut = `${head.taken.join("")}…${tail.taken.reverse().join("")}`;
  return cut + " ".repeat(width - 1 - head.used - tail.used);
}

const widthOf = (text: string): number => cells(text).reduce((sum, c) => sum + c.width, 0);

interface Column {
  readonly title: string;
  readonly values: readonly string[];
  readonly align?: "right";
  /** May be cut to this many columns when the table is wider than the terminal, and further where nothing else helps. */
  readonly least?: number;
  /** May be left out where the table does not fit even so: the column with the lowest number first. */
  readonly dispensable?: number;
}

/** What is cut keeps this many columns in the narrowest of terminals. */
const narrowest = 10;
const gap = 2;

const ownWidth = ({ title, values }: Column): number =>
  Math.max(widthOf(title), ...values.flatMap((value) => value.split("\n").map(widthOf)));

/** The columns for which there is room once all are cut as far as they should be. */
function fitting(columns: readonly Column[], width: number): readonly Column[] {
  const cut = columns.map((c) => Math.min(ownWidth(c), c.least ?? Number.POSITIVE_INFINITY));
  if (cut.reduce((a, b) => a + b, 0) + gap * (columns.length - 1) <= width) return columns;
  const first = columns
    .filter((c) => c.dispensable !== undefined)
    .reduce<Column | undefined>((a, b) => (a && a.dispensable! <= b.dispensable! ? a : b), undefined);
  return first === undefined
    ? columns
    : fitting(
        columns.filter((c) => c !== first),
        width,
      );
}

/**
 * Lines of a table: a heading, a rule, the rows; a value with line feeds takes several lines. Columns with `least`
 * shrink, that with the most to give first, until the table fits. `headings` stand above the rows of their numbers.
 */
function table(
  columns: readonly Column[],
  width: number,
  paint: ReturnType<typeof painter>,
  headings: ReadonlyMap<number, string> = new Map(),
): { lines: string[]; width: number } {
  const widths = columns.map(ownWidth);
  const total = () => widths.reduce((a, b) => a + b, 0) + gap * (columns.length - 1);
  const shrink = (leastOf: (c: Column) => number | undefined) => {
    while (total() > width) {
      const shrinkable = columns.map((c, i) => Math.max(0, widths[i]! - (leastOf(c) ?? Number.POSITIVE_INFINITY)));
      const widest = shrinkable.indexOf(Math.max(...shrinkable));
      if (shrinkable[widest] === 0) break;
      widths[widest]!--;
    }
  };
  shrink(({ least }) => least);
  shrink(({ least }) => least && Math.min(least, narrowest));
  const side = (c: Column) => (c.align === "right" ? "right" : "left");
  const line = (cell: (c: Column, i: number) => string) => columns.map(cell).join(" ".repeat(gap)).trimEnd();
  const lines = [
    paint(
      line((c, i) => pad(c.title, widths[i]!, side(c))),
      "bold",
    ),
    paint("─".repeat(total()), "dim"),
    ...(columns[0]?.values ?? []).flatMap((_, row) => {
      const parts = columns.map((c) => c.values[row]!.split("\n"));
      const height = Math.max(...parts.map((p) => p.length));
      const heading = headings.get(row);
      return [
        ...(heading === undefined ? [] : [paint(pad(heading, Math.min(widthOf(heading), width)), "dim")]),
        ...Array.from({ length: height }, (_, k) => line((c, i) => pad(parts[i]![k] ?? "", widths[i]!, side(c)))),
      ];
    }),
  ];
  return { lines, width: total() };
}

/** 1234567 as "1.18 MiB". */
function bytes(n: number): string {
  if (n < 1024) return `${n} B`;
  const [value, unit] = n < 2 ** 20 ? [n / 1024, "KiB"] : n < 2 ** 30 ? [n / 2 ** 20, "MiB"] : [n / 2 ** 30, "GiB"];
  return `${value.toFixed(2)} ${unit}`;
}

/** 1234567890 as "1.23 G". */
function magnitude(n: number): string {
  const [value, unit] = n >= 1e9 ? [n / 1e9, " G"] : n >= 1e6 ? [n / 1e6, " M"] : n >= 1e3 ? [n / 1e3, " k"] : [n, ""];
  return unit === "" ? String(n) : `${value.toFixed(2)}${unit}`;
}

/**
 * The table of layers as Keras prints it, and the totals. Where names are an exporter's paths of modules, rows stand
 * under the module's path, and their names, also as connections, go on from there.
 */
export function summaryText(summary: Summary, options: TextOptions = {}): string {
  const paint = painter(options.color);
  const { layers, totals } = summary;
  const headings = new Map<number, string>();
  const names: string[] = [];
  const connections: string[] = [];
  for (const { scope, layers: rows } of scopeRuns(layers)) {
    if (scope) headings.set(names.length, oneLine(scope));
    const within = (name: string): string => (name.startsWith(scope) ? name.slice(scope.length) : name);
    for (const l of rows) {
      names.push(oneLine(`${scope && "  "}${within(l.name)} (${l.class})`));
      connections.push(l.inputs.map((name) => oneLine(within(name))).join(",\n"));
    }
  }
  const columns: readonly Column[] = [
    { title: "Layer (class)", values: names, least: 26 },
    { title: "Output shape", values: layers.map((l) => shapeText(l.shape)), least: 18 },
    { title: "Param #", values: layers.map((l) => grouped(l.parameters)), align: "right", dispensable: 2 },
    { title: "Connected to", values: connections, least: 10, dispensable: 1 },
  ];
  const room = options.width ?? 100;
  const shown = fitting(columns, room);
  const leftOut = columns.filter((column) => !shown.includes(column)).map(({ title }) => title);
  const { lines, width } = table(shown, room, paint, headings);
  const inputs = summary.inputs.map((i) => `${i.name} ${shapeText(i.shape)}`).join(", ");
  return [
    paint(oneLine(summary.title), "bold"),
    ...(inputs ? [`Input: ${oneLine(inputs)}`] : []),
    "",
    ...lines,
    paint("─".repeat(width), "dim"),
    ...(leftOut.length > 0 ? [`No room for: ${leftOut.join(", ")}`] : []),
    `Total params: ${grouped(totals.parameters)} (${bytes(totals.parameters * 4)} as float32)`,
    `Trainable params: ${grouped(totals.trainable)}`,
    `Non-trainable params: ${grouped(totals.nonTrainable)}`,
    `Multiply-adds for one picture: ${magnitude(totals.multiplyAdds)}`,
    `Activations of one picture: ${bytes(totals.activationBytes)}`,
  ].join("\n");
}

/** The text with control characters, line feeds too, shown as a sign. */
const oneLine = (text: string): string =>
  cells(text)
    .map((c) => c.text)
    .join("");

const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
/** A bar of block characters, exact to an eighth of a column; `share` from 0 to 1. */
function bar(share: number, width: number): string {
  const filled = Math.round(Math.max(0, Math.min(1, Number.isFinite(share) ? share : 0)) * width * 8);
  return "█".repeat(filled >> 3) + eighths[filled & 7]!;
}

/** One line a class: bar, share or score, label. */
export function predictionText({ predictions }: Prediction, options: TextOptions = {}): string {
  const paint = painter(options.color);
  const width = options.width ?? 100;
  const known = predictions.every((p) => p.probability !== null);
  const values = predictions.map((p) => (known ? percent(p.probability!) : short(p.score)));
  const valueWidth = Math.max(0, ...values.map(widthOf));
  const scores = predictions.map((p) => p.score).filter(Number.isFinite);
  const low = Math.min(0, ...scores);
  const span = Math.max(0, ...scores) - low || 1;
  const longest = Math.max(0, ...predictions.map((p) => widthOf(p.label)));
  const indexWidth = Math.max(0, ...predictions.map((p) => String(p.index).length));
  const labelWidth = Math.max(8, Math.min(longest, width - valueWidth - indexWidth - 26));
  const barWidth = Math.max(8, Math.min(40, width - labelWidth - valueWidth - indexWidth - 6));
  return predictions
    .map((p, i) => {
      const share = known ? p.probability! : (p.score - low) / span;
      const drawn = bar(share, barWidth);
      const label = pad(p.label, labelWidth);
      const number = paint(String(p.index).padStart(indexWidth), "dim");
      return `${number}  ${i === 0 ? paint(label, "bold") : label}  ${pad(values[i]!, valueWidth, "right")}  ${paint(drawn, "blue")}`.trimEnd();
    })
    .join("\n");
}

/** A table of the measure, one row a layer, with a bar for the first column that is a share. */
export function measureText({ title, columns, rows }: Measure, options: TextOptions = {}): string {
  const paint = painter(options.color);
  const shown = columns.flatMap((column, c): Column[] => {
    const values = rows.map((r) => r.values[c]!);
    const isShare = column.unit === "share";
    const text = values.map((v) => (isShare ? percent(v) : Number.isInteger(v) ? grouped(v) : short(v)));
    const numbers: Column = { title: column.title, values: text, align: "right" };
    return isShare ? [numbers, { title: "", values: values.map((v) => bar(v, 24)) }] : [numbers];
  });
  const names: Column = { title: "Layer", values: rows.map((r) => oneLine(r.name)), least: 16 };
  const { lines } = table([names, ...shown], options.width ?? 100, paint);
  return [paint(oneLine(title), "bold"), "", ...lines].join("\n");
}

/** A list as a table: a column for each key of its rows, in order of first appearance. */
export function listText({ rows }: Pick<List, "rows">, options: TextOptions = {}): string {
  const keys = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  if (keys.length === 0) return "(nothing)";
  const cell = (value: unknown): string =>
    value === undefined || value === null
      ? ""
      : typeof value === "number"
        ? Number.isInteger(value)
          ? grouped(value)
          : short(value)
        : typeof value === "object"
          ? JSON.stringify(value)
          : String(value);
  const columns = keys.map((key): Column => {
    const numeric = rows.every((row) => row[key] === undefined || typeof row[key] === "number");
    return {
      title: key,
      values: rows.map((row) => oneLine(cell(row[key]))),
      least: 12,
      ...(numeric ? { align: "right" as const } : {}),
    };
  });
  return table(columns, options.width ?? 100, painter(options.color)).lines.join("\n");
}
