/** Operations that arrange numbers anew: indexing, splitting, joining, turning, padding. By Keras 3's class name. */
import { sizeOf } from "../../../core/tensor.ts";
import { int } from "../../../graph/builder.ts";
import type { Argument, EmitContext, KerasLayer } from "../layer.ts";
import { axisOf, shapeText, storedOrder } from "./layout.ts";
import { permute, reshape, slice } from "./moves.ts";
import { type Bound, integer, integers, type Operation, of, operand, withArguments } from "./operation.ts";
import { resizePicture } from "./resize.ts";

/** Inserts axes of size 1, places counted in the result. */
function unsqueezed(context: EmitContext, x: string, axes: readonly number[]): string {
  if (axes.length === 0) return x;
  return context.fromKeras(context.build.node("Unsqueeze", [context.toKeras(x), context.build.ints(axes)]));
}

/** Drops axes of size 1. */
function squeezed(context: EmitContext, x: string, axes: readonly number[]): string {
  if (axes.length === 0) return x;
  return context.fromKeras(context.build.node("Squeeze", [context.toKeras(x), context.build.ints(axes)]));
}

/** `x[…]`: ranges, integers, None and the ellipsis. */
function item(x: string, key: readonly Argument[], { layer, context }: Bound): string {
  const rank = context.kerasShapeOf(x).length;
  const isEllipsis = (part: Argument): boolean => objectClass(part) === "__ellipsis__" || part === "...";
  const places = key.filter((part) => part !== null && !isEllipsis(part)).length;
  const parts: { axis: number; start: number; stop: number | null; step?: number }[] = [];
  const dropped: number[] = [];
  const added: number[] = [];
  let axis = 0;
  let at = 0;
  for (const part of key) {
    if (part === null) added.push(at++);
    else if (isEllipsis(part)) {
      axis += rank - places;
      at += rank - places;
    } else if (typeof part === "number") {
      parts.push({ axis, start: part, stop: part === -1 ? null : part + 1 });
      dropped.push(axis++);
    } else {
      const range = rangeOf(part, layer, context);
      if (range) parts.push({ axis, ...range });
      axis++;
      at++;
    }
  }
  if (axis > rank) context.invalid(layer, `takes ${axis} axes of a value of ${rank}`);
  if (parts.some((part) => part.axis === 0)) context.refuse(layer, "takes some of the pictures of a batch");
  return unsqueezed(context, squeezed(context, slice(context, x, parts), dropped), added);
}

const objectClass = (part: Argument): unknown =>
  typeof part === "object" && part !== null && "fields" in part ? part.fields.class_name : undefined;

/** A slice in numbers; `undefined` for the whole axis. */
function rangeOf(part: Argument, layer: KerasLayer, context: EmitContext) {
  if (typeof part !== "object" || part === null || !("kind" in part) || part.kind !== "slice")
    return context.refuse(layer, `has the index ${JSON.stringify(part)}, expected integers and slices`);
  const [start, stop, step] = [part.start, part.stop, part.step].map((n) => {
    if (n === null || Number.isSafeInteger(n)) return n as number | null;
    return context.refuse(layer, `has the slice bound ${JSON.stringify(n)}, expected an integer`);
  });
  const by = step ?? 1;
  if (by === 0) return context.invalid(layer, "has a slice of step 0");
  if ((start ?? null) === null && (stop ?? null) === null && by === 1) return undefined;
  return { start: start ?? (by > 0 ? 0 : 2 ** 31 - 1), stop: stop ?? null, step: by };
}

/** A permutation that leaves the batch in front. */
function turned({ layer, context }: Bound, x: string, order: readonly number[]): string {
  const rank = context.kerasShapeOf(x).length;
  if (order.length !== rank || order[0] !== 0 || new Set(order).size !== rank)
    return context.refuse(
      layer,
      `turns the axes to [${order.join(", ")}], expected an order of ${rank} that begins with 0`,
    );
  return permute(context, x, order);
}

/** The value, which must be stored [batch, channels, height, width]. */
function spatial(bound: Bound): string {
  const { context, layer } = bound;
  const x = bound.value("x");
  const isLast = ["NHWC", "channels_last"].includes(String(bound.get("data_format") ?? "NHWC"));
  if (context.kerasShapeOf(x).length !== 4 || context.sourceLayout !== "NHWC" || !isLast)
    return context.refuse(layer, "is supported for channels_last pictures only");
  return x;
}

