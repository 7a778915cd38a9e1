/**
 * Writes the IR as ONNX: for the engine as a small proto whose big weights are references into the files that hold
 * them already, and as one self-contained file.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { ConvlensError } from "../../core/errors.ts";
import type { ByteSource, EngineModel, ExternalFile } from "../../core/platform.ts";
import { elementTypeNumbers } from "../../graph/element-types.ts";
import { type Attribute, type Constant, type Graph, type Node, OPSET, type StoredTensor } from "../../graph/graph.ts";
import {
  type AttributeProto,
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  AttributeProto_AttributeType as Kind,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "./onnx_pb.ts";

/** The IR version that came with opset 21. */
const IR_VERSION = 10n;
/** Protobuf's own limit for one message. */
const LARGEST_FILE = 2 ** 31 - 1;

/** How a constant that lies in a file is written. */
type Store = (constant: StoredTensor, proto: TensorProto) => void;

/**
 * The graph for an engine: weights that lie in files stay there. `files` names each of them; where the sources have
 * paths, a location is relative to the deepest folder that holds all of them. Types and shapes of inner values are left
 * out: the engine infers them.
 */
export function encodeGraph(
  graph: Graph,
  metadata: Readonly<Record<string, string>> = {},
): Extract<EngineModel, { kind: "graph" }> {
  const sources = new Set<ByteSource>();
  collectSources(graph, sources);
  const files = externalFiles([...sources]);
  const locations = new Map(files.map((file) => [file.source, file.location]));
  const store: Store = ({ stored }, proto) => {
    proto.dataLocation = TensorProto_DataLocation.EXTERNAL;
    const entries = { location: locations.get(stored.source)!, offset: stored.offset, length: stored.length };
    for (const [key, value] of Object.entries(entries))
      proto.externalData.push({ $typeName: "onnx.StringStringEntryProto", key, value: String(value) });
  };
  return { kind: "graph", bytes: encodeModel(graph, metadata, store, false), files };
}

/** One self-contained ONNX file, weights and known shapes inside. Throws `model-unsupported` above protobuf's 2 GiB. */
export async function writeOnnx(graph: Graph, metadata: Readonly<Record<string, string>> = {}): Promise<Uint8Array> {
  const total = constantBytes(graph);
  if (total > LARGEST_FILE)
    throw new ConvlensError(
      "model-unsupported",
      `the weights are ${(total / 2 ** 30).toFixed(1)} GiB and an ONNX file holds at most 2 GiB; keep the original file`,
    );
  const loaded = new Map<StoredTensor, Uint8Array>();
  await load(graph, loaded);
  const store: Store = (constant, proto) => {
    proto.rawData = loaded.get(constant)!;
  };
  return encodeModel(graph, metadata, store, true);
}

function encodeModel(
  graph: Graph,
  metadata: Readonly<Record<string, string>>,
  store: Store,
  withValues: boolean,
): Uint8Array {
  const domains = new Set<string>();
  collectDomains(graph, domains);
  const model = create(ModelProtoSchema, {
    irVersion: IR_VERSION,
    producerName: "convlens",
    opsetImport: [
      { domain: "", version: BigInt(OPSET) },
      ...[...domains].sort().map((domain) => ({ domain, version: domain === "ai.onnx.ml" ? 3n : 1n })),
    ],
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
  });
  model.graph = encodeGraphProto(graph, store, withValues);
  return toBinary(ModelProtoSchema, model);
}

function encodeGraphProto(graph: Graph, store: Store, withValues: boolean): GraphProto {
  const proto = create(GraphProtoSchema, { name: graph.name || "graph" });
  const edge = new Set([...graph.inputs, ...graph.outputs]);
  proto.input = graph.inputs.map((name) => encodeValue(graph, name, true));
  proto.output = graph.outputs.map((name) => encodeValue(graph, name, withValues));
  if (withValues)
    proto.valueInfo = [...graph.values.keys()].filter((n) => !edge.has(n)).map((n) => encodeValue(graph, n, true));
  const names = new Set<string>();
  proto.node = graph.nodes.map((node) => {
    // Engines refuse two nodes of one name, and take nodes without any.
    const isNew = node.name !== "" && !names.has(node.name);
    names.add(node.name);
    return encodeNode(node, isNew ? node.name : "", store, withValues);
  });
  proto.initializer = [...graph.constants].map(([name, constant]) => encodeConstant(name, constant, store));
  return proto;
}

function encodeNode(node: Node, name: string, store: Store, withValues: boolean): NodeProto {
  const proto = create(NodeProtoSchema, { opType: node.op, input: [...node.inputs], output: [...node.outputs] });
  if (name) proto.name = name;
  if (node.domain) proto.domain = node.domain;
  proto.attribute = Object.entries(node.attributes).map(([name, value]) =>
    encodeAttribute(name, value, store, withValues),
  );
  return proto;
}

