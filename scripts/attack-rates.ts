/**
 * The table and the chart of docs/attacks.md: `npx tsx scripts/attack-rates.ts [FOLDER]`. FOLDER holds a folder for each
 * run of `convlens evaluate`, finished or not; without it the figures of docs/attack-rates.json stay as they are.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodePng } from "../src/index.ts";
import { rateOf } from "../src/methods/attack/evaluation.ts";
import { type Mark, sceneToPicture } from "../src/render/index.ts";
import { grouped } from "../src/render/numbers.ts";
import { table } from "./markdown.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const file = join(root, "docs/attack-rates.json");
export const marks = {
  start: "<!-- made by scripts/attack-rates.ts; do not edit -->",
  end: "<!-- end -->",
} as const;

/** One attack on one network; queries are pictures that the network judged. */
interface Row {
  readonly network: string;
  readonly attack: string;
  readonly pixels: number;
  readonly tried: number;
  readonly succeeded: number;
  /** Of the successful attacks. */
  readonly median: number;
  /** Of all. */
  readonly mean: number;
}

/** How the networks of the runs are told apart, in the order of the table. */
const networks: readonly { readonly sha256: string; readonly name: string; readonly second: number }[] = [
  {
    sha256: "192d67be1b76e063595b557d07218e0f9886cffee8f41cec4bb2dbb0fe928186",
    name: "embedded `cifar10` (90.1 % right)",
    second: 850,
  },
  {
    sha256: "fe18ac89abaea861cd19f5e8d59c797a0f111c3603f178f3d214fb07f3c7e3f9",
    name: "LeNet (62,006 parameters, Keras)",
    second: 25_000,
  },
];

/** What others published for one pixel and any other class, as shares of pictures. */
const published: readonly (readonly [what: string, least: number, most: number])[] = [
  ["the paper, three networks", 0.226, 0.352],
  ["Keras program, six networks", 0.13, 0.34],
  ["Keras program, LeNet", 0.63, 0.63],
];

/** The rows of the table, from the journals of `convlens evaluate`. */
function measured(folder: string): readonly Row[] {
  const rows = readdirSync(folder).flatMap((name) => {
    const journal = join(folder, name, "evaluate.jsonl");
    if (!existsSync(journal)) return [];
    // The last line of a run that was killed may be half a line.
    const lines = readFileSync(journal, "utf8").split("\n").slice(0, -1);
    const [head, ...pictures] = lines.map((line) => JSON.parse(line));
    const network = networks.find(({ sha256 }) => sha256 === head.model);
    if (!network || head.goal !== "any") return [];
    const runs: { success: boolean; queries: number }[] = pictures.flatMap((p) => p.runs ?? []);
    if (runs.length === 0) return [];
    const succeeded = runs.filter(({ success }) => success).map(({ queries }) => queries);
    succeeded.sort((a, b) => a - b);
    const row: Row = {
      network: network.name,
      attack: head.attack,
      pixels: head.options.pixels ?? 1,
      tried: runs.length,
      succeeded: succeeded.length,
      median: succeeded[Math.floor(succeeded.length / 2)] ?? 0,
      mean: Math.round(runs.reduce((sum, run) => sum + run.queries, 0) / runs.length),
    };
    return [row];
  });
  const orders = ["ranked", "one-pixel", "sparse-rs"];
  const place = (row: Row): number =>
    1000 * networks.findIndex(({ name }) => name === row.network) + 10 * orders.indexOf(row.attack) + row.pixels;
  return rows.sort((a, b) => place(a) - place(b));
}

/** In whole per cent; what is not all does not round to it. */
const percent = (share: number): string =>
  `${share < 1 && share >= 0.995 ? (100 * share).toFixed(1) : Math.round(100 * share)} %`;
