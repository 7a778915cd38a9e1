/** GraphProto to the IR's Graph, in the file's own opset: attributes, nodes, constants, types and shapes. */
import { ConvlensError } from "../../core/errors.ts";
import type { Tensor } from "../../core/tensor.ts";
import { fromBytes } from "../../core/tensor.ts";
import { elementTypeOf } from "../../graph/element-types.ts";
import type { Attribute, Constant, Dimension, Graph, Node, ValueInfo } from "../../graph/graph.ts";
import {
  type AttributeProto,
  type GraphProto,
  AttributeProto_AttributeType as Kind,
  type NodeProto,
  type ValueInfoProto,
} from "./onnx_pb.ts";
import { inOrder } from "./order.ts";
import { type ModelSource, readTensor, typeName, type Unreadable } from "./tensors.ts";

/** What is shared while one file is decoded. */
export interface Decoding {
  readonly file: ModelSource;
  /** Why methods may not look inside; the first reason counts. */
  readonly reasons: string[];
}

/** Whether a graph, or one around it, defines a name. Asked and not copied: there may be many graphs in one. */
export type Scope = (name: string) => boolean;

const isUnreadable = (value: Constant | Unreadable): value is Unreadable => "unreadable" in value;

/** Operators whose work is not a plain graph of tensors. Of an If one branch may do; the reader tells when all is decoded. */
const isControlFlow = (op: string): boolean =>
  /^(Loop|Scan|Sequence.*|Optional.*|SplitToSequence|ConcatFromSequence)$/.test(op);

/**
 * @param outer names that surrounding graphs define
 * @throws ConvlensError `model-invalid` for names defined twice or never, cycles, and data that contradict their shape
 */
export async function decodeGraph(proto: GraphProto, decoding: Decoding, outer: Scope): Promise<Graph> {
  const { file, reasons } = decoding;
  const constants = new Map<string, Constant>();
  /** Defined, but not as the IR could hold it. */
  const unreadable = new Set<string>();
  const inputs = new Set<string>();
  const hold = (name: string, value: Constant | Unreadable): void => {
    if (!name) throw new ConvlensError("model-invalid", `a constant of ${file.source.name} has no name`);
    if (constants.has(name) || unreadable.has(name) || inputs.has(name))
      throw new ConvlensError("model-invalid", `constant "${name}" of ${file.source.name} is defined twice`);
    if (isUnreadable(value)) {
      unreadable.add(name);
      reasons.push(value.unreadable);
    } else constants.set(name, value);
  };
  for (const tensor of proto.initializer) hold(tensor.name, await readTensor(tensor, file, tensor.name));
  for (const sparse of proto.sparseInitializer) {
    const name = sparse.values?.name ?? "";
    hold(name, { unreadable: `constant "${name}" is sparse` });
  }

  // Files before IR version 4 list every initializer among the inputs.
  for (const { name } of proto.input) {
    if (constants.has(name) || unreadable.has(name)) continue;
    if (name === "") throw new ConvlensError("model-invalid", `an input of ${file.source.name} has no name`);
    if (inputs.has(name)) throw new ConvlensError("model-invalid", `${file.source.name} has two inputs "${name}"`);
    inputs.add(name);
  }

  const values = new Map<string, ValueInfo>();
  for (const value of [...proto.valueInfo, ...proto.output, ...proto.input]) {
    const info = valueInfo(value);
    if (info) values.set(value.name, info);
  }
  for (const value of proto.input)
    if (!values.has(value.name)) reasons.push(`input "${value.name}" ${whyUntyped(value)}`);

  const produced = proto.node.flatMap((node) => node.output);
  const visible = new Set([...inputs, ...proto.initializer.map((t) => t.name), ...unreadable, ...produced]);
  const scope: Scope = (name) => visible.has(name) || outer(name);
  const nodes: Node[] = [];
  for (const node of proto.node) {
    if (!node.opType) throw new ConvlensError("model-invalid", `a node of ${file.source.name} has no operator`);
    if (node.opType === "Constant" && isStandard(node)) {
      const name = node.output[0] ?? "";
      hold(name, await constantValue(node, file, name));
    } else nodes.push(await decodeNode(node, decoding, scope));
  }
  const outputs = proto.output.map((value) => value.name);
  const own = new Set([...inputs, ...constants.keys(), ...unreadable]);
  return {
    name: proto.name,
    inputs: [...inputs],
    outputs,
    nodes: inOrder({ nodes, outputs }, own, outer, file.source.name),
    constants,
    values,
  };
}

/** Why a file with such a node is opaque. */
export const controlFlow = (label: string): string => `the ${label} is control flow or works on sequences`;

const isStandard = (node: NodeProto): boolean => node.domain === "" || node.domain === "ai.onnx";

async function decodeNode(proto: NodeProto, decoding: Decoding, scope: Scope): Promise<Node> {
  const { reasons } = decoding;
  const domain = isStandard(proto) ? "" : proto.domain;
  const label = `${proto.opType} node "${proto.name || (proto.output[0] ?? "")}"`;
  if (domain === "" && isControlFlow(proto.opType)) reasons.push(controlFlow(label));
  const attributes = new Map<string, Attribute>();
  for (const attribute of proto.attribute) {
    const value = await decodeAttribute(attribute, decoding, scope);
    if (typeof value === "string") reasons.push(`attribute "${attribute.name}" of the ${label} is ${value}`);
    else attributes.set(attribute.name, value);
  }
  const { opType: op, input: inputs, output: outputs } = proto;
  return { name: scopedName(proto), op, domain, inputs, outputs, attributes: Object.fromEntries(attributes) };
}

