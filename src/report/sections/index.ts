/** The registry of sections: one line each. */
import type { Section } from "../section.ts";
import { activations } from "./activations.ts";
import { attack } from "./attack.ts";
import { classes } from "./classes.ts";
import { depth } from "./depth.ts";
import { filters } from "./filters.ts";
import { made } from "./made.ts";
import { photograph } from "./photograph.ts";
import { pixels } from "./pixels.ts";
import { prediction } from "./prediction.ts";
import { sparsity } from "./sparsity.ts";
import { summary } from "./summary.ts";
import { visualize } from "./visualize.ts";

/** Every section, in the order of the page. */
export const sections: readonly Section[] = [
  photograph,
  prediction,
  classes,
  depth,
  pixels,
  summary,
  activations,
  filters,
  visualize,
  sparsity,
  attack,
  made,
].sort((a, b) => a.order - b.order);
