/** What a method is: one explanation, visualization, attack or measure, declared once; flags, pickers and docs are derived. */
import { ConvlensError } from "../core/errors.ts";
import type { RunOptions } from "../core/platform.ts";
import type { Origin, Result } from "../core/result.ts";
import type { Tensor } from "../core/tensor.ts";
import type { Feeds, Model } from "../model/model.ts";

/** An option, declared once: the command line's flag, the studio's control and the docs table are made from it. */
export interface OptionSpec {
  readonly type: "number" | "integer" | "string" | "boolean" | "list" | "choice" | "target";
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
  /** The tensors were made of a photograph by `model.prepare`: the result then states the preprocessing. */
  readonly isPicture?: boolean;
  /** Pictures like the input, `[N, …]` in source layout, that some methods compare it with. */
  readonly background?: Tensor;
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
  /** Options left out take their defaults. Throws `option-invalid` for a value out of range. */
  run(model: Model, input: MethodInput, options?: Partial<Options> & RunOptions): Promise<R>;
}

/**
 * The options of one run: what was given, checked, over the defaults. What is not in `specs` (a signal, a callback) is
 * left out, so that the answer can be written into the result. Throws `option-invalid`.
 */
export function resolveOptions<Options>(
  specs: Readonly<Record<keyof Options & string, OptionSpec>>,
  given: Partial<Options> = {},
): Options {
  const entries = Object.entries<OptionSpec>(specs).map(([name, spec]) => {
    const value = (given as Readonly<Record<string, unknown>>)[name] ?? spec.default;
    const wrong = problem(spec, value);
    if (wrong !== undefined)
      throw new ConvlensError("option-invalid", `option "${name}" is ${JSON.stringify(value)}; ${wrong}`);
    return [name, value];
  });
  return Object.fromEntries(entries) as Options;
}

/** Why a value does not fit, or `undefined`. */
function problem(spec: OptionSpec, value: unknown): string | undefined {
  switch (spec.type) {
    case "number":
    case "integer": {
      const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = spec;
      if (typeof value !== "number" || !Number.isFinite(value)) return "it must be a number";
      if (spec.type === "integer" && !Number.isInteger(value)) return "it must be a whole number";
      return value < min || value > max ? `it must lie between ${min} and ${max}` : undefined;
    }
    case "choice":
      return spec.choices?.includes(String(value)) ? undefined : `it must be one of ${spec.choices?.join(", ")}`;
    case "target": {
      const isIndex = typeof value === "number" && Number.isInteger(value) && value >= 0;
      return isIndex || typeof value === "string" ? undefined : "it must be a class: its index or its name";
    }
    case "list":
      return Array.isArray(value) ? undefined : "it must be a list";
    default:
      return typeof value === spec.type ? undefined : `it must be a ${spec.type}`;
  }
}

/** What every result says of its making. */
export async function originOf(
  model: Model,
  method: string,
  options: object,
  input: MethodInput = {},
): Promise<Origin> {
  return {
    model: { name: model.name, sha256: await model.sha256() },
    method,
    options: { ...options },
    engine: model.engineName,
    ...(input.name === undefined ? {} : { input: input.name }),
    ...(input.isPicture ? { preprocessing: model.preprocessing } : {}),
  };
}

/** The ready tensors of a method that needs them; throws `option-invalid` when there are none. */
export function feedsOf(method: Pick<Method, "id">, input: MethodInput): Feeds {
  if (input.feeds === undefined)
    throw new ConvlensError("option-invalid", `${method.id} needs an input: give a picture or a ready tensor`);
  return input.feeds;
}

/** Throws `model-unsupported` when a method does not apply to a model. */
export function mustApply(method: Method, model: Model): void {
  const why = method.applies(model);
  if (why !== undefined)
    throw new ConvlensError("model-unsupported", `${method.id} does not apply to "${model.name}": ${why}`);
}
