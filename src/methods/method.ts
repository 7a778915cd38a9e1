/** What a method is: one explanation, visualization, attack or measure, declared once; flags, pickers and docs are derived. */
import type { RunOptions } from "../core/platform.ts";
import type { Result } from "../core/result.ts";
import type { Feeds, Model } from "../model/model.ts";

/** An option, declared once: the command line's flag, the studio's control and the docs table are made from it. */
export interface OptionSpec {
  readonly type: "number" | "integer" | "string" | "boolean" | "list" | "choice";
  readonly default: unknown;
  readonly choices?: readonly string[];
  readonly min?: number;
  readonly max?: number;
  readonly help: string;
}

/** What a method is given beside the model: ready tensors and the name of the photograph they were made of. */
export interface MethodInput {
  readonly feeds?: Feeds;
  readonly name?: string;
}

export interface Method<Options = Readonly<Record<string, unknown>>, R extends Result = Result> {
  readonly id: string;
  readonly title: string;
  /** One sentence for help and docs. */
  readonly summary: string;
  readonly paper?: string;
  /** The library whose numbers it reproduces. */
  readonly follows?: string;
  readonly kind: R["kind"];
  /** What it must be given. */
  readonly needs: readonly ("image" | "graph" | "gradient")[];
  readonly options: Readonly<Record<keyof Options & string, OptionSpec>>;
  /** `undefined` when the method applies, else why not. */
  applies(model: Model): string | undefined;
  run(model: Model, input: MethodInput, options: Options & RunOptions): Promise<R>;
}
