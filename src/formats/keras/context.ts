/**
 * The graph under construction as layers see it: names after the layer, weights brought into ONNX' order by nodes,
 * Keras' order of axes against the stored one, and shapes as far as the inputs tell them.
 */
import { ConvlensError } from "../../core/errors.ts";
import type { Layout } from "../../core/layers.ts";
import type { ElementType } from "../../core/tensor.ts";
import { type Builder, builder, int, ints, type NodeOptions } from "../../graph/builder.ts";
import { elementTypeNumbers } from "../../graph/element-types.ts";
import type { Constant, Graph, Node, Shape, ValueInfo } from "../../graph/graph.ts";
import { inferShapes } from "../../graph/infer.ts";
import type { EmitContext, KerasLayer } from "./layer.ts";

/** A graph that grows layer by layer. */
export interface Construction {
  /** Declares an input in Keras' order of axes; gives the stored value. */
  input(name: string, shape: Shape): string;
  /** What the emitter of one layer gets. */
  contextFor(layer: KerasLayer): EmitContext;
  /** A copy of a value under a name of its own, for a layer that has no nodes. */
  alias(value: string, hint: string): string;
  /** The graph with these outputs, and the final name of every value: `wanted` renames values where the new name is free. */
  finish(
    name: string,
    outputs: readonly string[],
    wanted: ReadonlyMap<string, string>,
  ): { readonly graph: Graph; readonly nameOf: (value: string) => string };
}

/** Sides that a model leaves open, for shapes that do not depend on them; what differs between the two is open. */
const worlds = [
  { batch: 2, side: 224 },
  { batch: 3, side: 320 },
] as const;

interface Fact {
  readonly type: ElementType;
  readonly shapes: readonly [readonly number[], readonly number[]];
}

const toStored = [0, 3, 1, 2] as const;
const toKerasAxes = [0, 2, 3, 1] as const;

