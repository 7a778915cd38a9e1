/**
 * Quantized networks as the real numbers they stand for. A value that held codes holds (code - zero point) * scale
 * under the same name. Rounding is left out, but not the range of the codes: a Clip stands where numbers are quantised,
 * since quantisers fold ReLU and ReLU6 into that range.
 */
import { ConvlensError } from "../../core/errors.ts";
import { type ElementType, toFloat32 } from "../../core/tensor.ts";
import { type Builder, builder, int } from "../../graph/builder.ts";
import { elementTypeNumbers } from "../../graph/element-types.ts";
import type { Attribute, Graph, Node } from "../../graph/graph.ts";
import { describeNode } from "../../graph/walk.ts";

/** The names of the scale and of the zero point of a value. */
interface Coding {
  readonly scale: string;
  readonly zero: string;
}
type Attributes = Readonly<Record<string, Attribute>>;

const ranges: Partial<Record<ElementType, readonly [number, number]>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 65535],
  int16: [-32768, 32767],
};

/** Operators that move codes about: the numbers behind them move the same way. */
const movers: ReadonlySet<string> = new Set([
  ...["Concat", "DepthToSpace", "Expand", "Flatten", "Gather", "Identity", "MaxPool", "Pad", "Reshape", "Resize"],
  ...["Slice", "SpaceToDepth", "Split", "Squeeze", "Tile", "Transpose", "Unsqueeze"],
]);

/** What a node's lowering sees. */
interface Lowering {
  readonly node: Node;
  readonly b: Builder;
  readonly graph: Graph;
  /** How each value that stands for real numbers was coded. */
  readonly codings: Map<string, Coding>;
  /** The real numbers of an input whose scale and zero point are two other inputs; along `axis` where there are several. */
  real(index: number, scale: number, zero: number, axis?: number): string;
  /** Ends the node with a value that is coded by two of the inputs. */
  coded(value: string, scale: number, zero: number): void;
  /** A node with the attributes of this one, or others. */
  op(op: string, inputs: readonly string[], attributes?: Attributes): string;
  /** Ends the node with a value of real numbers. */
  plain(value: string): void;
  attribute(name: string, otherwise: number): number;
  /** Refuses the node: `model-unsupported` with its name and the reason. */
  fail(reason: string): never;
}
type Lower = (lowering: Lowering) => void;

const pair =
  (op: string): Lower =>
  ({ real, coded, op: make }) =>
    coded(make(op, [real(0, 1, 2), real(3, 4, 5)], {}), 6, 7);
const alone =
  (op: string, ...kept: readonly string[]): Lower =>
  ({ node, real, coded, op: make }) => {
    const attributes = Object.fromEntries(Object.entries(node.attributes).filter(([name]) => kept.includes(name)));
    coded(make(op, [real(0, 1, 2)], attributes), 3, 4);
  };
const window = ["auto_pad", "ceil_mode", "count_include_pad", "kernel_shape", "pads", "strides"];

const standard: Readonly<Record<string, Lower>> = {
  QuantizeLinear: ({ node, coded }) => coded(node.inputs[0]!, 1, 2),
  DequantizeLinear: ({ node, real, plain, attribute, fail }) => {
    if (attribute("block_size", 0) !== 0) fail("its scales are per block");
    plain(real(0, 1, 2, node.attributes.axis?.kind === "int" ? node.attributes.axis.value : 1));
  },
  QLinearConv: ({ node, b, real, coded, op }) => {
    const bias = node.inputs[8] ?? "";
    // A bias is coded by the product of both scales, its zero point is 0.
    const unit = (): string => b.node("Mul", [node.inputs[1]!, node.inputs[4]!]);
    const biases = bias === "" ? [] : [b.node("Mul", [toFloat(b, bias), unit()])];
    coded(op("Conv", [real(0, 1, 2), real(3, 4, 5, 0), ...biases]), 6, 7);
  },
  QLinearMatMul: ({ real, coded, op }) => coded(op("MatMul", [real(0, 1, 2, -2), real(3, 4, 5, -1)]), 6, 7),
  /** Codes less their zero points: what follows multiplies by the scales. */
  MatMulInteger: ({ plain, op, node, b, codings }) =>
    plain(op("MatMul", [centred(node, b, codings, 0, 2), centred(node, b, codings, 1, 3)])),
  ConvInteger: ({ plain, op, node, b, codings }) =>
    plain(op("Conv", [centred(node, b, codings, 0, 2), centred(node, b, codings, 1, 3)])),
  DynamicQuantizeLinear: ({ node, b, codings }) => {
    const [codes, scale, zero] = node.outputs as [string, string, string];
    b.nodes("DynamicQuantizeLinear", node.inputs, { name: node.name, outputs: [b.fresh("codes"), scale, zero] });
    b.node("Identity", [node.inputs[0]!], { outputs: [codes] });
    codings.set(codes, { scale, zero });
  },
};