export const arrangement: Readonly<Record<string, Operation>> = {
  Concatenate: of("xs axis", (bound) => {
    const { layer, context } = bound;
    const values = bound.values("xs");
    const rank = context.kerasShapeOf(values[0]!).length;
    const axis = axisOf(layer, context, integer(bound, "axis", 0), rank);
    return context.build.node("Concat", values, { attributes: { axis: int(context.storedAxis(axis, rank)) } });
  }),
  DepthToSpace: of("x block_size data_format", (bound) => {
    const attributes = { blocksize: int(integer(bound, "block_size", 2)) };
    return bound.context.build.node("DepthToSpace", [spatial(bound)], { attributes });
  }),
  ExpandDims: of("x axis", (bound) => {
    const { context, layer } = bound;
    const x = bound.value("x");
    const rank = context.kerasShapeOf(x).length + 1;
    const axes = (integers(bound, "axis") ?? [0]).map((axis) => axisOf(layer, context, axis, rank));
    return unsqueezed(context, x, axes);
  }),
  Flip: of("x axis", (bound) => {
    const { layer, context, x, axes: asked } = operand(bound);
    const axes = asked() ?? [];
    if (axes.length === 0 || axes.includes(0)) context.refuse(layer, "turns round the pictures of a batch");
    return slice(
      context,
      x,
      axes.map((axis) => ({ axis, start: 2 ** 31 - 1, stop: null, step: -1 })),
    );
  }),
  GetItem: of("x key", (bound) => {
    const key = bound.get("key") ?? null;
    return item(bound.value("x"), Array.isArray(key) ? key : [key], bound);
  }),
  Moveaxis: of("x source destination", (bound) => {
    const { x, rank, axes } = operand(bound);
    const [from, to] = ["source", "destination"].map((name) => axes(name) ?? []);
    const rest = Array.from({ length: rank }, (_, i) => i).filter((axis) => !from!.includes(axis));
    const order = Array.from({ length: rank }, (_, i) => (to!.includes(i) ? from![to!.indexOf(i)]! : rest.shift()!));
    return turned(bound, x, order);
  }),
  Pad: of("x pad_width mode constant_values", (bound) => {
    const { layer, context, x, rank } = operand(bound);
    const { get } = bound;
    const mode = String(get("mode") ?? "constant").toLowerCase();
    const modes: Readonly<Record<string, string>> = { constant: "constant", reflect: "reflect", edge: "edge" };
    const widths = get("pad_width") as readonly (readonly number[])[] | undefined;
    const isPair = (pair: unknown): boolean =>
      Array.isArray(pair) && pair.length === 2 && pair.every((n) => Number.isSafeInteger(n) && n >= 0);
    if (!modes[mode] || !Array.isArray(widths) || widths.length !== rank || !widths.every(isPair))
      return context.refuse(layer, `pads in a way that is not supported (${mode}, ${JSON.stringify(widths ?? null)})`);
    const pads = [0, 1].flatMap((end) =>
      storedOrder(
        context,
        widths.map((pair) => pair[end]!),
      ),
    );
    const fill = get("constant_values") ?? 0;
    if (typeof fill !== "number") return context.refuse(layer, "pads with a value that is no number");
    return context.build.node(
      "Pad",
      [x, context.build.ints(pads), ...(fill === 0 ? [] : [context.build.scalar(fill)])],
      {
        attributes: mode === "constant" ? {} : { mode: { kind: "string", value: mode } },
      },
    );
  }),
  Repeat: of("x repeats axis", (bound) => {
    const { layer, context, x, shape, rank, axis: asked } = operand(bound);
    const axis = asked();
    const size = shape[axis];
    const count = integer(bound, "repeats", 1);
    if (axis === 0 || typeof size !== "number" || count < 1 || count > 2 ** 16)
      return context.refuse(layer, "repeats an axis that is not fixed");
    const places = Array.from({ length: size * count }, (_, i) => Math.floor(i / count));
    return context.build.node("Gather", [x, context.build.ints(places)], {
      attributes: { axis: int(context.storedAxis(axis, rank)) },
    });
  }),
  Reshape: of("x newshape", (bound) => {
    const { layer, context, x, shape } = operand(bound);
    const given = bound.get("newshape") ?? null;
    const [batch = null, ...rest] = Array.isArray(given) ? (given as readonly unknown[]) : [given];
    const isSizes = rest.every((n): n is number => Number.isSafeInteger(n) && (n as number) >= -1);
    const text = JSON.stringify(given);
    if (!isSizes || (batch !== null && batch !== -1 && batch !== 0))
      return context.refuse(layer, `reshapes to ${text}, expected sizes with the batch left open`);
    // A leading -1 stands for the batch where the others hold one picture; null is the batch itself.
    const size = shape.slice(1);
    const holds =
      size.every((n) => n !== null) && rest.every((n) => n > 0) && sizeOf(size as number[]) === sizeOf(rest);
    if (batch === -1 && !holds)
      return context.refuse(layer, `reshapes [${shapeText(shape)}] to ${text}, across the pictures of a batch`);
    return reshape(context, x, [0, ...rest]);
  }),
  Resize: of(
    "x size interpolation antialias crop_to_aspect_ratio pad_to_aspect_ratio fill_mode fill_value data_format",
    (bound) => {
      const { context, layer } = bound;
      const size = integers(bound, "size") ?? [];
      if (size.length !== 2 || !size.every((n) => n >= 1))
        return context.invalid(layer, `resizes to [${size.join(", ")}]`);
      const read = [
        "interpolation",
        "antialias",
        "crop_to_aspect_ratio",
        "pad_to_aspect_ratio",
        "fill_value",
        "data_format",
      ];
      return resizePicture(withArguments(bound, read), context, bound.value("x"), size);
    },
  ),
  SpaceToDepth: of("x block_size data_format", (bound) => {
    const attributes = { blocksize: int(integer(bound, "block_size", 2)) };
    return bound.context.build.node("SpaceToDepth", [spatial(bound)], { attributes });
  }),
  Split: {
    parameters: ["x", "indices_or_sections", "axis"],
    emit: (bound) => {
      const { layer, context, x, shape, rank, axis: asked } = operand(bound);
      const axis = asked();
      const size = shape[axis];
      const given = bound.get("indices_or_sections") ?? null;
      const list = integers(bound, "indices_or_sections") ?? [];
      if (axis === 0 || typeof size !== "number" || list.length === 0)
        return context.refuse(layer, "splits an axis that is not fixed");
      const count = list[0]!;
      if (!Array.isArray(given) && (count < 1 || size % count !== 0))
        return context.invalid(layer, `splits ${size} into ${count} parts`);
      const sizes = Array.isArray(given)
        ? [...list, size].map((end, i) => end - (list[i - 1] ?? 0))
        : new Array<number>(count).fill(size / count);
      if (!sizes.every((n) => n >= 1)) return context.invalid(layer, `splits ${size} at ${list.join(", ")}`);
      return context.build.nodes("Split", [x, context.build.ints(sizes)], {
        outputs: sizes.length,
        attributes: { axis: int(context.storedAxis(axis, rank)) },
      });
    },
  },
  Squeeze: of("x axis", (bound) => {
    const { context, x, shape, axes: asked } = operand(bound);
    const axes = asked() ?? [];
    const ones = [...shape.keys()].filter((axis) => axis > 0 && shape[axis] === 1);
    return squeezed(context, x, axes.length === 0 ? ones : axes);
  }),
  Stack: of("x axis", (bound) => {
    const { layer, context } = bound;
    const values = bound.values("x");
    const rank = context.kerasShapeOf(values[0]!).length + 1;
    const axis = axisOf(layer, context, integer(bound, "axis", 0), rank);
    if (axis === 0) return context.refuse(layer, "stacks in front of the batch axis");
    const parts = values.map((value) =>
      context.build.node("Unsqueeze", [context.toKeras(value), context.build.ints([axis])]),
    );
    return context.fromKeras(context.build.node("Concat", parts, { attributes: { axis: int(axis) } }));
  }),
  Swapaxes: of("x axis1 axis2", (bound) => {
    const { x, rank, axis } = operand(bound);
    const [a, b] = [axis("axis1"), axis("axis2")];
    return turned(
      bound,
      x,
      Array.from({ length: rank }, (_, i) => (i === a ? b : i === b ? a : i)),
    );
  }),
  Tile: of("x repeats", (bound) => {
    const { layer, context, x, rank } = operand(bound);
    const repeats = integers(bound, "repeats") ?? [];
    if (repeats.length !== rank || repeats[0] !== 1 || !repeats.every((n) => n >= 1))
      return context.refuse(layer, `repeats by [${repeats.join(", ")}], expected 1 and then one number for each axis`);
    return context.build.node("Tile", [x, context.build.ints(storedOrder(context, repeats))]);
  }),
  Transpose: of("x axes", (bound) => {
    const { x, axes } = operand(bound);
    return turned(bound, x, axes("axes") ?? []);
  }),
};
