/**
 * The report: one self-contained HTML file on one photograph and one network. It asks each section of the registry in
 * turn, leaves out what does not apply or would not end in time, says so, and puts the page around the rest.
 */
import { ConvlensError, type ErrorCode, throwIfCancelled } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import type { Result } from "../core/result.ts";
import type { Method } from "../methods/index.ts";
import type { Model } from "../model/model.ts";
import { shapeText } from "../render/numbers.ts";
import { plural } from "./format.ts";
import type { Html } from "./html.ts";
import { pageHtml } from "./page/page.ts";
import type { Context, Photo, ReportOptions, Section } from "./section.ts";
import { sections } from "./sections/index.ts";

export type { Photo, ReportOptions } from "./section.ts";

export interface Report {
  readonly html: string;
  readonly notes: readonly string[];
  /** Ids of the sections on the page, in its order. */
  readonly sections: readonly string[];
  /** What the page was made from. */
  readonly results: readonly Result[];
}

/** The sections that a report can have, in the order of the page: for help and completion. */
export const reportSections: readonly Pick<Section, "id" | "title" | "summary">[] = sections;

/** Errors that cost a section and not the report: what the network is not made for, and a choice between its heads not made. */
const skipped: ReadonlySet<string> = new Set<ErrorCode>(["model-unsupported", "option-invalid"]);

/** Bytes of page kept for text, style and script, whatever the pictures take. */
const textRoom = 600_000;

/**
 * Makes the report. Throws `option-invalid` for a section that does not exist, `model-unsupported` for a network that
 * does not take one picture, and `cancelled` when the signal says so.
 */
export async function makeReport(model: Model, photo: Photo, options: ReportOptions = {}): Promise<Report> {
  const { budget = 60_000, sizeLimit = 15_000_000, seed = 0, signal } = options;
  const started = performance.now();
  const wanted = known("with", options.with);
  const unwanted = known("without", options.without);
  const both = wanted.find((id) => unwanted.includes(id));
  if (both !== undefined)
    throw new ConvlensError("option-invalid", `section "${both}" is both in "with" and in "without"`);
  mustTakePicture(model);
  throwIfCancelled(signal);

  const prepared = model.prepare(photo.picture);
  const results = new Map<string, Promise<Result>>();
  const done: Result[] = [];
  let passTime = 0;
  const result = async <Options, R extends Result>(
    method: Method<Options, R>,
    given?: Partial<Options>,
  ): Promise<R> => {
    const key = `${method.id} ${JSON.stringify(given ?? {})}`;
    const kept = results.get(key) as Promise<R> | undefined;
    if (kept !== undefined) return kept;
    const before = performance.now();
    const input = { feeds: prepared.tensor, name: photo.name, isPicture: true };
    const made = method.run(model, input, { ...given, ...(signal && { signal }) } as Partial<Options> & {
      signal?: AbortSignal;
    });
    results.set(key, made);
    done.push(await made);
    if (method.kind === "prediction") passTime = performance.now() - before;
    return made;
  };

  const explain: Context["explain"] = async (method, choice) => {
    const input = { feeds: prepared.tensor, name: photo.name, isPicture: true };
    const seeded = "seed" in method.options ? { seed } : {};
    const made = await method.runMany(model, input, choice, { ...seeded, ...(signal && { signal }) } as Parameters<
      typeof method.runMany
    >[3]);
    done.push(...made);
    return made;
  };

  const elapsed = (): number => performance.now() - started;
  const todo = sections.filter((section) => !unwanted.includes(section.id));
  const onPage: { id: string; title: string; body: Html }[] = [];
  /** By the reason, which several may share. */
  const leftOut = new Map<string, Section[]>();
  const ledes: Html[] = [];
  const notes = new Set<string>(model.notes);
  for (const id of unwanted) notes.add(`section "${id}" was not wanted`);
  const leave = (section: Section, reason: string): void => {
    leftOut.set(reason, [...(leftOut.get(reason) ?? []), section]);
  };
  const allNotes = (): readonly string[] => distinct([...notes, ...[...leftOut].map(leftOutNote)]);

  for (const [i, section] of todo.entries()) {
    throwIfCancelled(signal);
    const report = (done: number, total: number): void =>
      options.onProgress?.(i + done / Math.max(1, total), todo.length, section.title);
    report(0, 1);
    const why = section.applies(model);
    if (why !== undefined) {
      leave(section, why);
      continue;
    }
    const asked = wanted.includes(section.id);
    const cost = section.passes * passTime;
    if (!asked && section.passes > 0 && elapsed() + cost > budget) {
      leave(
        section,
        `it would not have ended within the budget of ${plural(budget / 1000, "second")}; ask for it by name (--with ${section.id}), or for a longer budget (--budget 5m)`,
      );
      continue;
    }
    const context: Context = {
      model,
      photo,
      prepared,
      result,
      explain,
      room: Math.max(0, sizeLimit - textRoom) * section.share,
      timeLeft: () => (asked ? Number.POSITIVE_INFINITY : budget - elapsed()),
      codec: options.codec,
      signal,
      seed,
      onProgress: report,
      made: {
        command: options.command,
        versions: options.versions ?? {},
        options: { budget, sizeLimit, with: wanted, without: unwanted, seed },
        notes: allNotes(),
      },
    };
    try {
      const fragment = await section.produce(context);
      onPage.push({ id: section.id, title: section.title, body: fragment.body });
      if (fragment.lede) ledes.push(fragment.lede);
      for (const note of fragment.notes ?? []) notes.add(note);
    } catch (error) {
      if (!(error instanceof ConvlensError && skipped.has(error.code))) throw error;
      leave(section, error.message);
    }
  }

  const html = await pageHtml({ title: `${model.name} looks at ${photo.name}`, ledes, sections: onPage, leftOut });
  options.onProgress?.(todo.length, todo.length, "page");
  return { html, notes: allNotes(), sections: onPage.map(({ id }) => id), results: done };
}

/** The section names of an option, each checked. */
function known(option: string, names: readonly string[] = []): readonly string[] {
  const ids = sections.map(({ id }) => id);
  for (const name of names)
    if (!ids.includes(name))
      throw new ConvlensError(
        "option-invalid",
        `"${option}" names the section "${name}", which does not exist.${didYouMean(name, ids)} Sections: ${ids.join(", ")}`,
      );
  return [...new Set(names)];
}

function mustTakePicture(model: Model): void {
  const { inputs, input } = model;
  const problem =
    inputs.length !== 1
      ? `it has ${inputs.length} inputs (${inputs.map(({ name }) => name).join(", ")})`
      : input.shape.length !== 4
        ? `its input "${input.name}" has the shape ${shapeText(input.shape)}`
        : undefined;
  if (problem !== undefined)
    throw new ConvlensError(
      "model-unsupported",
      `"${model.name}" does not take one picture: ${problem}; a report needs a network whose only input is a picture, "convlens summary" shows any network`,
    );
}

function leftOutNote([reason, left]: readonly [string, readonly Section[]]): string {
  const names = left.map(({ id }) => `"${id}"`).join(", ");
  return `${left.length > 1 ? `sections ${names} are` : `section ${names} is`} left out: ${reason}`;
}

/** Without notes that another one says too, with more behind it. */
function distinct(notes: Iterable<string>): readonly string[] {
  const all = [...notes];
  return all.filter((note) => !all.some((other) => other !== note && other.startsWith(`${note};`)));
}