/**
 * The node's name within its module, as PyTorch's older exporter wrote it (`/layer1/layer1.0/conv1/Conv`): the newer one
 * keeps the modules in the metadata, as the Python list ['', 'layer1', 'layer1.0', 'layer1.0.conv1', 'conv2d'], operator last.
 */
function scopedName(proto: NodeProto): string {
  const list = proto.metadataProps.find((entry) => entry.key === "pkg.torch.onnx.name_scopes")?.value ?? "";
  const scopes = [...list.matchAll(/'([^']*)'/g)].slice(0, -1).flatMap((match) => match[1] || []);
  return scopes.length ? `/${scopes.join("/")}/${proto.name || proto.opType}` : proto.name;
}

/** The attribute, or what it is where the IR has no such kind. */
async function decodeAttribute(proto: AttributeProto, decoding: Decoding, scope: Scope): Promise<Attribute | string> {
  switch (proto.type || kindOf(proto)) {
    case Kind.FLOAT:
      return { kind: "float", value: proto.f };
    case Kind.INT:
      return { kind: "int", value: Number(proto.i) };
    case Kind.STRING:
    case Kind.STRINGS:
      return texts(proto);
    case Kind.FLOATS:
      return { kind: "floats", value: proto.floats };
    case Kind.INTS:
      return { kind: "ints", value: proto.ints.map(Number) };
    case Kind.TENSOR: {
      if (!proto.t) return "an empty tensor";
      const tensor = await readTensor(proto.t, decoding.file, proto.t.name || proto.name);
      return isUnreadable(tensor) ? tensor.unreadable : { kind: "tensor", value: await inMemory(tensor) };
    }
    case Kind.GRAPH:
      return proto.g ? { kind: "graph", value: await decodeGraph(proto.g, decoding, scope) } : "an empty graph";
    default:
      return proto.refAttrName
        ? `a reference to "${proto.refAttrName}" outside a function`
        : "of a kind that is not read";
  }
}

/** Some operators keep bytes of their own in a string. */
function texts(proto: AttributeProto): Attribute | string {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    if (proto.strings.length || proto.type === Kind.STRINGS)
      return { kind: "strings", value: proto.strings.map((bytes) => decoder.decode(bytes)) };
    return { kind: "string", value: decoder.decode(proto.s) };
  } catch {
    return "no text but bytes";
  }
}

/** Files before IR version 2 leave the kind out. */
function kindOf(proto: AttributeProto): number {
  if (proto.t) return Kind.TENSOR;
  if (proto.g) return Kind.GRAPH;
  if (proto.floats.length) return Kind.FLOATS;
  if (proto.ints.length) return Kind.INTS;
  if (proto.strings.length) return Kind.STRINGS;
  if (proto.s.length) return Kind.STRING;
  if (proto.f !== 0) return Kind.FLOAT;
  return Kind.INT;
}

async function inMemory(constant: Constant): Promise<Tensor> {
  if (!("stored" in constant)) return constant;
  const { source, offset, length } = constant.stored;
  return fromBytes(constant.type, constant.dims, await source.read(offset, length));
}

/** The value of a Constant node, in any of the forms the operator has. */
async function constantValue(node: NodeProto, file: ModelSource, name: string): Promise<Constant | Unreadable> {
  const [attribute] = node.attribute;
  if (!name || !attribute)
    throw new ConvlensError(
      "model-invalid",
      `the Constant node "${node.name || name}" of ${file.source.name} has no value`,
    );
  switch (attribute.name) {
    case "value":
      if (attribute.t) return readTensor(attribute.t, file, name);
      break;
    case "value_float":
      return { type: "float32", dims: [], data: Float32Array.of(attribute.f) };
    case "value_floats":
      return { type: "float32", dims: [attribute.floats.length], data: Float32Array.from(attribute.floats) };
    case "value_int":
      return { type: "int64", dims: [], data: BigInt64Array.of(attribute.i) };
    case "value_ints":
      return { type: "int64", dims: [attribute.ints.length], data: BigInt64Array.from(attribute.ints) };
  }
  return { unreadable: `the Constant "${name}" has a ${attribute.name}, which is no plain tensor` };
}

/** Type and shape of a value, where the IR can say them; open axes are `null`. */
function valueInfo(proto: ValueInfoProto): ValueInfo | undefined {
  const tensor = proto.type?.value.case === "tensorType" ? proto.type.value.value : undefined;
  const type = tensor && elementTypeOf(tensor.elemType);
  if (!type || !tensor.shape) return undefined;
  // Some exporters write -1 for an axis they leave open.
  const shape = tensor.shape.dim.map(
    ({ value }): Dimension => (value.case === "dimValue" && value.value >= 0n ? Number(value.value) : null),
  );
  return { type, shape };
}

function whyUntyped(proto: ValueInfoProto): string {
  const kind = proto.type?.value;
  if (kind?.case !== "tensorType") return "is no tensor";
  return elementTypeOf(kind.value.elemType) ? "has no shape" : `has elements of ${typeName(kind.value.elemType)}`;
}