export function construct(fileName: string, sourceLayout: Layout, kerasVersion: number): Construction {
  const base = builder();
  const nodes: Node[] = [];
  const made = new Map<string, Node>();
  const order = new Map<Node, number>();
  const constants = new Map<string, Constant>();
  const facts = new Map<string, Fact>();
  const taken = new Set<string>();
  /** Values in both orders of axes, where a Transpose has made one of the other. */
  const keras = new Map<string, string>();
  const stored = new Map<string, string>();
  const constantNames = new Map<Constant, string>();
  const wishes = new Map<string, string>();

  const unique = (hint: string): string => {
    let name = hint;
    for (let i = 1; taken.has(name); i++) name = `${hint}_${i}`;
    taken.add(name);
    return name;
  };
  const addConstant = (value: Constant, hint: string): string => {
    const name = unique(hint);
    constants.set(name, value);
    return base.constant(value, name);
  };
  const addNodes = (
    scope: string,
    op: string,
    inputs: readonly string[],
    options: NodeOptions = {},
  ): readonly string[] => {
    const { outputs = 1, name, ...rest } = options;
    checkFloats(rest.attributes);
    const hint = `${scope}/${op.toLowerCase()}`;
    const names = typeof outputs === "number" ? Array.from({ length: outputs }, () => unique(hint)) : outputs;
    for (const output of names) taken.add(output);
    base.nodes(op, inputs, { ...rest, outputs: names, name: name ?? names[0] ?? hint });
    const node: Node = {
      name: name ?? names[0] ?? hint,
      op,
      domain: rest.domain ?? "",
      inputs,
      outputs: names,
      attributes: rest.attributes ?? {},
    };
    order.set(node, nodes.length);
    nodes.push(node);
    for (const output of names) made.set(output, node);
    return names;
  };
  const addNode = (scope: string, op: string, inputs: readonly string[], options?: NodeOptions): string =>
    addNodes(scope, op, inputs, options)[0]!;

  const scoped = (scope: string): Builder => ({
    input: () => {
      throw new Error("layers declare no inputs");
    },
    constant: (value, name) => addConstant(value, name ?? `${scope}/constant`),
    scalar: (value) => addConstant({ type: "float32", dims: [], data: Float32Array.of(value) }, `${scope}/number`),
    ints: (list) =>
      addConstant({ type: "int64", dims: [list.length], data: BigInt64Array.from(list, BigInt) }, `${scope}/ints`),
    node: (op, inputs, options) => addNode(scope, op, inputs, options),
    nodes: (op, inputs, options) => addNodes(scope, op, inputs, options),
    fresh: (hint) => unique(`${scope}/${hint}`),
    finish: (outputs) => base.finish(outputs),
  });

  const factOf = (value: string): Fact | undefined => {
    if (!facts.has(value)) inferUpTo(value, { nodes: made, order, constants, facts });
    return facts.get(value);
  };
  const shapeOf = (value: string): Shape => {
    const constant = constants.get(value);
    if (constant) return constant.dims;
    const fact = factOf(value);
    if (!fact)
      throw new ConvlensError(
        "model-unsupported",
        `the shape of "${value}" in "${fileName}" cannot be told beforehand`,
      );
    const [a, b] = fact.shapes;
    return a.map((n, i) => (n === b[i] ? n : null));
  };

  const isTurned = (value: string): boolean => sourceLayout === "NHWC" && shapeOf(value).length === 4;
  const turn = (scope: string, value: string, way: "keras" | "stored"): string => {
    const [there, back] = way === "keras" ? [keras, stored] : [stored, keras];
    const known = there.get(value);
    if (known !== undefined) return known;
    const perm = way === "keras" ? toKerasAxes : toStored;
    const name = addNode(scope, "Transpose", [value], {
      attributes: { perm: ints(perm) },
      outputs: [unique(`${scope}/${way === "keras" ? "nhwc" : "nchw"}`)],
    });
    there.set(value, name);
    back.set(name, value);
    return name;
  };

  const constantFor = (layer: KerasLayer, weight: Constant): string => {
    const known = constantNames.get(weight);
    if (known !== undefined) return known;
    const index = layer.weights.indexOf(weight);
    const own = layer.weightNames[index] || `weight${index < 0 ? "" : index}`;
    const name = addConstant(weight, `${layer.name}/${own}`);
    constantNames.set(weight, name);
    return name;
  };

  const contextFor = (layer: KerasLayer): EmitContext => {
    const title = `layer "${layer.name}" (${layer.className}) of "${fileName}"`;
    const invalid = (_: KerasLayer, what: string): never => {
      throw new ConvlensError("model-invalid", `${title} ${what}`);
    };
    return {
      build: scoped(layer.name),
      fileName,
      kerasVersion,
      sourceLayout,
      shapeOf,
      kerasShapeOf: (value) => {
        const shape = shapeOf(value);
        return isTurned(value) ? toKerasAxes.map((axis) => shape[axis]!) : shape;
      },
      toKeras: (value) => (isTurned(value) ? turn(layer.name, value, "keras") : value),
      fromKeras: (value) => (isTurned(value) ? turn(layer.name, value, "stored") : value),
      storedAxis: (axis, rank) => {
        const positive = axis < 0 ? axis + rank : axis;
        if (!(positive >= 0 && positive < rank)) invalid(layer, `has the axis ${axis} for a value of ${rank} axes`);
        // Stored axis i is Keras' toStored[i].
        return sourceLayout === "NHWC" && rank === 4 ? toStored.indexOf(positive as 0) : positive;
      },
      constant: (weight, { axes, shape } = {}) => {
        if (/int|bool/.test(weight.type)) {
          const own = layer.weightNames[layer.weights.indexOf(weight)] || "weight";
          invalid(layer, `has a ${own} of ${weight.type} in the file, expected floating-point numbers`);
        }
        const raw = constantFor(layer, weight);
        const key = JSON.stringify([raw, axes, shape]);
        const known = wishes.get(key);
        if (known !== undefined) return known;
        let value = raw;
        if (weight.type !== "float32")
          value = addNode(raw, "Cast", [value], { attributes: { to: int(elementTypeNumbers.float32) } });
        if (axes?.some((axis, i) => axis !== i))
          value = addNode(raw, "Transpose", [value], { attributes: { perm: ints(axes) } });
        if (shape) {
          const wanted: Constant = { type: "int64", dims: [shape.length], data: BigInt64Array.from(shape, BigInt) };
          value = addNode(raw, "Reshape", [value, addConstant(wanted, `${raw}/shape`)]);
        }
        wishes.set(key, value);
        return value;
      },
      weightRecords: (_, names) => {
        if (names.length !== layer.weights.length)
          invalid(
            layer,
            `has ${layer.weights.length} weights in the file, expected ${names.length}${names.length > 0 ? ` (${names.join(", ").replaceAll("~", "")})` : ""}`,
          );
        return names.map((name, i) => ({
          name: name.replace(/^~/, ""),
          value: constantFor(layer, layer.weights[i]!),
          ...(name.startsWith("~") ? { trainable: false } : {}),
        }));
      },
      refuse: (_, what) => {
        throw new ConvlensError("model-unsupported", `${title} ${what}`);
      },
      invalid,
    };
  };

  return {
    input: (name, shape) => {
      taken.add(name);
      base.input(name, { type: "float32", shape });
      const at = (world: (typeof worlds)[number]): number[] =>
        shape.map((n, i) => n ?? (i === 0 ? world.batch : world.side));
      facts.set(name, { type: "float32", shapes: [at(worlds[0]), at(worlds[1])] });
      return isTurned(name) ? turn(name, name, "stored") : name;
    },
    contextFor,
    alias: (value, hint) => addNode(hint, "Identity", [value]),
    finish: (name, outputs, wanted) => {
      const names = new Map<string, string>();
      for (const [value, wish] of wanted)
        if (!taken.has(wish) && !names.has(value)) {
          taken.add(wish);
          names.set(value, wish);
        }
      const nameOf = (value: string): string => names.get(value) ?? value;
      const graph = base.finish(outputs);
      return {
        nameOf,
        graph: {
          ...graph,
          name,
          outputs: outputs.map(nameOf),
          nodes: graph.nodes.map((node) => ({
            ...node,
            name: nameOf(node.name),
            inputs: node.inputs.map(nameOf),
            outputs: node.outputs.map(nameOf),
          })),
          values: new Map([...graph.values, ...outputs.map((value) => [nameOf(value), infoOf(value)] as const)]),
        },
      };
      function infoOf(value: string): ValueInfo {
        return { type: factOf(value)?.type ?? "float32", shape: shapeOf(value) };
      }
    },
  };
}

