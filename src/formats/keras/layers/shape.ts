/**
 * Layers that move numbers and leave them as they are: flattening, reshaping, turning, padding, cropping. Orders of
 * axes are Keras' own; a value that is stored in another order is turned there first.
 */
import { int } from "../../../graph/builder.ts";
import type { EmitContext, KerasLayer, LayerEmitter } from "../layer.ts";
import { layerOf } from "./layer-of.ts";
import { isChannelsFirst, needRank, sideAxes } from "./layout.ts";
import { permute, reshape, slice } from "./moves.ts";
import { operation } from "./operations.ts";
import { settingsOf } from "./settings.ts";

/** channels_first is turned to channels_last before it is flattened, so that both give the same order of features. */
export const Flatten: LayerEmitter = layerOf((x, layer, context) => {
  const { build } = context;
  const rank = context.kerasShapeOf(x).length;
  if (rank === 1) return build.node("Unsqueeze", [x, build.ints([1])]);
  const sides = Array.from({ length: rank - 2 }, (_, i) => i + 2);
  const isFirst = rank > 2 && isChannelsFirst(layer, context) && layer.config.data_format !== undefined;
  const turned = isFirst ? permute(context, x, [0, ...sides, 1]) : x;
  return build.node("Flatten", [context.toKeras(turned)], { attributes: { axis: int(1) } });
});

const reshapeLayer: LayerEmitter = layerOf((x, layer, context) => {
  const target = settingsOf(layer, context).integers("target_shape", []);
  if (!target.every((n) => n === -1 || n >= 1) || target.filter((n) => n === -1).length > 1)
    context.invalid(layer, `has target_shape [${target.join(", ")}], expected sizes of 1 or more and at most one -1`);
  return reshape(context, x, [0, ...target]);
});

/** The operation of that name has a `newshape`, which names the batch too. */
export const Reshape: LayerEmitter = (layer, call, context) =>
  (layer.config.newshape === undefined ? reshapeLayer : operation)(layer, call, context);

/** `dims` counts from 1 and leaves the batch out. */
export const Permute: LayerEmitter = layerOf((x, layer, context) => {
  const dims = settingsOf(layer, context).integers("dims", []);
  const rank = context.kerasShapeOf(x).length;
  if (dims.length !== rank - 1 || !dims.toSorted((a, b) => a - b).every((axis, i) => axis === i + 1))
    context.invalid(layer, `has dims [${dims.join(", ")}], expected an order of 1 to ${rank - 1}`);
  return permute(context, x, [0, ...dims]);
});

/** [batch, features] to [batch, n, features]. */
export const RepeatVector: LayerEmitter = layerOf((x, layer, context) => {
  const { build } = context;
  needRank(layer, context, x, 2);
  const row = build.node("Unsqueeze", [x, build.ints([1])]);
  return build.node("Tile", [row, build.ints([1, settingsOf(layer, context).count("n"), 1])]);
});

/** One [before, after] for each side: Keras takes a number, a number a side, or pairs. */
function margins(layer: KerasLayer, context: EmitContext, key: string, sides: number): readonly (readonly number[])[] {
  const given = layer.config[key];
  const isSize = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0;
  const isPair = (x: unknown): x is number[] => Array.isArray(x) && x.length === 2 && x.every(isSize);
  if (isSize(given)) return Array.from({ length: sides }, () => [given, given]);
  if (sides === 1 && isPair(given)) return [given];
  if (Array.isArray(given) && given.length === sides) {
    if (given.every(isSize)) return given.map((n) => [n, n]);
    if (given.every(isPair)) return given;
  }
  return context.invalid(layer, `has ${key} ${JSON.stringify(given ?? null)}, expected sizes of 0 or more by side`);
}

function zeroPadding(sides: number): LayerEmitter {
  return layerOf((x, layer, context) => {
    const rank = sides + 2;
    needRank(layer, context, x, rank);
    const pads = new Array<number>(2 * rank).fill(0);
    const axes = sideAxes(layer, context, rank);
    for (const [i, [before, after]] of margins(layer, context, "padding", sides).entries()) {
      const axis = context.storedAxis(axes[i]!, rank);
      pads[axis] = before!;
      pads[axis + rank] = after!;
    }
    return context.build.node("Pad", [x, context.build.ints(pads)]);
  });
}

function cropping(sides: number): LayerEmitter {
  return layerOf((x, layer, context) => {
    const rank = sides + 2;
    needRank(layer, context, x, rank);
    const axes = sideAxes(layer, context, rank);
    const shape = context.kerasShapeOf(x);
    const crops = margins(layer, context, "cropping", sides);
    for (const [i, [before, after]] of crops.entries()) {
      const size = shape[axes[i]!] ?? null;
      if (size !== null && before! + after! >= size)
        context.invalid(layer, `cuts ${before} and ${after} from a side of ${size}`);
    }
    const parts = crops.map(([before, after], i) => ({
      axis: axes[i]!,
      start: before!,
      stop: after === 0 ? null : -after!,
    }));
    return slice(
      context,
      x,
      parts.filter(({ start, stop }) => start !== 0 || stop !== null),
    );
  });
}

export const ZeroPadding1D: LayerEmitter = zeroPadding(1);
export const ZeroPadding2D: LayerEmitter = zeroPadding(2);
export const ZeroPadding3D: LayerEmitter = zeroPadding(3);
export const Cropping1D: LayerEmitter = cropping(1);
export const Cropping2D: LayerEmitter = cropping(2);
export const Cropping3D: LayerEmitter = cropping(3);
