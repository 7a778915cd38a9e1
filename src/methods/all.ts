/** The registry: one line a method. Help, flags, docs tables and contract tests read it through `methods`. */
export { corners } from "./attack/corners.ts";
export { fgsm } from "./attack/fgsm.ts";
export { onePixel } from "./attack/one-pixel.ts";
export { pgd } from "./attack/pgd.ts";
export { ranked } from "./attack/ranked.ts";
export { sparseRs } from "./attack/sparse-rs.ts";
export { gradcam } from "./explain/cam/gradcam.ts";
export { gradient, gradientXInput } from "./explain/pixels/gradient.ts";
export { ig } from "./explain/pixels/ig.ts";
export { activations } from "./inspect/activations.ts";
export { filters } from "./inspect/filters.ts";
export { predict } from "./inspect/predict.ts";
export { sparsity } from "./inspect/sparsity.ts";
export { summary } from "./inspect/summary.ts";