interface Known {
  readonly nodes: ReadonlyMap<string, Node>;
  readonly order: ReadonlyMap<Node, number>;
  readonly constants: ReadonlyMap<string, Constant>;
  readonly facts: Map<string, Fact>;
}

/**
 * Infers a value from the nearest values that are known. Integer arithmetic on shapes is followed inside that stretch;
 * what lies before is known by its shape alone.
 */
function inferUpTo(value: string, { nodes, order, constants, facts }: Known): void {
  const stretch = new Set<Node>();
  const edge = new Set<string>();
  const used = new Map<string, Constant>();
  const queue = [value];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const constant = constants.get(name);
    const node = nodes.get(name);
    if (constant) used.set(name, constant);
    else if (facts.has(name)) edge.add(name);
    else if (node && !stretch.has(node)) {
      stretch.add(node);
      queue.push(...node.inputs.filter((input) => input !== ""));
    }
  }
  const inputs = [...edge];
  const graph: Graph = {
    name: "stretch",
    inputs,
    outputs: [value],
    nodes: [...stretch].sort((a, b) => order.get(a)! - order.get(b)!),
    constants: used,
    values: new Map(inputs.map((name) => [name, { type: facts.get(name)!.type, shape: facts.get(name)!.shapes[0] }])),
  };
  const at = (world: 0 | 1): ReturnType<typeof inferShapes> =>
    inferShapes(graph, Object.fromEntries(inputs.map((name) => [name, facts.get(name)!.shapes[world]])));
  const [first, second] = [at(0), at(1)];
  for (const [name, { type, shape }] of first) {
    const other = second.get(name);
    if (other && !constants.has(name)) facts.set(name, { type, shapes: [shape, other.shape] });
  }
}

/** Python's numbers are double: one that float32 cannot hold would stop the engine. */
function checkFloats(attributes: NodeOptions["attributes"] = {}): void {
  for (const [name, { kind, value }] of Object.entries(attributes)) {
    const numbers = kind === "float" ? [value] : kind === "floats" ? value : [];
    const wrong = numbers.find((number) => Number.isFinite(number) && !Number.isFinite(Math.fround(number)));
    if (wrong !== undefined) throw new ConvlensError("model-invalid", `${name} is ${wrong}, more than float32 holds`);
  }
}
