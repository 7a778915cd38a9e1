/** Reads weights: from memory or from the user's file, also where exporters hide them behind casts and reshapes. */
import { ConvlensError } from "../core/errors.ts";
import {
  arrayTypes,
  bytesPerElement,
  type ElementType,
  float32,
  fromBytes,
  halfToNumber,
  int64,
  sizeOf,
  type Tensor,
  transpose,
} from "../core/tensor.ts";
import { elementTypeOf } from "./element-types.ts";
import type { Constant, Graph, Node } from "./graph.ts";
import { describeNode, producers } from "./walk.ts";

/** The tensor of a constant, read from its file where it is stored there. Throws `model-invalid` on a wrong size. */
export async function readConstant(constant: Constant): Promise<Tensor> {
  if (!("stored" in constant)) return constant;
  const { type, dims, stored } = constant;
  const wanted = sizeOf(dims) * bytesPerElement(type);
  if (stored.length !== wanted)
    throw new ConvlensError(
      "model-invalid",
      `"${stored.source.name}": a weight ${type}[${dims.join(", ")}] needs ${wanted} bytes, the file gives ${stored.length}`,
    );
  return fromBytes(type, dims, await stored.source.read(stored.offset, stored.length));
}

/**
 * The tensor of a value that is constant: a weight itself, or a weight behind Cast, Identity, Transpose, Reshape,
 * Flatten, Unsqueeze, Squeeze, DequantizeLinear or Constant nodes. `undefined` for any other value.
 */
export async function constantOf(graph: Graph, value: string): Promise<Tensor | undefined> {
  if (graph.constants.has(value)) return readConstant(graph.constants.get(value)!);
  const made = producers(graph);
  // Each value is followed once: in a chain of nodes that read one value twice the ways double at every step.
  const known = new Map<string, Promise<Tensor | undefined>>();
  const read = (name: string, depth: number): Promise<Tensor | undefined> => {
    const found = known.get(name) ?? followed(name, depth);
    known.set(name, found);
    return found;
  };
  const followed = async (name: string, depth: number): Promise<Tensor | undefined> => {
    const constant = graph.constants.get(name);
    if (constant) return readConstant(constant);
    const node = made.get(name);
    const follow =
      node?.domain === "" && node.outputs[0] === name && Object.hasOwn(followers, node.op)
        ? followers[node.op]
        : undefined;
    if (!node || !follow || depth > longestChain) return undefined;
    const inputs: Tensor[] = [];
    for (const input of node.inputs) {
      const tensor = input === "" ? undefined : await read(input, depth + 1);
      if (!tensor) return undefined;
      inputs.push(tensor);
    }
    return follow(node, inputs);
  };
  return read(value, 0);
}

/** Exporters put a handful of nodes behind a weight. */
const longestChain = 50;

type Follow = (node: Node, inputs: readonly Tensor[]) => Tensor | undefined;

const followers: Readonly<Record<string, Follow>> = {
  Constant: (node) => constantNode(node),
  Identity: (_, [x]) => x,
  Cast: (node, [x]) => {
    const to = elementTypeOf(intOf(node, "to", 0));
    return x && to ? cast(x, to) : undefined;
  },
  Transpose: (node, [x]) => {
    const perm = node.attributes.perm;
    return x && transpose(x, perm?.kind === "ints" ? perm.value : x.dims.map((_, i) => x.dims.length - 1 - i));
  },
  Reshape: (node, [x, shape]) => {
    if (!x || !shape) return undefined;
    const wanted = Array.from(shape.data as BigInt64Array, Number);
    const dims = wanted.map((n, i) => (n === 0 && intOf(node, "allowzero", 0) === 0 ? (x.dims[i] ?? 0) : n));
    const rest = sizeOf(dims.filter((n) => n !== -1));
    return reshaped(
      node,
      x,
      dims.map((n) => (n === -1 ? sizeOf(x.dims) / rest : n)),
    );
  },
  Flatten: (node, [x]) => {
    if (!x) return undefined;
    const axis = intOf(node, "axis", 1);
    const at = axis < 0 ? axis + x.dims.length : axis;
    return reshaped(node, x, [sizeOf(x.dims.slice(0, at)), sizeOf(x.dims.slice(at))]);
  },
  Unsqueeze: (node, [x, axes]) => {
    if (!x || !axes) return undefined;
    const rank = x.dims.length + axes.data.length;
    const added = axisSet(axes, rank);
    const rest = [...x.dims];
    return reshaped(
      node,
      x,
      Array.from({ length: rank }, (_, i) => (added.has(i) ? 1 : (rest.shift() ?? 0))),
    );
  },
  Squeeze: (node, [x, axes]) => {
    if (!x) return undefined;
    const removed = axes && axisSet(axes, x.dims.length);
    return reshaped(
      node,
      x,
      x.dims.filter((n, i) => (removed ? !removed.has(i) : n !== 1)),
    );
  },
  DequantizeLinear: (node, inputs) => dequantize(node, inputs),
};