function encodeAttribute(name: string, { kind, value }: Attribute, store: Store, withValues: boolean): AttributeProto {
  const proto = create(AttributeProtoSchema, { name });
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  const set = (type: AttributeProto["type"], fields: Partial<AttributeProto>): AttributeProto =>
    Object.assign(proto, { type }, fields);
  switch (kind) {
    case "int":
      return set(Kind.INT, { i: toInt64(value) });
    case "float":
      return set(Kind.FLOAT, { f: value });
    case "string":
      return set(Kind.STRING, { s: bytes(value) });
    case "ints":
      return set(Kind.INTS, { ints: value.map(toInt64) });
    case "floats":
      return set(Kind.FLOATS, { floats: [...value] });
    case "strings":
      return set(Kind.STRINGS, { strings: value.map(bytes) });
    case "tensor":
      return set(Kind.TENSOR, { t: encodeConstant("", value, store) });
    case "graph":
      return set(Kind.GRAPH, { g: encodeGraphProto(value, store, withValues) });
  }
}

/** Numbers hold no INT64_MAX: what was rounded up to 2^63 (an open end of Slice) goes back to the largest. */
function toInt64(value: number): bigint {
  const exact = BigInt(Math.trunc(value));
  return exact !== BigInt.asIntN(64, exact) ? (exact > 0n ? 2n ** 63n - 1n : -(2n ** 63n)) : exact;
}

function encodeConstant(name: string, constant: Constant, store: Store): TensorProto {
  const proto = create(TensorProtoSchema, {
    dims: constant.dims.map(BigInt),
    dataType: elementTypeNumbers[constant.type],
  });
  if (name) proto.name = name;
  if ("stored" in constant) store(constant, proto);
  else {
    const { buffer, byteOffset, byteLength } = constant.data;
    proto.rawData = new Uint8Array(buffer, byteOffset, byteLength);
  }
  return proto;
}

/** The type where it is known; the shape, axis by axis, with `null` left open. */
function encodeValue(graph: Graph, name: string, withShape: boolean): ValueInfoProto {
  const proto = create(ValueInfoProtoSchema, { name });
  const info = graph.values.get(name);
  if (!info) return proto;
  const dim = info.shape.map((n) => (n === null ? {} : { value: { case: "dimValue" as const, value: BigInt(n) } }));
  const tensor = { elemType: elementTypeNumbers[info.type], ...(withShape ? { shape: { dim } } : {}) };
  return create(ValueInfoProtoSchema, { name, type: { value: { case: "tensorType", value: tensor } } });
}

const subgraphsOf = (graph: Graph): Graph[] =>
  graph.nodes.flatMap((node) => Object.values(node.attributes).flatMap((a) => (a.kind === "graph" ? [a.value] : [])));

function collectSources(graph: Graph, sources: Set<ByteSource>): void {
  for (const constant of graph.constants.values()) if ("stored" in constant) sources.add(constant.stored.source);
  for (const inner of subgraphsOf(graph)) collectSources(inner, sources);
}

function collectDomains(graph: Graph, domains: Set<string>): void {
  for (const node of graph.nodes) if (node.domain) domains.add(node.domain);
  for (const inner of subgraphsOf(graph)) collectDomains(inner, domains);
}

function constantBytes(graph: Graph): number {
  const own = [...graph.constants.values()].reduce(
    (sum, constant) => sum + ("stored" in constant ? constant.stored.length : constant.data.byteLength),
    0,
  );
  return subgraphsOf(graph).reduce((sum, inner) => sum + constantBytes(inner), own);
}

async function load(graph: Graph, loaded: Map<StoredTensor, Uint8Array>): Promise<void> {
  for (const constant of graph.constants.values())
    if ("stored" in constant) {
      const { source, offset, length } = constant.stored;
      loaded.set(constant, await source.read(offset, length));
    }
  for (const inner of subgraphsOf(graph)) await load(inner, loaded);
}

/** A location for each source: its path below the folder they share, or its name, made unique. */
function externalFiles(sources: readonly ByteSource[]): ExternalFile[] {
  const folders = sources.flatMap(({ path }) => (path === undefined ? [] : [path.split(/[/\\]/).slice(0, -1)]));
  const [first = []] = folders;
  let shared = 0;
  while (shared < first.length && folders.every((folder) => folder[shared] === first[shared])) shared++;
  const taken = new Map<string, ByteSource>();
  return sources.map((source) => {
    const wanted = source.path === undefined ? source.name : source.path.split(/[/\\]/).slice(shared).join("/");
    const isTaken = (name: string): boolean => {
      const other = taken.get(name);
      return other !== undefined && (other.path === undefined || other.path !== source.path);
    };
    let location = wanted;
    for (let i = 1; isTaken(location); i++) location = `${i}-${wanted}`;
    taken.set(location, source);
    return { location, source };
  });
}
