/** What explanations have beyond other methods: several targets and layers from as few passes as can be. */
import type { RunOptions } from "../../core/platform.ts";
import type { Attribution, HeatMap } from "../../core/result.ts";
import type { Model } from "../../model/model.ts";
import type { Method, MethodInput } from "../method.ts";

export interface ExplanationMethod<Options, R extends HeatMap | Attribution> extends Method<Options, R> {
  /** Where its numbers live: a layer's map, the input's units, or the input's places found by changing them. */
  readonly family: "cam" | "pixels" | "perturb";
  /** What one map costs, in words: `1 forward pass, 1 backward pass from the layer`. */
  readonly cost: string;
  /** The formula, as the docs table shows it. */
  readonly formula: string;
  /** When its picture misleads, in one sentence. */
  readonly misleads: string;
  /**
   * One result for each target, and for CAM methods for each layer of each target (targets outermost), sharing passes.
   * `options.target` and `options.layer` are not read.
   */
  runMany(
    model: Model,
    input: MethodInput,
    choice: { readonly targets: readonly (string | number)[]; readonly layers?: readonly string[] },
    options?: Partial<Options> & RunOptions,
  ): Promise<readonly R[]>;
}
