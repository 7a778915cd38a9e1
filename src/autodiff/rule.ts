/**
 * What a gradient rule is. A rule knows one operator and nothing of order, accumulation or broadcasting: the driver
 * owns those.
 */
import { ConvlensError } from "../core/errors.ts";
import type { Node } from "../graph/graph.ts";
import { describeNode } from "../graph/walk.ts";
import type { Emitter } from "./emitter.ts";

export interface RuleContext {
  readonly node: Node;
  readonly emit: Emitter;
  /** The name of an input; "" where an optional one is left out. */
  x(index?: number): string;
  /** The name of an output. */
  y(index?: number): string;
  /** Gradients of all outputs, `null` where none flows: operators with several outputs look here. */
  readonly dys: readonly (string | null)[];
  /** Whether the path to what is differentiated by goes through this input. */
  wants(index: number): boolean;
  rank(index?: number): number;
  /** An attribute, or its ONNX default. */
  int(name: string, otherwise: number): number;
  float(name: string, otherwise: number): number;
  text(name: string, otherwise: string): string;
  ints(name: string, otherwise: readonly number[]): readonly number[];
  /** An attribute that counts axes, negative ones from the end. */
  axis(name: string, otherwise: number, rank?: number): number;
  /** Something that a reader of the result must know; each text is kept once. */
  note(text: string): void;
  /** Refuses the node: `model-unsupported` with its name and the reason. */
  fail(reason: string): never;
}

/**
 * One gradient per input: `null` where by definition nothing flows (shapes, indices, conditions); `undefined`, or left
 * off the end, where the rule is not written. The driver refuses when the path needs such an input, so a missing
 * gradient is never a silent zero.
 */
export type Parts = readonly (string | null | undefined)[];
export type Rule = (dy: string, context: RuleContext) => Parts;
export type RuleTable = Readonly<Record<string, Rule>>;

/** Rules laid over the ordinary ones: how a method, or an engine with gaps, changes the way gradients pass. */
export interface Overlay {
  readonly id: string;
  lay(rules: RuleTable): RuleTable;
  /** Changes what the pass starts with: LRP starts with the score, not with 1. */
  start?(emit: Emitter, of: string, seed: string): string;
}

export interface Situation {
  readonly node: Node;
  readonly emit: Emitter;
  readonly dys: readonly (string | null)[];
  readonly isDownstream: (value: string) => boolean;
  readonly note: (text: string) => void;
}

export function contextOf({ node, emit, dys, isDownstream, note }: Situation): RuleContext {
  const x = (index = 0): string => node.inputs[index] ?? "";
  const rank = (index = 0): number => emit.shape(x(index)).length;
  const fail = (reason: string): never => {
    throw new ConvlensError("model-unsupported", `no gradient passes ${describeNode(node)}: ${reason}`);
  };
  const attribute = (name: string, kind: string): unknown => {
    const found = node.attributes[name];
    if (found && found.kind !== kind) fail(`its attribute "${name}" is of kind ${found.kind}, expected ${kind}`);
    return found?.value;
  };
  const integer = (name: string, otherwise: number): number =>
    (attribute(name, "int") as number | undefined) ?? otherwise;
  return {
    node,
    emit,
    dys,
    x,
    y: (index = 0) => node.outputs[index] ?? "",
    wants: (index) => x(index) !== "" && isDownstream(x(index)),
    rank,
    int: integer,
    float: (name, otherwise) => (attribute(name, "float") as number | undefined) ?? otherwise,
    text: (name, otherwise) => (attribute(name, "string") as string | undefined) ?? otherwise,
    ints: (name, otherwise) => (attribute(name, "ints") as readonly number[] | undefined) ?? otherwise,
    axis: (name, otherwise, of = rank()) => {
      const axis = integer(name, otherwise);
      return axis < 0 ? axis + of : axis;
    },
    note,
    fail,
  };
}
