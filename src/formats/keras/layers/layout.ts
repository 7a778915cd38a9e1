/** Orders of axes: which axes of a value are its sides, and how to bring the channels to where ONNX wants them. */
import { ints } from "../../../graph/builder.ts";
import type { Dimension, Shape } from "../../../graph/graph.ts";
import type { EmitContext, KerasLayer } from "../layer.ts";
import { settingsOf } from "./settings.ts";

/** Whether the layer's channels follow the batch axis. Configurations without data_format follow the model. */
export function isChannelsFirst(layer: KerasLayer, context: EmitContext): boolean {
  const otherwise = context.sourceLayout === "NCHW" ? "channels_first" : "channels_last";
  const choices = ["channels_first", "channels_last"] as const;
  return settingsOf(layer, context).choice("data_format", choices, otherwise) === "channels_first";
}

/** The rank of the value, checked to be the one the layer works on. */
export function needRank(layer: KerasLayer, context: EmitContext, value: string, rank: number): void {
  const shape = context.kerasShapeOf(value);
  if (shape.length !== rank)
    context.invalid(layer, `is given the shape [${shapeText(shape)}], expected ${rank} axes (batch included)`);
}

export const shapeText = (shape: Shape): string => shape.map((n) => n ?? "?").join(", ");

/**
 * Runs `body` on the value with axes [batch, channels, sides …], as ONNX's spatial operators want it, and brings what
 * it makes back to the stored order. Nothing is turned where the graph stores the value so already.
 */
export function channelsFirst(
  layer: KerasLayer,
  context: EmitContext,
  value: string,
  body: (value: string) => string,
): string {
  const rank = context.kerasShapeOf(value).length;
  const first = isChannelsFirst(layer, context);
  if (context.storedAxis(first ? 1 : rank - 1, rank) === 1) return body(value);
  if (first) return context.fromKeras(body(context.toKeras(value)));
  const sides = Array.from({ length: rank - 2 }, (_, i) => i + 1);
  const turn = (from: string, perm: readonly number[]): string =>
    context.build.node("Transpose", [from], { attributes: { perm: ints(perm) } });
  const turned = body(turn(context.toKeras(value), [0, rank - 1, ...sides]));
  return context.fromKeras(turn(turned, [0, ...sides.map((axis) => axis + 1), 1]));
}

/** Keras axes of the sides (height, width …) of a value of this rank. */
export function sideAxes(layer: KerasLayer, context: EmitContext, rank: number): readonly number[] {
  const first = isChannelsFirst(layer, context) ? 2 : 1;
  return Array.from({ length: rank - 2 }, (_, i) => i + first);
}

/** The number of channels of the layer's input. Throws where the model leaves it open. */
export function channelsOf(layer: KerasLayer, context: EmitContext, value: string): number {
  const shape = context.kerasShapeOf(value);
  const channels = shape[isChannelsFirst(layer, context) ? 1 : shape.length - 1] ?? null;
  return (
    channels ?? context.refuse(layer, `needs a fixed number of channels, is given the shape [${shapeText(shape)}]`)
  );
}

/** Keras' axis of the given rank, counted from 0. Throws `model-invalid` outside of it. */
export function axisOf(layer: KerasLayer, context: EmitContext, axis: number, rank: number): number {
  const found = axis < 0 ? axis + rank : axis;
  if (found < 0 || found >= rank) context.invalid(layer, `has axis ${axis}, its input has ${rank} axes`);
  return found;
}

/** Brings a small shape or list given for Keras' axes to the order in which the graph stores them. */
export function storedOrder<T extends Dimension>(context: EmitContext, perKerasAxis: readonly T[]): readonly T[] {
  const rank = perKerasAxis.length;
  const out = new Array<T>(rank);
  for (const [axis, entry] of perKerasAxis.entries()) out[context.storedAxis(axis, rank)] = entry;
  return out;
}

/** For each stored axis the Keras axis it is: what a Transpose to the stored order needs. */
export const storedPermutation = (context: EmitContext, rank: number): readonly number[] =>
  storedOrder(
    context,
    Array.from({ length: rank }, (_, axis) => axis),
  );
