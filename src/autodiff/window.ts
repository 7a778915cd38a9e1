/** The geometry of windows that slide over maps: convolutions and pools, with ONNX defaults and `auto_pad` resolved. */
import type { RuleContext } from "./rule.ts";

export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Begins of all axes, then ends. */
  readonly pads: readonly number[];
  /** Input pixels from the first tap to the last, both counted. */
  readonly extent: readonly number[];
  /** Of the input and of the output. */
  readonly size: readonly number[];
  readonly out: readonly number[];
}

/** The sizes behind batch and channels; refuses the node where they are not known. */
export function spatial({ emit, fail }: RuleContext, value: string): readonly number[] {
  const sizes = emit.shape(value).slice(2);
  return sizes.includes(null) ? fail(`the size of "${value}" is open`) : (sizes as number[]);
}

export function windowOf(context: RuleContext, kernel: readonly number[]): Window {
  const { x, y, ints, text } = context;
  const one = kernel.map(() => 1);
  const strides = ints("strides", one);
  const dilations = ints("dilations", one);
  const extent = kernel.map((k, i) => dilations[i]! * (k - 1) + 1);
  const [size, out] = [spatial(context, x()), spatial(context, y())];
  const auto = text("auto_pad", "NOTSET");
  const total = size.map((n, i) => Math.max((Math.ceil(n / strides[i]!) - 1) * strides[i]! + extent[i]! - n, 0));
  const pads = auto.startsWith("SAME")
    ? split(total, auto === "SAME_UPPER")
    : auto === "VALID"
      ? [...one, ...one].map(() => 0)
      : ints(
          "pads",
          [...one, ...one].map(() => 0),
        );
  return { kernel, strides, dilations, pads, extent, size, out };
}

/** The window of a pool. */
export const poolWindow = (context: RuleContext): Window => windowOf(context, context.ints("kernel_shape", []));

/** Halves of the total padding: the odd pixel goes to the end, or to the begin. */
export function split(total: readonly number[], upper: boolean): number[] {
  const [small, large] = [total.map((t) => Math.floor(t / 2)), total.map((t) => Math.ceil(t / 2))];
  return upper ? [...small, ...large] : [...large, ...small];
}