const microsoft: Readonly<Record<string, Lower>> = {
  QLinearAdd: pair("Add"),
  QLinearMul: pair("Mul"),
  QLinearSigmoid: alone("Sigmoid"),
  QLinearLeakyRelu: alone("LeakyRelu", "alpha"),
  QLinearSoftmax: alone("Softmax", "axis"),
  QLinearGlobalAveragePool: ({ node, real, coded, op, attribute, graph, b, fail }) => {
    if (attribute("channels_last", 0) === 0) return coded(op("GlobalAveragePool", [real(0, 1, 2)], {}), 3, 4);
    const rank = graph.values.get(node.inputs[0]!)?.shape.length ?? fail("the shape of its input is not known");
    const axes = b.ints(Array.from({ length: rank - 2 }, (_, i) => i + 1));
    return coded(op("ReduceMean", [real(0, 1, 2), axes], { keepdims: int(1) }), 3, 4);
  },
  QLinearAveragePool: (lowering) => {
    if (lowering.attribute("channels_last", 0) === 1) lowering.fail("its channels come last");
    alone("AveragePool", ...window)(lowering);
  },
  QLinearConcat: ({ node, real, coded, op }) => {
    const parts = node.inputs.flatMap((_, i) => (i >= 2 && i % 3 === 2 ? [real(i, i + 1, i + 2)] : []));
    coded(op("Concat", parts), 0, 1);
  },
  QGemm: ({ node, b, real, coded, plain, op, attribute }) => {
    const unit = (): string => b.node("Mul", [node.inputs[1]!, node.inputs[4]!]);
    const bias = node.inputs[6] ? [b.node("Mul", [toFloat(b, node.inputs[6]), unit()])] : [];
    const weight = real(3, 4, 5, attribute("transB", 0) === 1 ? 0 : 1);
    const product = op("Gemm", [real(0, 1, 2), weight, ...bias]);
    if (node.inputs[7]) coded(product, 7, 8);
    else plain(product);
  },
};

const tables: ReadonlyMap<string, Readonly<Record<string, Lower>>> = new Map([
  ["", standard],
  ["com.microsoft", microsoft],
]);
export const dequantizedOperators = (domain: string): string[] => Object.keys(tables.get(domain) ?? {});

const lowerOf = ({ op, domain }: Node): Lower | undefined => {
  const table = tables.get(domain);
  return table && Object.hasOwn(table, op) ? table[op] : undefined;
};

/** The same graph where nothing in it is quantised. Throws `model-unsupported` for a form that is not known. */
export function dequantized(graph: Graph): { readonly graph: Graph; readonly notes: readonly string[] } {
  if (!graph.nodes.some(lowerOf)) return { graph, notes: [] };
  const b = builder({ ...graph, nodes: [] }, "real/");
  const codings = new Map<string, Coding>();
  for (const node of graph.nodes) {
    const lower = lowerOf(node);
    if (lower) lower(loweringOf(node, b, graph, codings));
    else copy(node, b, codings);
  }
  const whole = b.finish(graph.outputs);
  // What held codes holds real numbers now; shapes and types are inferred anew.
  const values = new Map([...whole.values].filter(([name]) => graph.inputs.includes(name)));
  const note =
    "the quantised network is explained by the real numbers that its weights and activations stand for, without their rounding: scores differ slightly from its own";
  return { graph: { ...whole, values }, notes: [note] };
}

function loweringOf(node: Node, b: Builder, graph: Graph, codings: Map<string, Coding>): Lowering {
  const fail = (reason: string): never => {
    throw new ConvlensError("model-unsupported", `no gradient passes ${describeNode(node)}: ${reason}`);
  };
  const at = (index: number): string => node.inputs[index] ?? "";
  const end = (op: string, inputs: readonly string[]): void =>
    void b.node(op, inputs, { name: node.name, outputs: node.outputs });
  return {
    node,
    b,
    graph,
    codings,
    fail,
    real: (index, scale, zero, axis) => {
      const value = at(index);
      const own = codings.get(value);
      if (own) return recoded(graph, b, value, own, { scale: at(scale), zero: at(zero) });
      const lying = (part: string): string =>
        along(graph, value, part, axis, b) ?? fail(`the shape of "${value}" is not known`);
      const [step, middle] = [lying(at(scale)), lying(at(zero))];
      const centre = middle === "" ? toFloat(b, value) : b.node("Sub", [toFloat(b, value), toFloat(b, middle)]);
      return b.node("Mul", [centre, step]);
    },
    coded: (value, scale, zero) => {
      codings.set(node.outputs[0]!, { scale: at(scale), zero: at(zero) });
      const bounds = boundsOf(graph, at(scale), at(zero), node);
      if (bounds) end("Clip", [value, ...bounds.map((bound) => b.scalar(bound))]);
      else end("Identity", [value]);
    },
    plain: (value) => end("Identity", [value]),
    op: (op, inputs, attributes = node.attributes) => b.node(op, inputs, { attributes }),
    attribute: (name, otherwise) => {
      const found = node.attributes[name];
      return found?.kind === "int" ? found.value : otherwise;
    },
  };
}

