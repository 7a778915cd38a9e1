/** All methods: each by its name, and the list of them that help, docs and tests walk. */
import * as all from "./all.ts";
import type { Method } from "./method.ts";

export * from "./all.ts";
export type { AttackMethod, AttackRunOptions, Plan } from "./attack/attack.ts";
export {
  evaluationOf,
  evaluationOrder,
  type PictureRecord,
  pictureSeed,
  type RunRecord,
  runRecord,
} from "./attack/evaluation.ts";
export type { ExplanationMethod } from "./explain/explanation.ts";
export { channelMap } from "./inspect/activations.ts";
export { preprocessingDoubt } from "./inspect/doubt.ts";
export { type Method, type MethodInput, type OptionSpec, resolveOptions } from "./method.ts";
export type { AscentState } from "./visualize/ascent.ts";
export type { VisualizeInput, VisualizeOptions } from "./visualize/job.ts";
export { presets } from "./visualize/presets.ts";
export type { AscentStep, VisualizeRun } from "./visualize/visualize.ts";

/** In the order of their names, which bundlers do not keep by themselves. */
export const methods: readonly Method[] = Object.entries(all)
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([, method]) => method);
