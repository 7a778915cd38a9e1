/**
 * What a section of the report is. A section is one file in `sections/` and one line in `sections/index.ts`; the page,
 * its contents list, the names that can be asked for and the list of what was left out are made from the registry.
 */
import type { Picture } from "../core/picture.ts";
import type { Platform, RunOptions } from "../core/platform.ts";
import type { Attribution, HeatMap, Result } from "../core/result.ts";
import type { ExplanationMethod, Method } from "../methods/index.ts";
import type { Model, Prepared } from "../model/model.ts";
import type { Html } from "./html.ts";

/** The photograph of the report. */
export interface Photo {
  readonly picture: Picture;
  /** File name, as the page shows it. */
  readonly name: string;
  /** The file itself, for its checksum. */
  readonly bytes?: Uint8Array;
}

export interface ReportOptions extends RunOptions {
  /** Milliseconds the whole report may take; default 60 000. A section that would not end in time is left out. */
  readonly budget?: number;
  /** Sections to make whatever they cost. */
  readonly with?: readonly string[];
  /** Sections to leave out. */
  readonly without?: readonly string[];
  /** Bytes that the file may have; default 15 000 000. */
  readonly sizeLimit?: number;
  /** The command that makes this page, for its last section. */
  readonly command?: string;
  /** Names and versions of the programs at work, for the last section: `{ convlens: "0.1.0" }`. */
  readonly versions?: Readonly<Record<string, string>>;
  /** The platform's picture codecs: with them the photograph is written as JPEG where that is smaller, else as PNG. */
  readonly codec?: Platform["codec"];
  /** For sections with chance in them; default 0. */
  readonly seed?: number;
}

/** What a section may use. */
export interface Context {
  readonly model: Model;
  readonly photo: Photo;
  /** The photograph as the network gets it. */
  readonly prepared: Prepared;
  /** Runs a method on the photograph; the same method with the same options runs once for the whole report. */
  result<Options, R extends Result>(method: Method<Options, R>, options?: Partial<Options>): Promise<R>;
  /** The same for an explanation of several targets, at several layers. */
  explain<Options, R extends HeatMap | Attribution>(
    method: ExplanationMethod<Options, R>,
    choice: { readonly targets: readonly (string | number)[]; readonly layers?: readonly string[] },
  ): Promise<readonly R[]>;
  /** Bytes of page that this section may use; stay below. */
  readonly room: number;
  /** Milliseconds until the report should end; infinite for a section that was asked for by name. */
  timeLeft(): number;
  readonly codec: Platform["codec"] | undefined;
  readonly signal: AbortSignal | undefined;
  readonly seed: number;
  /** `done` of `total` steps of this section. */
  readonly onProgress: (done: number, total: number) => void;
  /** What the report knows of itself so far; the section that says how the page was made reads it. */
  readonly made: {
    readonly command: string | undefined;
    readonly versions: Readonly<Record<string, string>>;
    /** As resolved, defaults included. */
    readonly options: Required<Pick<ReportOptions, "budget" | "sizeLimit" | "with" | "without" | "seed">>;
    readonly notes: readonly string[];
  };
}

/** What a section gives. */
export interface Fragment {
  /** What stands below the section's `<h2>`; further headings start at `<h3>`. */
  readonly body: Html;
  /** A sentence for the top of the page. */
  readonly lede?: Html;
  /** What the reader must know: what was chosen, what this section leaves out and how to get it. */
  readonly notes?: readonly string[];
}

export interface Section {
  readonly id: string;
  readonly title: string;
  /** One sentence: what it shows. For help and for the list of what was left out. */
  readonly summary: string;
  /** Place on the page; sections are also made in this order. */
  readonly order: number;
  /** Passes through the network that it needs, forward and backward counted alike: its cost, weighed against the budget. */
  readonly passes: number;
  /** Share of the file's bytes that it may use, 0 to 1; 0 for a section that is only text. */
  readonly share: number;
  /** `undefined` when the section applies to this network, else why not. */
  applies(model: Model): string | undefined;
  produce(context: Context): Promise<Fragment>;
}
