/**
 * What an operation on tensors is (`x + 3`, `ops.mean(x)`, `x[:, 1:]`): named parameters, bound from a call's arguments
 * and a configuration, and nodes.
 */
import type { Shape } from "../../../graph/graph.ts";
import type { Argument, EmitContext, KerasLayer, LayerCall, LayerEmitter } from "../layer.ts";
import type { ActivationFunction } from "./functions.ts";
import { axisOf } from "./layout.ts";

/** An operation with its arguments by name. */
export interface Bound {
  readonly layer: KerasLayer;
  readonly context: EmitContext;
  /** The argument, or `undefined` where it is not given. */
  get(name: string): Argument | undefined;
  /** An argument that must be a value of the graph. */
  value(name: string): string;
  /** An argument that is a list of values. */
  values(name: string): readonly string[];
}

export interface Operation {
  /** Names of the arguments in order, as Keras 3 calls them. */
  readonly parameters: readonly string[];
  emit(bound: Bound): readonly string[];
}

export const isValue = (argument: unknown): argument is { readonly kind: "value"; readonly value: string } =>
  typeof argument === "object" && argument !== null && "kind" in argument && argument.kind === "value";

export const of = (parameters: string, emit: (bound: Bound) => string): Operation => ({
  parameters: parameters.split(" "),
  emit: (bound) => [emit(bound)],
});

/** One of Keras' activation functions; its other parameters are read from the arguments. */
export const activation = (body: ActivationFunction, parameters = ""): Operation => ({
  parameters: `x ${parameters}`.trim().split(" "),
  emit: (bound) => [body(bound.value("x"), withArguments(bound, parameters.split(" ")), bound.context)],
});

/** The layer with arguments as its configuration, for what reads them from there. */
export const withArguments = ({ layer, get }: Bound, names: readonly string[]): KerasLayer => ({
  ...layer,
  config: Object.fromEntries(names.flatMap((name) => (get(name) === undefined ? [] : [[name, get(name)!]]))),
});

export function integers({ get, layer, context }: Bound, name: string): readonly number[] | undefined {
  const given = get(name) ?? null;
  if (given === null) return undefined;
  const list = Array.isArray(given) ? given : [given];
  return list.every((n) => Number.isSafeInteger(n))
    ? (list as number[])
    : context.refuse(layer, `has ${name} ${JSON.stringify(given)}, expected integers`);
}

export const integer = (bound: Bound, name: string, otherwise: number): number =>
  integers(bound, name)?.[0] ?? otherwise;

/** The one value that most operations take, and axes of it, counted from 0 in Keras' order. */
interface Operand {
  readonly layer: KerasLayer;
  readonly context: EmitContext;
  readonly x: string;
  /** In Keras' order. */
  readonly shape: Shape;
  readonly rank: number;
  /** The axes that an argument names. */
  axes(name?: string): readonly number[] | undefined;
  /** The one axis that an argument names, 0 where it is not given. */
  axis(name?: string): number;
}

export function operand(bound: Bound): Operand {
  const { layer, context } = bound;
  const x = bound.value("x");
  const shape = context.kerasShapeOf(x);
  const rank = shape.length;
  const counted = (axis: number): number => axisOf(layer, context, axis, rank);
  return {
    layer,
    context,
    x,
    shape,
    rank,
    axes: (name = "axis") => integers(bound, name)?.map(counted),
    axis: (name = "axis") => counted(integer(bound, name, 0)),
  };
}

export const flag = ({ get }: Bound, name: string): boolean => get(name) === true;

export function run(
  layer: KerasLayer,
  call: LayerCall,
  context: EmitContext,
  parameters: readonly string[],
  emit: Operation["emit"],
  config: KerasLayer["config"],
): ReturnType<LayerEmitter> {
  const get = (name: string): Argument | undefined => {
    const place = parameters.indexOf(name);
    if (place >= 0 && place < call.args.length) return call.args[place];
    if (Object.hasOwn(call.kwargs, name)) return call.kwargs[name];
    return Object.hasOwn(config, name) ? (config[name] as Argument) : undefined;
  };
  const valueIn = (argument: Argument | undefined, name: string): string =>
    isValue(argument) ? argument.value : context.refuse(layer, `needs a value of the network as its argument ${name}`);
  const bound: Bound = {
    layer,
    context,
    get,
    value: (name) => valueIn(get(name), name),
    values: (name) => {
      const given = get(name);
      const list = Array.isArray(given) ? (given as readonly Argument[]) : given === undefined ? [] : [given];
      if (list.length === 0) context.invalid(layer, "is given no values");
      return list.map((argument) => valueIn(argument, name));
    },
  };
  return { outputs: emit(bound), weights: context.weightRecords(layer, []) };
}