const time = (seconds: number): string =>
  seconds < 0.1 ? "under 0.1 s" : seconds < 10 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`;

/** The table as Markdown. */
export function ratesTable(): string {
  const rows: readonly Row[] = JSON.parse(readFileSync(file, "utf8"));
  const cells = rows.map((row, i) => {
    const { second } = networks.find(({ name }) => name === row.network)!;
    const [least, most] = rateOf(row.succeeded, row.tried).interval!;
    return [
      rows[i - 1]?.network === row.network ? "" : row.network,
      `\`${row.attack}\`${row.attack === "ranked" ? ", exact for extreme colours" : ""}`,
      String(row.pixels),
      `${row.succeeded} of ${row.tried}, ${percent(row.succeeded / row.tried)}`,
      `${Math.round(100 * least)} to ${percent(most)}`,
      grouped(row.median),
      grouped(row.mean),
      time(row.mean / second),
    ];
  });
  const head = ["Network", "Attack", "Pixels", "Fooled", "95 %", "Median", "Mean", "Mean time"];
  return table(head, cells);
}

/** Rates with their intervals, those of others below. */
function chart(rows: readonly Row[]): Parameters<typeof sceneToPicture>[0] {
  const [left, full, step] = [230, 420, 22];
  const drawn: Mark[] = [];
  let y = 30;
  const at = (share: number): number => left + share * full;
  const heading = (text: string): void => {
    drawn.push({ kind: "text", x: 14, y: y + 8, text, size: 14, fill: "text" });
    y += step + 6;
  };
  const line = (label: string, least: number, most: number, rate: number | undefined, text: string): void => {
    drawn.push(
      { kind: "text", x: left - 12, y: y + 4, text: label, size: 12, fill: "text", align: "end" },
      { kind: "rect", x: left, y: y - 1, width: full, height: 2, fill: "track" },
      { kind: "rect", x: at(least), y: y - 3, width: Math.max(3, at(most) - at(least)), height: 6, fill: "muted" },
      ...(rate === undefined
        ? []
        : [{ kind: "rect", x: at(rate) - 3, y: y - 7, width: 6, height: 14, fill: "accent" } as const]),
      { kind: "text", x: left + full + 14, y: y + 4, text, size: 12, fill: "text" },
    );
    y += step;
  };
  for (const [i, row] of rows.entries()) {
    if (rows[i - 1]?.network !== row.network) {
      if (i > 0) y += 10;
      heading(row.network.replaceAll("`", ""));
    }
    const rate = row.succeeded / row.tried;
    const [least, most] = rateOf(row.succeeded, row.tried).interval!;
    const label = `${row.attack}, ${row.pixels} pixel${row.pixels > 1 ? "s" : ""}`;
    line(label, least, most, rate, `${percent(rate)} of ${row.tried}`);
  }
  y += 10;
  heading("Published: one pixel, any other class");
  for (const [what, least, most] of published)
    line(
      what,
      least,
      most,
      undefined,
      least === most ? percent(least) : `${Math.round(100 * least)} to ${percent(most)}`,
    );
  y += 6;
  for (const share of [0, 0.25, 0.5, 0.75, 1])
    drawn.push({
      kind: "text",
      x: at(share),
      y: y + 8,
      text: percent(share),
      size: 12,
      fill: "muted",
      align: "middle",
    });
  const title = "Photographs fooled, of those that the network has right; grey: 95 % intervals";
  return { width: left + full + 110, height: y + 20, title, marks: drawn };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder] = process.argv.slice(2);
  if (folder !== undefined) writeFileSync(file, `${JSON.stringify(measured(folder), null, 2)}\n`);
  const page = join(root, "docs/attacks.md");
  const [before, rest] = readFileSync(page, "utf8").split(marks.start);
  const after = rest!.slice(rest!.indexOf(marks.end));
  writeFileSync(page, `${before}${marks.start}\n\n${ratesTable()}\n\n${after}`);
  const scene = chart(JSON.parse(readFileSync(file, "utf8")));
  writeFileSync(join(root, "docs/pictures/attacks/rates.png"), await encodePng(sceneToPicture(scene)));
}
