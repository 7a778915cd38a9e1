/** Operators that arrange numbers anew without dropping any. */
import { int } from "../../graph/builder.ts";
import type { Rule } from "../rule.ts";

const likeInput: Rule = (dy, { x, emit }) => [emit.reshapeLike(dy, x()), null];

export { likeInput as Flatten, likeInput as Reshape, likeInput as Squeeze, likeInput as Unsqueeze };

export const Transpose: Rule = (dy, { emit, rank, ints }) => {
  const perm = ints("perm", [...Array(rank()).keys()].reverse());
  return [
    emit.transpose(
      dy,
      perm.map((_, i) => perm.indexOf(i)),
    ),
  ];
};

export const Concat: Rule = (dy, { node, emit, axis, fail }) => {
  const at = axis("axis", 0, emit.shape(node.outputs[0]!).length);
  if (node.inputs.length === 1) return [dy];
  const sizes = node.inputs.map((x) => emit.shape(x)[at] ?? fail("it joins along the free batch axis"));
  return emit.ops("Split", [dy, emit.ints(sizes)], sizes.length, { axis: int(at) });
};

export const Split: Rule = (_, { node, dys, emit, axis }) => [
  emit.op(
    "Concat",
    node.outputs.map((y, i) => dys[i] ?? emit.zerosLike(y)),
    { axis: int(axis("axis", 0)) },
  ),
  null,
];

export const Expand: Rule = (dy) => [dy, null];

/** Each axis as (repeats, size): the repeats sum up. */
export const Tile: Rule = (dy, { x, emit, fail }) => {
  const repeats = emit.known(x(1)) ?? fail("its repeats are not known before it runs");
  const dims = emit.dims(x());
  const split = emit.reshape(
    dy,
    repeats.flatMap((n, i) => [n, dims[i]!]),
  );
  return [
    emit.reshapeLike(
      emit.sum(
        split,
        repeats.map((_, i) => 2 * i),
      ),
      x(),
    ),
    null,
  ];
};

/** One triangle, the rest 0. */
export const Trilu: Rule = (dy, { node, emit }) => [
  emit.op("Trilu", [dy, ...node.inputs.slice(1)], node.attributes),
  null,
];

/** The pixels of each block go back to channels. */
export const DepthToSpace: Rule = (dy, { x, emit, int: attribute, text }) => {
  const b = attribute("blocksize", 1);
  const [, c, h, w] = emit.dims(x()) as [number, number, number, number];
  const blocks = emit.reshape(dy, [-1, c / (b * b), h, b, w, b]);
  const perm = text("mode", "DCR") === "CRD" ? [0, 1, 3, 5, 2, 4] : [0, 3, 5, 1, 2, 4];
  return [emit.reshapeLike(emit.transpose(blocks, perm), x())];
};
/** The inverse of DepthToSpace in its order DCR: channels are (row in block, column in block, channel). */
export const SpaceToDepth: Rule = (dy, { x, y, emit, int: attribute }) => {
  const b = attribute("blocksize", 1);
  const [, c] = emit.dims(x()) as [number, number];
  const [, , h, w] = emit.dims(y()) as [number, number, number, number];
  const blocks = emit.reshape(dy, [-1, b, b, c, h, w]);
  return [emit.reshapeLike(emit.transpose(blocks, [0, 3, 4, 1, 5, 2]), x())];
};
