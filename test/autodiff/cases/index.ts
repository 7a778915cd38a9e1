/** All cases of the gradient suite. */
import type { GradientCase } from "./case.ts";
import { elementwise } from "./elementwise.ts";
import { products } from "./linear.ts";
import { normalizations, reduced } from "./normalization.ts";
import { arranged, picked, resized } from "./shape.ts";
import { windows } from "./windows.ts";

export const gradientCases: readonly GradientCase[] = [
  ...elementwise,
  ...windows,
  ...products,
  ...normalizations,
  ...reduced,
  ...arranged,
  ...picked,
  ...resized,
];
