/**
 * Appends nodes to a graph whose shapes are known. Rules, targets and methods speak this small algebra instead of
 * building nodes by hand. Only standard operators that CPU, WASM and WebGPU all run well (docs/decisions.md).
 */
import { ConvlensError } from "../core/errors.ts";
import { int64, type Tensor } from "../core/tensor.ts";
import { builder, float, int, ints } from "../graph/builder.ts";
import type { Attribute, Constant, Graph, Node, Shape, ValueInfo } from "../graph/graph.ts";
import type { withFacts } from "../graph/infer.ts";

/** A value's name, or a number that becomes a float32 scalar. */
export type Operand = string | number;
type Attributes = Readonly<Record<string, Attribute>>;

export interface Emitter {
  /** The graph that is built upon. */
  readonly base: Graph;
  /** The shape of a value of the base graph; `null` is the free batch axis. Throws `model-unsupported` where it is not known. */
  shape(value: string): Shape;
  /** The same for `Reshape`: the free axis is -1. */
  dims(value: string): number[];
  /** The elements of a small value of the base graph that no input changes; `undefined` for any other. */
  known(value: string): readonly number[] | undefined;

  /** Declares an input and gives its name back. */
  input(name: string, info: ValueInfo): string;
  /** Adds a node and returns its first output. */
  op(op: string, inputs: readonly Operand[], attributes?: Attributes): string;
  /** Adds a node and returns its `count` outputs. */
  ops(op: string, inputs: readonly Operand[], count: number, attributes?: Attributes): readonly string[];
  /** The node added here that gives a value; `undefined` for values of the base graph. */
  origin(value: string): Node | undefined;
  constant(value: Constant): string;
  /** A 1-D int64 constant. */
  ints(values: readonly number[]): string;

  add(a: Operand, b: Operand): string;
  sub(a: Operand, b: Operand): string;
  mul(a: Operand, b: Operand): string;
  div(a: Operand, b: Operand): string;
  neg(a: string): string;
  matMul(a: string, b: string): string;
  where(condition: string, a: Operand, b: Operand): string;
  /**
   * 1 where `a` > 0, else 0, as floats: exact for 0 and beyond 1e-30. A HardSigmoid of huge slope, with Mul the fastest
   * mask there is; not differentiable again.
   */
  step(a: string): string;
  /** 1, 0 or -1. */
  sign(a: string): string;
  /** 1/n at each of the n places along `axes` where a condition holds: ties share a gradient equally. */
  share(condition: string, axes: readonly number[]): string;
  transpose(a: string, perm: readonly number[]): string;
  reshape(a: string, dims: readonly number[]): string;
  /** Gives `a` the run-time shape of `like`, so that a free batch axis stays free. */
  reshapeLike(a: string, like: string): string;
  expandLike(a: Operand, like: string): string;
  /** Float32 zeros of the run-time shape of `like`. */
  zerosLike(like: string): string;
  /** Sum over axes, which stay with size 1 unless `keep` is false. */
  sum(a: string, axes: readonly number[], keep?: boolean): string;
  mean(a: string, axes: readonly number[]): string;
  /** The graph so far, with these outputs. */
  finish(outputs: readonly string[]): Graph;
}

/** The prefix of all that a gradient adds: by it the driver knows a gradient graph. */
export const GRADIENT = "gradient/";

/** Starts on a graph with its facts (`withFacts`). New values and nodes are named with `prefix`. */
export function emitter({ graph, known }: ReturnType<typeof withFacts>, prefix: string): Emitter {
  const build = builder(graph, prefix);
  let count = 0;
  const operand = (x: Operand): string => (typeof x === "number" ? build.scalar(x) : x);
  const origins = new Map<string, Node>();
  const ops: Emitter["ops"] = (op, given, outputCount, attributes = {}) => {
    const [inputs, name] = [given.map(operand), `${prefix}${op}.${count++}`];
    const outputs = build.nodes(op, inputs, { attributes, outputs: outputCount, name });
    for (const output of outputs) origins.set(output, { name, op, domain: "", inputs, outputs, attributes });
    return outputs;
  };
  const op: Emitter["op"] = (name, inputs, attributes) => ops(name, inputs, 1, attributes)[0]!;
  const keepdims = int(1);
  const shape: Emitter["shape"] = (value) => {
    const found = graph.constants.get(value)?.dims ?? graph.values.get(value)?.shape;
    if (found) return found;
    throw new ConvlensError(
      "model-unsupported",
      `the shape of "${value}" cannot be told without running the network, and its gradient needs it`,
    );
  };
  const emit: Emitter = {
    base: graph,
    shape,
    dims: (value) => shape(value).map((n) => n ?? -1),
    known: (value) => known.get(value),
    input: (name, info) => build.input(name, info),
    op,
    ops,
    origin: (value) => origins.get(value),
    constant: (value) => build.constant(value),
    ints: (values) => build.ints(values),
    add: (a, b) => op("Add", [a, b]),
    sub: (a, b) => op("Sub", [a, b]),
    mul: (a, b) => op("Mul", [a, b]),
    div: (a, b) => op("Div", [a, b]),
    neg: (a) => op("Neg", [a]),
    matMul: (a, b) => op("MatMul", [a, b]),
    where: (condition, a, b) => op("Where", [condition, a, b]),
    step: (a) => op("HardSigmoid", [a], { alpha: float(1e30), beta: float(0) }),
    sign: (a) => emit.sub(emit.step(a), emit.step(emit.neg(a))),
    share(condition, axes) {
      const ones = emit.where(condition, 1, 0);
      return emit.div(ones, emit.sum(ones, axes));
    },
    transpose: (a, perm) => op("Transpose", [a], { perm: ints(perm) }),
    reshape: (a, dims) => op("Reshape", [a, build.ints(dims)]),
    reshapeLike: (a, like) => op("Reshape", [a, op("Shape", [like])]),
    expandLike: (a, like) => op("Expand", [a, op("Shape", [like])]),
    zerosLike: (like) => emit.expandLike(0, like),
    sum: (a, axes, keep = true) =>
      axes.length === 0 ? a : op("ReduceSum", [a, build.ints(axes)], { keepdims: int(keep ? 1 : 0) }),
    mean: (a, axes) => op("ReduceMean", [a, build.ints(axes)], { keepdims }),
    finish: (outputs) => build.finish(outputs),
  };
  return emit;
}

/** 0, 1 … n - 1 as an int64 tensor of a shape with n elements. */
export const counting = (dims: readonly number[], n: number): Tensor => int64(dims, [...Array(n).keys()]);