/** The same codes read by another scale and zero point, where these are not those that they were made by. */
function recoded(graph: Graph, b: Builder, value: string, own: Coding, other: Coding): string {
  const same = (mine: string, theirs: string): boolean => {
    const [left, right] = [graph.constants.get(mine), graph.constants.get(theirs)];
    if (mine === theirs) return true;
    if (!left || !right || "stored" in left || "stored" in right) return false;
    return left.data.length === 1 && right.data.length === 1 && Number(left.data[0]) === Number(right.data[0]);
  };
  if (same(own.scale, other.scale) && same(own.zero, other.zero)) return value;
  const centre =
    other.zero === "" ? codesOf(b, value, own) : b.node("Sub", [codesOf(b, value, own), toFloat(b, other.zero)]);
  return b.node("Mul", [centre, other.scale]);
}

/** The codes, unrounded, that numbers stood for. */
function codesOf(b: Builder, value: string, { scale, zero }: Coding): string {
  const codes = b.node("Div", [value, scale]);
  return zero === "" ? codes : b.node("Add", [codes, toFloat(b, zero)]);
}

const toFloat = (b: Builder, value: string): string =>
  b.node("Cast", [value], { attributes: { to: int(elementTypeNumbers.float32) } });

/** One scale (or zero point) for each place along an axis, shaped to lie there; `undefined` where the rank is not known. */
function along(graph: Graph, value: string, part: string, axis: number | undefined, b: Builder): string | undefined {
  const dims = graph.constants.get(part)?.dims;
  if (part === "" || axis === undefined || dims?.length !== 1 || dims[0] === 1) return part;
  const rank = graph.constants.get(value)?.dims.length ?? graph.values.get(value)?.shape.length;
  if (axis >= 0 && rank === undefined) return undefined;
  const behind = axis < 0 ? -1 - axis : Number(rank) - 1 - axis;
  return behind === 0 ? part : b.node("Reshape", [part, b.ints([-1, ...new Array<number>(behind).fill(1)])]);
}

/** The least and the greatest number that one scale and zero point can stand for; `undefined` for several, or computed ones. */
function boundsOf(graph: Graph, scale: string, zero: string, node: Node): readonly number[] | undefined {
  const [step, middle] = [graph.constants.get(scale), graph.constants.get(zero)];
  if (!step || "stored" in step || step.data.length !== 1 || (zero !== "" && (!middle || "stored" in middle))) return;
  const named = node.attributes.output_dtype;
  const type = middle?.type ?? (named?.kind === "int" && named.value === elementTypeNumbers.int8 ? "int8" : "uint8");
  const [low, high] = ranges[type] ?? [];
  if (low === undefined || high === undefined) return undefined;
  const [size] = toFloat32(step);
  const centre = middle && !("stored" in middle) ? Number(middle.data[0]) : 0;
  return [(low - centre) * size!, (high - centre) * size!];
}

/** Codes less their zero point, as floats: for the operators that leave the scale to their readers. */
function centred(node: Node, b: Builder, codings: ReadonlyMap<string, Coding>, index: number, zero: number): string {
  const value = node.inputs[index]!;
  const coding = codings.get(value);
  if (coding) return b.node("Div", [value, coding.scale]);
  const middle = node.inputs[zero] ?? "";
  return middle === "" ? toFloat(b, value) : b.node("Sub", [toFloat(b, value), toFloat(b, middle)]);
}

/** Nodes that move codes move numbers; any other that reads codes gets them computed back. */
function copy(node: Node, b: Builder, codings: Map<string, Coding>): void {
  const { op, domain, name, attributes, outputs } = node;
  const coding = node.inputs.map((input) => codings.get(input)).find((found) => found !== undefined);
  let inputs = node.inputs;
  if (coding && movers.has(op) && domain === "") {
    for (const output of op === "Split" ? outputs : outputs.slice(0, 1)) codings.set(output, coding);
    // What lies around the numbers is a code too: 0 where none is given.
    if (op === "Pad") inputs = [node.inputs[0]!, node.inputs[1]!, padding(node, b, coding), ...node.inputs.slice(3)];
  } else if (coding)
    inputs = node.inputs.map((input) => {
      const found = codings.get(input);
      return found ? codesOf(b, input, found) : input;
    });
  b.nodes(op, inputs, { attributes, name, domain, outputs });
}

function padding(node: Node, b: Builder, { scale, zero }: Coding): string {
  const code = node.inputs[2] ? toFloat(b, node.inputs[2]) : b.scalar(0);
  const centre = zero === "" ? code : b.node("Sub", [code, toFloat(b, zero)]);
  return b.node("Reshape", [b.node("Mul", [centre, scale]), b.ints([])]);
}
