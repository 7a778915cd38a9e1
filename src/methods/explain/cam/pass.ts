/** The pass of a class-activation map: activations and gradients of all layers for all targets at once. */

import type { Layer } from "../../../core/layers.ts";
import type { RunOptions } from "../../../core/platform.ts";
import type { ExplainedTarget } from "../../../core/result.ts";
import type { Model, Target } from "../../../model/model.ts";
import type { Subject } from "../pixels/passes.ts";
import { type FeatureMaps, featureMaps } from "./feature-maps.ts";
import { plainView, type View, viewed } from "./views.ts";

export interface CamJob<Options> {
  readonly model: Model;
  readonly subject: Subject;
  readonly targets: readonly Target[];
  readonly layers: readonly Layer[];
  /** Variants of the picture whose maps are averaged. */
  readonly views: readonly View[];
  readonly options: Options;
  readonly run: RunOptions;
}

/** What the passes gave for one target. */
export interface Passed {
  readonly explained: ExplainedTarget;
  /** By layer, then by view: the activations and, unless the method needs none, their gradients. */
  readonly maps: ReadonlyMap<Layer, readonly (readonly FeatureMaps[])[]>;
  readonly notes: readonly string[];
}

/** A layer's output as the graph stores it: there is no need to turn its axes and back. */
export const storedValue = ({ output }: Layer): string => `value:${output}`;

/** One pass. `wants`: whether gradients are needed. */
export async function plainPass(job: CamJob<unknown>, wants = true): Promise<readonly Passed[]> {
  const { model, subject, layers, views, run } = job;
  const stored = layers.map(storedValue);
  const isPlain = views.length === 1 && views[0] === plainView;
  const found = await model.gradient(
    isPlain ? subject.feeds(subject.x, 1) : viewed(subject, model.input.layout, views),
    {
      ...run,
      targets: isPlain ? job.targets : await Promise.all(job.targets.map((target) => fixedClass(job, target))),
      wrt: wants ? stored : [],
      outputs: stored,
    },
  );
  const middle = views.findIndex(({ flip, factor }) => !flip && factor === 1);
  return found.targets.map(({ explained, gradients }) => ({
    explained: explained[middle]!,
    maps: new Map(
      layers.map((layer, i) => [
        layer,
        views.map((_, row) =>
          [found.values[stored[i]!]!, ...(wants ? [gradients[stored[i]!]!] : [])].map((tensor) =>
            featureMaps(tensor, layer.layout, row),
          ),
        ),
      ]),
    ),
    notes: found.notes,
  }));
}

/** `top` as the class that it means for the picture itself: variants of it must all be asked for that one. */
async function fixedClass({ model, subject, run }: CamJob<unknown>, target: Target): Promise<Target> {
  if (!("class" in target) || target.class !== "top") return target;
  const [first] = await model.predict(subject.feeds(subject.x, 1), { ...run, top: 1 });
  return { ...target, class: first!.predictions[0]!.index };
}
