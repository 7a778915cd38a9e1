/** Resizing by any method but cropping is linear and separable: dx = R^T dy along each axis. */
import { float32 } from "../../core/tensor.ts";
import type { Rule, RuleContext } from "../rule.ts";

/** R is read off the operator itself, applied to the identity; the engine folds it when it makes the session. */
function matrix({ emit, node, x, fail, rank }: RuleContext, n: number, out: number, axis: number): string {
  const eye = new Float32Array(n * n);
  for (let i = 0; i < n; i++) eye[i * n + i] = 1;
  const { axes, keep_aspect_ratio_policy: _, ...attributes } = node.attributes;
  const place = axes?.kind === "ints" ? axes.value.map((a) => (a < 0 ? a + rank() : a)).indexOf(axis) : axis;
  // A fractional scale moves the sampling points, so the operator gets the scale or the size, as the file gives it.
  const scales = x(2) === "" ? undefined : (emit.known(x(2)) ?? fail("its scales are not known before it runs"));
  const source = emit.constant(float32([1, 1, n, n], eye));
  const sizing = scales?.length
    ? [emit.constant(float32([4], [1, 1, 1, scales[place] ?? 1])), ""]
    : ["", emit.ints([1, 1, n, out])];
  return emit.op("Resize", [source, "", ...sizing], attributes);
}

export const Resize: Rule = (dy, context) => {
  const { x, y, emit, rank, text, fail } = context;
  if (text("coordinate_transformation_mode", "half_pixel") === "tf_crop_and_resize")
    fail("it crops (tf_crop_and_resize)");
  const [from, to] = [emit.shape(x()), emit.shape(y())];
  let dx = dy;
  for (let axis = 0; axis < rank(); axis++) {
    const [n, out] = [from[axis]!, to[axis]!];
    if (n === out) continue;
    if (n === null || out === null) fail("it resizes an axis of open size");
    // [n, out]: row i says where input i goes. The axis is brought to the end, multiplied, and brought back.
    const back = emit.transpose(matrix(context, n, out, axis), [0, 1, 3, 2]);
    const square = emit.reshape(back, [out, n]);
    const last = [...Array(rank()).keys()].filter((i) => i !== axis).concat(axis);
    const there = last.every((a, i) => a === i);
    const turned = there ? dx : emit.transpose(dx, last);
    const moved = emit.matMul(turned, square);
    dx = there
      ? moved
      : emit.transpose(
          moved,
          last.map((_, i) => last.indexOf(i)),
        );
  }
  return [dx, null, null, null];
};
