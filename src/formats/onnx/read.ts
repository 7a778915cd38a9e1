/** Reads an ONNX file into a `ModelFile`: its skeleton, decoded, functions and settled branches inlined, brought to the IR's opset. */
import { fromBinary } from "@bufbuild/protobuf";
import { ConvlensError } from "../../core/errors.ts";
import type { ByteSource } from "../../core/platform.ts";
import type { Graph } from "../../graph/graph.ts";
import type { ModelFile } from "../format.ts";
import { inlineBranches } from "./branches.ts";
import { controlFlow, type Decoding, decodeGraph } from "./decode.ts";
import { inlineFunctions } from "./functions.ts";
import { LAYERS_KEY, parseLayers } from "./layers.ts";
import { inputLayout } from "./layout.ts";
import { type ModelProto, ModelProtoSchema } from "./onnx_pb.ts";
import { toIrOpset } from "./opset/index.ts";
import { keepPadsBeforePools } from "./pools.ts";
import { skeleton } from "./skeleton.ts";

/** Throws `model-invalid`, `model-unsupported` (too much of it is no weights), `file-truncated` or `file-missing`, each naming the place. */
export async function readOnnx(source: ByteSource): Promise<ModelFile> {
  const proto = decodeModel(await skeleton(source), source.name);
  const graphProto = proto.graph;
  if (!graphProto) throw new ConvlensError("model-invalid", `${source.name} holds no graph; export the model again`);
  if (!graphProto.output.length || !graphProto.node.length)
    throw new ConvlensError("model-invalid", `${source.name} holds an empty graph; export the model again`);
  const opset = opsetOf(proto);
  inlineFunctions(graphProto, proto.functions, source.name);

  const decoding: Decoding = { file: { source, external: new Map() }, reasons: [] };
  for (const f of proto.functions) {
    const own = f.opsetImport.find((entry) => isDefault(entry.domain));
    if (own && Number(own.version) !== opset)
      decoding.reasons.push(`its function "${f.name}" is of opset ${own.version}, the model of ${opset}`);
  }
  const raw = await decodeGraph(graphProto, decoding, () => false);
  const { graph, notes, opaque } = convert(raw, opset, decoding.reasons[0]);

  const metadata = Object.fromEntries(proto.metadataProps.map((entry) => [entry.key, entry.value]));
  const table = metadata[LAYERS_KEY] === undefined ? undefined : parseLayers(metadata[LAYERS_KEY], graph, source.name);
  return {
    format: "onnx",
    description: describe(proto, opset),
    source,
    graph,
    ...(opaque === undefined ? {} : { opaque }),
    sourceLayout: table?.sourceLayout ?? (graph.inputs.some((i) => inputLayout(graph, i) === "NHWC") ? "NHWC" : "NCHW"),
    ...(table ? { layers: table.layers } : {}),
    metadata,
    notes,
  };
}

function decodeModel(bytes: Uint8Array, name: string): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes, { readUnknownFields: false });
  } catch (error) {
    throw new ConvlensError("model-invalid", `${name} is damaged: its model cannot be decoded; get the file again`, {
      cause: error,
    });
  }
}

const isDefault = (domain: string): boolean => domain === "" || domain === "ai.onnx";

/** Files without a list of opsets are of the first. */
function opsetOf(proto: ModelProto): number {
  const versions = proto.opsetImport.filter((entry) => isDefault(entry.domain)).map((entry) => Number(entry.version));
  return versions.reduce((newest, version) => Math.max(newest, version), versions[0] ?? 1);
}

function convert(
  raw: Graph,
  opset: number,
  reason: string | undefined,
): { graph: Graph; notes: readonly string[]; opaque: string | undefined } {
  if (reason !== undefined) return { graph: raw, notes: [], opaque: reason };
  try {
    const { graph: converted, notes } = toIrOpset(raw, opset);
    const graph = keepPadsBeforePools(inlineBranches(converted));
    const left = graph.nodes.find(({ op, domain }) => op === "If" && domain === "");
    if (left)
      return { graph: raw, notes: [], opaque: controlFlow(`If node "${left.name || (left.outputs[0] ?? "")}"`) };
    return { graph, notes, opaque: undefined };
  } catch (error) {
    if (!(error instanceof ConvlensError) || error.code !== "model-unsupported") throw error;
    return { graph: raw, notes: [], opaque: error.message };
  }
}

function describe(proto: ModelProto, opset: number): string {
  const words = `${proto.producerName} ${proto.producerVersion}`.replace(/[^\x20-\x7e]/g, "").trim();
  return `ONNX, opset ${opset}${words ? `, written by ${words.slice(0, 80)}` : ""}`;
}
