/** The ordinary rules, by operator. A rule is exported under its operator's name. */
import type { RuleTable } from "../rule.ts";
import * as activation from "./activation.ts";
import * as arithmetic from "./arithmetic.ts";
import * as convolution from "./convolution.ts";
import * as indexing from "./indexing.ts";
import * as linear from "./linear.ts";
import * as normalization from "./normalization.ts";
import * as pooling from "./pooling.ts";
import * as reduce from "./reduce.ts";
import * as resize from "./resize.ts";
import * as shape from "./shape.ts";

export const rules: RuleTable = {
  ...activation,
  ...arithmetic,
  ...convolution,
  ...indexing,
  ...linear,
  ...normalization,
  ...pooling,
  ...reduce,
  ...resize,
  ...shape,
};
