/** Resizing pictures as TensorFlow 2 does: one Resize node, or a product of matrices where ONNX has no such kernel. */
import { float32, type Tensor } from "../../../core/tensor.ts";
import { int, ints, text } from "../../../graph/builder.ts";
import type { Attribute } from "../../../graph/graph.ts";
import type { EmitContext, KerasLayer } from "../layer.ts";
import { channelsFirst, needRank, shapeText, sideAxes } from "./layout.ts";
import { slice } from "./moves.ts";
import { settingsOf } from "./settings.ts";

/** As TensorFlow 2 resizes: pixel centres at half, edges repeated. */
export const modes: Readonly<Record<string, Readonly<Record<string, Attribute>>>> = {
  nearest: {
    mode: text("nearest"),
    coordinate_transformation_mode: text("half_pixel"),
    nearest_mode: text("round_prefer_ceil"),
  },
  bilinear: { mode: text("linear"), coordinate_transformation_mode: text("half_pixel") },
};

type Kernel = readonly [radius: number, weight: (x: number) => number];

const cubic = (x: number): number => (x < 1 ? (1.5 * x - 2.5) * x * x + 1 : ((-0.5 * x + 2.5) * x - 4) * x + 2);

const lanczos = (x: number, radius: number): number =>
  x === 0 ? 1 : (radius * Math.sin(Math.PI * x) * Math.sin((Math.PI * x) / radius)) / (Math.PI * x) ** 2;

/** Kernels of the other ways, which become one product of matrices for each side: radius, weight at a distance. */
const kernels: Readonly<Record<string, Kernel>> = {
  bilinear: [1, (x) => 1 - x],
  bicubic: [2, cubic],
  lanczos3: [3, (x) => lanczos(x, 3)],
  lanczos5: [5, (x) => lanczos(x, 5)],
};

/** Without antialiasing, TensorFlow takes cubic weights from a table of 1024 distances between two pixels. */
const tabulated: Kernel = [2, (x) => cubic(Math.round(x * 1024) / 1024)];

export const interpolations: readonly string[] = [...new Set([...Object.keys(modes), ...Object.keys(kernels)])];

/** Rows of weights, [to, from]: what each new pixel takes of the old ones. `width` widens the kernel. */
function resampling(from: number, to: number, [radius, weight]: Kernel, width: number): Tensor<"float32"> {
  const out = new Float32Array(to * from);
  for (let row = 0; row < to; row++) {
    const centre = (row + 0.5) * (from / to);
    const weights = Array.from({ length: from }, (_, i) => {
      const distance = Math.abs(i + 0.5 - centre) / width;
      return distance < radius ? weight(distance) : 0;
    });
    const total = weights.reduce((sum, w) => sum + w, 0);
    for (let i = 0; i < from; i++) out[row * from + i] = weights[i]! / total;
  }
  return float32([to, from], out);
}

const largestSide = 2 ** 14;

/** Resizes the sides of x, axes [batch, channels, height, width], to fixed sizes. */
export function resizeTo(
  layer: KerasLayer,
  context: EmitContext,
  x: string,
  size: readonly number[],
  interpolation: string,
  antialias: boolean,
): string {
  const { build } = context;
  const [, , height = null, width = null] = context.shapeOf(x);
  const shrinks = height === null || width === null || height > size[0]! || width > size[1]!;
  if (interpolation === "nearest" || (interpolation === "bilinear" && !(antialias && shrinks))) {
    const head = build.node("Shape", [x], { attributes: { start: int(0), end: int(2) } });
    const sizes = build.node("Concat", [head, build.ints(size)], { attributes: { axis: int(0) } });
    return build.node("Resize", [x, "", "", sizes], { attributes: modes[interpolation]! });
  }
  if (height === null || width === null) return context.refuse(layer, "needs inputs of fixed height and width");
  if (Math.max(...size) > largestSide)
    return context.refuse(layer, `resizes to ${size.join(" x ")}, larger than pictures are`);
  const kernel = interpolation === "bicubic" && !antialias ? tabulated : kernels[interpolation]!;
  const matrix = (from: number, to: number): string =>
    build.constant(resampling(from, to, kernel, antialias ? Math.max(from / to, 1) : 1));
  const left = build.node("MatMul", [matrix(height, size[0]!), x]);
  const across = build.node("Transpose", [matrix(width, size[1]!)], { attributes: { perm: ints([1, 0]) } });
  return build.node("MatMul", [left, across]);
}

/** The sizes of the two sides, which cropping and padding to an aspect ratio need to know. */
export function fixedSides(layer: KerasLayer, context: EmitContext, value: string): readonly [number, number] {
  const shape = context.kerasShapeOf(value);
  const [height, width] = sideAxes(layer, context, 4).map((axis) => shape[axis] ?? null);
  if (typeof height !== "number" || typeof width !== "number")
    return context.refuse(layer, `needs inputs of fixed height and width, is given [${shapeText(shape)}]`);
  return [height, width];
}

/** Cuts the middle out. */
export function cropTo(layer: KerasLayer, context: EmitContext, value: string, height: number, width: number): string {
  const [h, w] = fixedSides(layer, context, value);
  const [down, across] = sideAxes(layer, context, 4);
  const [top, left] = [Math.floor((h - height) / 2), Math.floor((w - width) / 2)];
  return slice(context, value, [
    { axis: down!, start: top, stop: top + height },
    { axis: across!, start: left, stop: left + width },
  ]);
}

/** The largest (or, to be padded, the smallest) size of the target's proportions. */
function proportionate(
  from: readonly [number, number],
  to: readonly number[],
  limit: (a: number, b: number) => number,
) {
  const [h, w] = from;
  const height = limit(h, Math.trunc(Math.fround(w * to[0]!) / to[1]!));
  const width = limit(w, Math.trunc(Math.fround(h * to[1]!) / to[0]!));
  return [Math.max(1, height), Math.max(1, width)] as const;
}

function padTo(layer: KerasLayer, context: EmitContext, value: string, size: readonly number[], fill: number): string {
  const from = fixedSides(layer, context, value);
  const wanted = proportionate(from, size, Math.max);
  const pads = new Array<number>(8).fill(0);
  for (const [i, axis] of sideAxes(layer, context, 4).entries()) {
    const stored = context.storedAxis(axis, 4);
    // An odd row or column is not added, as in Keras.
    pads[stored] = Math.floor((wanted[i]! - from[i]!) / 2);
    pads[stored + 4] = pads[stored]!;
  }
  return context.build.node("Pad", [value, context.build.ints(pads), context.build.scalar(fill)]);
}

/** Resizes a picture as the layer's configuration (`interpolation`, `crop_to_aspect_ratio` …) says. */
export function resizePicture(layer: KerasLayer, context: EmitContext, value: string, size: readonly number[]): string {
  needRank(layer, context, value, 4);
  const settings = settingsOf(layer, context);
  const interpolation = settings.choice("interpolation", interpolations, "bilinear");
  const antialias = settings.flag("antialias", false);
  let from = value;
  if (settings.flag("crop_to_aspect_ratio", false))
    from = cropTo(layer, context, value, ...proportionate(fixedSides(layer, context, value), size, Math.min));
  else if (settings.flag("pad_to_aspect_ratio", false))
    from = padTo(layer, context, value, size, settings.number("fill_value", 0));
  return channelsFirst(layer, context, from, (x) => resizeTo(layer, context, x, size, interpolation, antialias));
}
