/** The registry: one line a method. Help, flags, docs tables and contract tests read it through `methods`. */
export { activations } from "./inspect/activations.ts";
export { filters } from "./inspect/filters.ts";
export { predict } from "./inspect/predict.ts";
export { sparsity } from "./inspect/sparsity.ts";
export { summary } from "./inspect/summary.ts";
