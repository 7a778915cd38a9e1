/** Resizing by any method but cropping is linear and separable: dx = R^T dy along each axis. */
import { float32 } from "../../core/tensor.ts";
import { matrixAlong } from "../along.ts";
import type { Rule, RuleContext } from "../rule.ts";

export const Resize: Rule = (dy, context) => {
  const { emit, x, y, rank, text, fail } = context;
  if (text("coordinate_transformation_mode", "half_pixel") === "tf_crop_and_resize")
    fail("it crops (tf_crop_and_resize)");
  const [from, to] = [emit.shape(x()), emit.shape(y())];
  const scaleOf = scales(context);
  let dx = dy;
  for (let axis = 0; axis < rank(); axis++) {
    const [n, out, scale] = [from[axis]!, to[axis]!, scaleOf(axis)];
    // A scale other than 1 moves the sampling points even where the size stays.
    if (n === out && (scale === undefined || scale === 1)) continue;
    if (typeof n !== "number" || typeof out !== "number") return fail("it resizes an axis of open size");
    dx = matrixAlong(emit, dx, adjoint(context, n, out, scale), axis, rank());
  }
  return [dx, null, null, null];
};

/**
 * What an axis is scaled by, as the file gives it: the sampling points follow from it, and a fraction is not the ratio
 * of the sizes. `undefined` where the file gives the size itself.
 */
function scales({ emit, x, y, ints, rank, text, fail }: RuleContext): (axis: number) => number | undefined {
  const axes = ints("axes", [...Array(rank()).keys()]).map((axis) => (axis < 0 ? axis + rank() : axis));
  const given = x(2) === "" ? [] : (emit.known(x(2)) ?? fail("its scales are not known before it runs"));
  if (given.length > 0) return (axis) => given[axes.indexOf(axis)] ?? 1;
  const policy = text("keep_aspect_ratio_policy", "stretch");
  if (policy === "stretch") return () => undefined;
  // All axes get the smallest, or the largest, of the ratios that the wanted sizes make.
  const sizes = emit.known(x(3)) ?? fail("its sizes are not known before it runs");
  const ratios = axes.map((axis, i) => sizes[i]! / (emit.shape(x())[axis] ?? fail("it resizes an axis of open size")));
  const ratio = policy === "not_larger" ? Math.min(...ratios) : Math.max(...ratios);
  return (axis) => {
    if (!axes.includes(axis)) return undefined;
    if (Math.floor(Math.fround(emit.shape(x())[axis]! * ratio)) !== emit.shape(y())[axis])
      fail(`its sizes are rounded up under keep_aspect_ratio_policy ${policy}`);
    return ratio;
  };
}

/** R^T as [out, n]: R is read off the operator itself, applied to the identity; the engine folds it with the constants. */
function adjoint({ emit, node }: RuleContext, n: number, out: number, scale: number | undefined): string {
  const eye = new Float32Array(n * n);
  for (let i = 0; i < n; i++) eye[i * n + i] = 1;
  const { axes: _, keep_aspect_ratio_policy: __, ...attributes } = node.attributes;
  const sizing =
    scale === undefined ? ["", emit.ints([1, 1, n, out])] : [emit.constant(float32([4], [1, 1, 1, scale]))];
  const applied = emit.op("Resize", [emit.constant(float32([1, 1, n, n], eye)), "", ...sizing], attributes);
  return emit.reshape(emit.transpose(applied, [0, 1, 3, 2]), [out, n]);
}
