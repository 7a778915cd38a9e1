/**
 * What a shape rule sees and gives. A rule is exported under its operator's name; it asks for what it needs, and
 * where something is not known the driver leaves the node's outputs unknown.
 */
import { ConvlensError } from "../../core/errors.ts";
import { type ElementType, sizeOf } from "../../core/tensor.ts";
import type { Node } from "../graph.ts";
import { describeNode } from "../walk.ts";

/** What is known of a value: element type, concrete shape, and the elements where they are few and constant. */
export interface Fact {
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly data?: readonly number[];
}

/** One node with what is known of its inputs. */
export interface Call {
  readonly node: Node;
  /** An input that must be there; ends the rule where nothing is known of it. */
  input(index: number): Fact;
  /** An input that may be left out: `undefined` then; ends the rule where it is there but not known. */
  optional(index: number): Fact | undefined;
  /** The elements of an input; ends the rule where they are not known. */
  data(index: number): readonly number[];
  int(name: string, otherwise: number): number;
  float(name: string, otherwise: number): number;
  text(name: string, otherwise: string): string;
  ints(name: string): readonly number[] | undefined;
  /** Refuses the file: the message is completed with the node, its inputs and their shapes. */
  fail(message: string): never;
}

/** One fact per output, in order; `undefined` where it depends on the data. */
export type Rule = (call: Call) => readonly (Fact | undefined)[];

/** Thrown by `Call` to end a rule early. */
export const unknown: unique symbol = Symbol("not known");

/** Constants and shape arithmetic up to this many elements are computed. */
export const smallSize = 4096;

export function callOf(node: Node, facts: ReadonlyMap<string, Fact>): Call {
  const attribute = <K extends string>(name: string, kind: K) => {
    const found = node.attributes[name];
    if (found && found.kind !== kind) fail(`attribute "${name}" is of kind ${found.kind}, expected ${kind}`);
    return found;
  };
  const fail = (message: string): never => {
    const inputs = node.inputs
      .filter((name) => name !== "")
      .map((name) => `"${name}" [${facts.get(name)?.shape.join(", ") ?? "?"}]`);
    const of = inputs.length > 0 ? ` (inputs ${inputs.join(", ")})` : "";
    throw new ConvlensError("model-invalid", `${describeNode(node)}: ${message}${of}`);
  };
  const optional = (index: number): Fact | undefined => {
    const name = node.inputs[index] ?? "";
    if (name === "") return undefined;
    const fact = facts.get(name);
    if (!fact) throw unknown;
    return fact;
  };
  const input = (index: number): Fact => optional(index) ?? fail(`input ${index} is missing`);
  return {
    node,
    optional,
    input,
    fail,
    data: (index) => {
      const { data } = input(index);
      if (!data) throw unknown;
      return data;
    },
    int: (name, otherwise) => (attribute(name, "int")?.value as number | undefined) ?? otherwise,
    float: (name, otherwise) => (attribute(name, "float")?.value as number | undefined) ?? otherwise,
    text: (name, otherwise) => (attribute(name, "string")?.value as string | undefined) ?? otherwise,
    ints: (name) => attribute(name, "ints")?.value as readonly number[] | undefined,
  };
}

/** An axis counted from the end when negative; refused when outside `-rank..rank-1`. */
export function axisOf(call: Call, axis: number, rank: number): number {
  const at = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(at) || at < 0 || at >= rank) call.fail(`axis ${axis} is outside rank ${rank}`);
  return at;
}

/** The rank of an input, checked. */
export function wantRank(call: Call, index: number, least: number): readonly number[] {
  const { shape } = call.input(index);
  if (shape.length < least) call.fail(`input ${index} has rank ${shape.length}, expected at least ${least}`);
  return shape;
}

/** The common shape of operands aligned at their last axes, as numpy broadcasts. */
export function broadcast(call: Call, shapes: readonly (readonly number[])[]): number[] {
  const rank = shapes.reduce((most, shape) => Math.max(most, shape.length), 0);
  return Array.from({ length: rank }, (_, i) => {
    let size = 1;
    for (const shape of shapes) {
      const n = shape[i - rank + shape.length] ?? 1;
      if (n === 1 || n === size) continue;
      if (size !== 1) call.fail(`shapes ${shapes.map((s) => `[${s.join(", ")}]`).join(" and ")} do not broadcast`);
      size = n;
    }
    return size;
  });
}

/** The elements of a small tensor, one by one from their index; `undefined` where there are too many. */
export function elements(shape: readonly number[], at: (index: readonly number[]) => number): number[] | undefined {
  const size = sizeOf(shape);
  if (size > smallSize) return undefined;
  const out: number[] = [];
  for (let i = 0; i < size; i++) {
    const index: number[] = [];
    let rest = i;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = rest % shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    out.push(at(index));
  }
  return out;
}

/** The element at an index of a tensor in C order. */
export const elementAt = (data: readonly number[], shape: readonly number[], index: readonly number[]): number =>
  data[shape.reduce((place, size, axis) => place * size + index[axis]!, 0)]!;

/** Broadcasts known elements to a shape; `undefined` when they are not known or too many. */
export function spread({ shape, data }: Fact, to: readonly number[]): number[] | undefined {
  const ahead = to.length - shape.length;
  return (
    data &&
    elements(to, (index) =>
      elementAt(
        data,
        shape,
        shape.map((n, axis) => (n === 1 ? 0 : index[axis + ahead]!)),
      ),
    )
  );
}

/** Data attached to a fact only where it is known. */
export const fact = (type: ElementType, shape: readonly number[], data?: readonly number[] | undefined): Fact =>
  data && data.length <= smallSize ? { type, shape, data } : { type, shape };

/** For operators whose output has the type and shape of their first input. */
export const like: Rule = (call) => {
  const { type, shape } = call.input(0);
  return [fact(type, shape)];
};

export const isFloat = (type: ElementType): boolean => /float/.test(type);
