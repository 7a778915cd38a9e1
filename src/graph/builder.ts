/**
 * Builds graphs node by node, from nothing or on top of an existing one. Tests, examples and rewrites speak this
 * small language instead of writing node records by hand.
 */
import { float32, int64, type Tensor } from "../core/tensor.ts";
import type { Attribute, Constant, Graph, Node, ValueInfo } from "./graph.ts";

export interface NodeOptions {
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly name?: string;
  readonly domain?: string;
  /** Names for the outputs, or how many; default one fresh name. */
  readonly outputs?: number | readonly string[];
}

export interface Builder {
  /** Declares an input and gives its name back. */
  input(name: string, info: ValueInfo): string;
  /** Adds a constant, under a fresh name unless one is given. */
  constant(value: Constant, name?: string): string;
  /** A float32 scalar constant. */
  scalar(value: number): string;
  /** A 1-D int64 constant: axes, pads, target shapes. */
  ints(values: readonly number[]): string;
  /** Adds a node and returns its first output. */
  node(op: string, inputs: readonly string[], options?: NodeOptions): string;
  /** Adds a node and returns all its outputs. */
  nodes(op: string, inputs: readonly string[], options?: NodeOptions): readonly string[];
  /** A name that nothing in the graph has. */
  fresh(hint: string): string;
  /** The graph so far, with these outputs. */
  finish(outputs: readonly string[]): Graph;
}

/** Starts from `base` (default: an empty graph); new names begin with `prefix`. */
export function builder(base?: Graph, prefix = ""): Builder {
  const inputs = [...(base?.inputs ?? [])];
  const nodes: Node[] = [...(base?.nodes ?? [])];
  const constants = new Map(base?.constants);
  const values = new Map(base?.values);
  const taken = new Set([...inputs, ...constants.keys(), ...nodes.flatMap((node) => node.outputs)]);
  const counts = new Map<string, number>();

  const fresh = (hint: string): string => {
    for (;;) {
      const count = counts.get(hint) ?? 0;
      counts.set(hint, count + 1);
      const name = `${prefix}${hint}_${count}`;
      if (taken.has(name)) continue;
      taken.add(name);
      return name;
    }
  };
  const constant = (value: Constant, name = fresh("const")): string => {
    taken.add(name);
    constants.set(name, value);
    return name;
  };
  const addNode = (op: string, from: readonly string[], options: NodeOptions = {}): readonly string[] => {
    const { outputs = 1, attributes = {}, name = "", domain = "" } = options;
    const names = typeof outputs === "number" ? Array.from({ length: outputs }, () => fresh(op)) : outputs;
    for (const output of names) taken.add(output);
    nodes.push({ name, op, domain, inputs: from, outputs: names, attributes });
    return names;
  };
  return {
    input(name, info) {
      taken.add(name);
      inputs.push(name);
      values.set(name, info);
      return name;
    },
    constant,
    scalar: (value) => constant(float32([], [value])),
    ints: (list) => constant(int64([list.length], list)),
    node: (op, from, options) => addNode(op, from, options)[0]!,
    nodes: addNode,
    fresh,
    finish: (outputs) => ({
      name: base?.name ?? "graph",
      inputs: [...inputs],
      outputs,
      nodes: [...nodes],
      constants: new Map(constants),
      values: new Map(values),
    }),
  };
}

/** Attribute records in short: `int(1)`, `floats([0.1])`. */
export const int = (value: number): Attribute => ({ kind: "int", value });
export const float = (value: number): Attribute => ({ kind: "float", value });
export const text = (value: string): Attribute => ({ kind: "string", value });
export const ints = (value: readonly number[]): Attribute => ({ kind: "ints", value });
export const tensor = (value: Tensor): Attribute => ({ kind: "tensor", value });
