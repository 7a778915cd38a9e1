/** Resampling and rearranging of the spatial axes. */
import { axisOf, fact, type Rule, wantRank } from "./rule.ts";

/** Sizes from scales are multiplied in float32, as the engine does: 10 * 0.7 is 7. */
export const Resize: Rule = (call) => {
  const { type, shape } = call.input(0);
  const axes = (call.ints("axes") ?? shape.map((_, i) => i)).map((axis) => axisOf(call, axis, shape.length));
  const sizes = call.optional(3) ? call.data(3) : [];
  const scales = sizes.length === 0 && call.optional(2) ? call.data(2) : [];
  const given = sizes.length > 0 ? sizes : scales;
  if (given.length !== axes.length) call.fail(`${given.length} scales or sizes for ${axes.length} axes`);
  const out = [...shape];
  const policy = call.text("keep_aspect_ratio_policy", "stretch");
  const ratios = axes.map((axis, i) => sizes[i]! / shape[axis]!);
  const ratio = policy === "not_larger" ? Math.min(...ratios) : Math.max(...ratios);
  axes.forEach((axis, i) => {
    if (sizes.length === 0) out[axis] = Math.floor(Math.fround(shape[axis]! * scales[i]!));
    else out[axis] = policy === "stretch" ? sizes[i]! : Math.round(shape[axis]! * ratio);
  });
  return [fact(type, out)];
};

export const DepthToSpace: Rule = (call) => {
  const [n, c, h, w] = wantRank(call, 0, 4) as [number, number, number, number];
  const block = call.int("blocksize", 0);
  if (block < 1 || c % (block * block) !== 0) call.fail(`${c} channels do not form blocks of ${block} x ${block}`);
  return [fact(call.input(0).type, [n, c / (block * block), h * block, w * block])];
};
export const SpaceToDepth: Rule = (call) => {
  const [n, c, h, w] = wantRank(call, 0, 4) as [number, number, number, number];
  const block = call.int("blocksize", 0);
  if (block < 1 || h % block !== 0 || w % block !== 0) call.fail(`${h} x ${w} does not divide into blocks of ${block}`);
  return [fact(call.input(0).type, [n, c * block * block, h / block, w / block])];
};

export const GridSample: Rule = (call) => {
  const [x, grid] = [wantRank(call, 0, 3), wantRank(call, 1, 3)];
  if (grid.length !== x.length || grid.at(-1) !== x.length - 2 || grid[0] !== x[0])
    call.fail("the grid does not address the input");
  return [fact(call.input(0).type, [x[0]!, x[1]!, ...grid.slice(1, -1)])];
};
export const AffineGrid: Rule = (call) => {
  const [n, , ...sizes] = call.data(1);
  return [fact(call.input(0).type, [n ?? call.fail("the size is empty"), ...sizes, sizes.length])];
};
