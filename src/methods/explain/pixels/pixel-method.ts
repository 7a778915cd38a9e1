/** What all pixel methods share: from what a method declares and the numbers it works out to results. */
import type { Overlay } from "../../../autodiff/rule.ts";
import type { RunOptions } from "../../../core/platform.ts";
import type { Attribution } from "../../../core/result.ts";
import { float32 } from "../../../core/tensor.ts";
import type { Model } from "../../../model/model.ts";
import {
  feedsOf,
  type Method,
  type MethodInput,
  mustApply,
  type OptionSpec,
  originOf,
  resolveOptions,
} from "../../method.ts";
import type { ExplanationMethod } from "../explanation.ts";
import { notesOn } from "./notes.ts";
import { type PixelOptions, variantsAtOnce } from "./options.ts";
import { type Passes, type Start, startPasses, subjectOf } from "./passes.ts";

type AnyOptions = Omit<PixelOptions, "of">;

/** One target's attribution, in the order of the input's numbers. */
export interface Found {
  readonly values: Float32Array | Float64Array;
  /** What the values should sum to, where the method promises a sum. */
  readonly expected?: number;
  readonly notes?: readonly string[];
}

export interface Job<Options> extends Passes {
  readonly model: Model;
  readonly options: Options;
  /** The gradient of each target at the picture itself. */
  readonly gradients: readonly Float32Array[];
  readonly input: MethodInput;
}

export interface PixelParts<Options extends AnyOptions>
  extends Omit<ExplanationMethod<Options, Attribution>, "kind" | "needs" | "family" | "applies" | "run" | "runMany"> {
  readonly options: Readonly<Record<keyof Options & string, OptionSpec>>;
  /** `always`: values below 0 speak against the target; `summed`: only a picture that adds channels up shows it. */
  readonly signed: "always" | "summed" | "never";
  readonly overlay?: (model: Model, options: Options, input: MethodInput) => Overlay;
  /** Default: one pass at the picture itself, with the overlay. */
  readonly start?: Start<Options>;
  /** How an incomplete sum is mended, for the note. */
  readonly mend?: string;
  /** The attribution of each target. */
  attribute(job: Job<Options>): Promise<readonly Found[]> | readonly Found[];
}

export function pixelMethod<Options extends AnyOptions>(
  parts: PixelParts<Options>,
): ExplanationMethod<Options, Attribution> {
  const { signed, overlay, start, mend, attribute, ...declared } = parts;
  const runMany: ExplanationMethod<Options, Attribution>["runMany"] = async (model, input, choice, given = {}) => {
    mustApply(method as Method, model);
    const options = resolveOptions<Options>(method.options, { ...given, target: choice.targets[0] ?? "top" });
    const of = "of" in options ? (options.of as PixelOptions["of"]) : "logit";
    const subject = subjectOf(model, feedsOf(method, input));
    const asked = await Promise.all(choice.targets.map((target) => model.findTarget(target, of)));
    const overlaid = overlay?.(model, options, input);
    const run = runOptions(given);
    const passes = await (start
      ? start(model, subject, asked, options, run)
      : startPasses(model, subject, asked, {
          ...run,
          batch: variantsAtOnce("batch" in options ? (options.batch as number) : 1, subject.x.length),
          ...(overlaid ? { overlay: overlaid } : {}),
        }));
    const size = subject.x.length;
    const gradients = passes.first.targets.map((target) => target.gradients[model.input.name]!.data.subarray(0, size));
    const found = await attribute({ ...passes, model, options, gradients, input });
    return Promise.all(
      found.map(async ({ values, expected, notes = [] }, t): Promise<Attribution> => {
        const target = passes.first.targets[t]!.explained[0]!;
        const completeness = expected === undefined ? undefined : completenessOf(values, expected);
        const { channelReduce } = options;
        const part = { values, target, completeness, subject, mend, passNotes: [...passes.first.notes, ...notes] };
        return {
          kind: "attribution",
          title: method.title,
          target,
          signed: signed === "summed" ? channelReduce === "sum" || channelReduce === "mean" : signed === "always",
          layout: model.input.layout,
          values: float32(subject.dims, values),
          channelReduce,
          ...(completeness ? { completeness } : {}),
          origin: await originOf(model, method.id, { ...options, target: choice.targets[t]! }, input),
          notes: await notesOn(model, part),
        };
      }),
    );
  };
  const method: ExplanationMethod<Options, Attribution> = {
    ...declared,
    kind: "attribution",
    family: "pixels",
    needs: ["image", "graph", "gradient"],
    applies: (model) => model.opaque ?? wholeNumbers(model),
    run: async (model, input, given = {}) => {
      mustApply(method as Method, model);
      const { target } = resolveOptions<Options>(method.options, given);
      return (await runMany(model, input, { targets: [target] }, given))[0]!;
    },
    runMany,
  };
  return method;
}

const wholeNumbers = ({ input }: Model): string | undefined =>
  input.type.includes("float")
    ? undefined
    : `its input "${input.name}" is ${input.type}: whole numbers have no gradient; methods that change the picture (occlusion) have no need of one`;

const runOptions = ({ signal, onProgress }: RunOptions): RunOptions => ({
  ...(signal ? { signal } : {}),
  ...(onProgress ? { onProgress } : {}),
});

/** What was promised, what came out, and how much is missing (below 0) or too much. */
function completenessOf(
  values: ArrayLike<number>,
  expected: number,
): { readonly expected: number; readonly sum: number; readonly gap: number } {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return { expected, sum, gap: sum - expected };
}