const axisSet = (axes: Tensor, rank: number): Set<number> =>
  new Set(Array.from(axes.data as BigInt64Array, Number).map((axis) => (axis < 0 ? axis + rank : axis)));

function reshaped(node: Node, x: Tensor, dims: readonly number[]): Tensor {
  if (sizeOf(dims) !== x.data.length)
    throw new ConvlensError(
      "model-invalid",
      `${describeNode(node)}: cannot give [${x.dims.join(", ")}] the shape [${dims.join(", ")}]`,
    );
  return { ...x, dims };
}

function intOf(node: Node, name: string, otherwise: number): number {
  const attribute = node.attributes[name];
  return attribute?.kind === "int" ? attribute.value : otherwise;
}

/** The value of a Constant node in any of its forms; `undefined` for strings and sparse tensors. */
export function constantNode(node: Node): Tensor | undefined {
  const { value, value_int, value_ints, value_float, value_floats } = node.attributes;
  if (value?.kind === "tensor") return value.value;
  if (value_int?.kind === "int") return int64([], [value_int.value]);
  if (value_ints?.kind === "ints") return int64([value_ints.value.length], value_ints.value);
  if (value_float?.kind === "float") return float32([], [value_float.value]);
  if (value_floats?.kind === "floats") return float32([value_floats.value.length], value_floats.value);
  return undefined;
}

/** Elements of any type as float64: exact for all but 64-bit integers beyond 2^53. */
function toNumbers({ type, data }: Tensor): Float64Array {
  const out = new Float64Array(data.length);
  if (type === "bfloat16") {
    const bits = new Uint32Array(1);
    const view = new Float32Array(bits.buffer);
    for (let i = 0; i < out.length; i++) {
      bits[0] = (data[i] as number) << 16;
      out[i] = view[0]!;
    }
  } else if (type === "float16") for (let i = 0; i < out.length; i++) out[i] = halfToNumber(data[i] as number);
  else for (let i = 0; i < out.length; i++) out[i] = Number(data[i]);
  return out;
}

/**
 * ONNX Cast for constants. Half types as target are not needed where weights are read; NaN and infinity as integers,
 * which ONNX leaves open, are 0.
 */
function cast(x: Tensor, to: ElementType): Tensor | undefined {
  if (x.type === to) return x;
  if (to === "float16" || to === "bfloat16") return undefined;
  const numbers = toNumbers(x);
  const data = new arrayTypes[to](numbers.length);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array)
    for (let i = 0; i < data.length; i++) data[i] = Number.isFinite(numbers[i]) ? BigInt(Math.trunc(numbers[i]!)) : 0n;
  else for (let i = 0; i < data.length; i++) data[i] = to === "bool" ? Number(numbers[i] !== 0) : numbers[i]!;
  return { type: to, dims: x.dims, data };
}

/** (x - zero point) * scale, per tensor, per axis, or per block along an axis. */
function dequantize(node: Node, [x, scale, zero]: readonly Tensor[]): Tensor | undefined {
  if (!x || !scale || scale.type !== "float32") return undefined;
  const [q, s] = [toNumbers(x), scale.data as Float32Array];
  const z = zero ? toNumbers(zero) : new Float64Array(s.length);
  const rank = x.dims.length;
  const given = intOf(node, "axis", 1);
  const axis = given < 0 ? given + rank : given;
  const block = intOf(node, "block_size", 0);
  const out = new Float32Array(q.length);
  const inner = sizeOf(x.dims.slice(axis + 1));
  const length = x.dims[axis] ?? 1;
  const blocks = block > 0 ? Math.ceil(length / block) : 0;
  const scales = s.length === 1 ? 1 : block > 0 ? (q.length / Math.max(1, length)) * blocks : length;
  if (s.length !== scales || z.length !== s.length)
    throw new ConvlensError(
      "model-invalid",
      `${describeNode(node)}: ${s.length} scales and ${z.length} zero points for [${x.dims.join(", ")}] at axis ${axis}`,
    );
  for (let i = 0; i < q.length; i++) {
    const along = Math.floor(i / inner) % length;
    const outer = Math.floor(i / (inner * length));
    const at =
      s.length === 1 ? 0 : block > 0 ? (outer * blocks + Math.floor(along / block)) * inner + (i % inner) : along;
    out[i] = (q[i]! - z[at]!) * s[at]!;
  }
  return { type: "float32", dims: x.dims, data: out };
}
