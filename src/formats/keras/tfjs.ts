/** Reads TensorFlow.js layers models: `model.json` with the architecture, and shards of weights beside it. */
import { ConvlensError } from "../../core/errors.ts";
import type { ByteSource } from "../../core/platform.ts";
import { bytesPerElement, type ElementType, fromBytes, sizeOf, type Tensor } from "../../core/tensor.ts";
import type { Constant } from "../../graph/graph.ts";
import type { ModelFile } from "../format.ts";
import { type Fields, isCount, isFields, isText, parseJson } from "./json.ts";
import { makeModelFile } from "./read.ts";
import { assignNamed, type NamedWeight, type WeightTable } from "./weights.ts";

const LARGEST_JSON = 64 * 2 ** 20;
const types: readonly string[] = ["float32", "float16", "int32", "uint8", "uint16", "int8", "int16", "bool"];

const damaged = (file: string, what: string): ConvlensError =>
  new ConvlensError("model-invalid", `"${file}" is damaged: ${what}; convert the model again`);

/** Throws `file-missing` for shards that are not there, `file-truncated`, `model-invalid` and `model-unsupported`. */
export async function readTfjs(source: ByteSource): Promise<ModelFile> {
  const { name } = source;
  if (source.size > LARGEST_JSON) throw damaged(name, `${source.size} bytes of JSON`);
  const json = parseJson(new TextDecoder().decode(await source.read(0, source.size)), `"${name}"`);
  const fields: Fields = isFields(json) ? json : {};
  const topology = fields.modelTopology;
  if (!isFields(topology)) throw damaged(name, "it has no modelTopology");
  const inner = isFields(topology.model_config) ? topology.model_config : topology;
  const version = isText(topology.keras_version) ? topology.keras_version : "";
  if (!Array.isArray(fields.weightsManifest))
    throw new ConvlensError(
      "model-invalid",
      `"${name}" holds an architecture without weights (weightsManifest); save the model again`,
    );
  const groups = fields.weightsManifest.map((group, i) => readGroup(group, i, name));
  const title = "TensorFlow.js layers model";
  return makeModelFile("tfjs", title, source, { model: inner, version, notes: [] }, async (network) => {
    const weights: NamedWeight[] = [];
    for (const group of groups) weights.push(...(await groupWeights(group, source)));
    const table: WeightTable = new Map();
    assignNamed(table, network, "", weights, name);
    return table;
  });
}

interface Weight {
  readonly name: string;
  readonly dims: readonly number[];
  /** As the shards hold it. */
  readonly type: ElementType;
  /** value * scale + min */
  readonly linear?: { readonly scale: number; readonly min: number };
}

interface Group {
  readonly paths: readonly string[];
  readonly weights: readonly Weight[];
}

function readGroup(group: unknown, index: number, file: string): Group {
  if (!isFields(group) || !Array.isArray(group.paths) || !group.paths.every(isText) || !Array.isArray(group.weights))
    throw damaged(file, `group ${index} of weightsManifest has no paths and weights`);
  return { paths: group.paths, weights: group.weights.map((weight) => readWeight(weight, file)) };
}

function readWeight(weight: unknown, file: string): Weight {
  if (!isFields(weight) || !isText(weight.name)) throw damaged(file, "a weight has no name");
  const { name, shape, dtype, quantization } = weight;
  const fail = (what: string): ConvlensError => damaged(file, `the weight "${name}" ${what}`);
  if (!Array.isArray(shape) || !shape.every(isCount) || !(sizeOf(shape) < 2 ** 40))
    throw fail(`has the shape ${JSON.stringify(shape)?.slice(0, 60)}`);
  const packed = isFields(quantization) ? quantization : undefined;
  const type = packed?.dtype ?? dtype;
  if (!isText(type) || !types.includes(type))
    throw new ConvlensError(
      "model-unsupported",
      `"${file}": the weight "${name}" is ${JSON.stringify(type)}, expected ${types.join(", ")}`,
    );
  const plain = { name, dims: shape, type: type as ElementType };
  if (!packed || type === "float16") return plain;
  const { scale, min } = packed;
  if (typeof scale !== "number" || typeof min !== "number") throw fail("is quantised without scale and min");
  return { ...plain, linear: { scale, min } };
}

/** A run of bytes of the shards, put end to end. */
interface Piece {
  readonly source: ByteSource;
  /** Where it begins among all bytes of the group. */
  readonly start: number;
}

async function groupWeights({ paths, weights }: Group, owner: ByteSource): Promise<readonly NamedWeight[]> {
  const pieces: Piece[] = [];
  let total = 0;
  for (const path of paths) {
    const source = await owner.sibling(path);
    if (!source)
      throw new ConvlensError(
        "file-missing",
        `"${owner.name}" names its weights "${path}", which is not beside it: put all files of the model into one folder, or give them together`,
      );
    pieces.push({ source, start: total });
    total += source.size;
  }
  const wanted = weights.reduce((sum, weight) => sum + sizeOf(weight.dims) * bytesPerElement(weight.type), 0);
  if (wanted > total)
    throw new ConvlensError(
      "file-truncated",
      `"${owner.name}" needs ${wanted} bytes of weights and ${paths
        .map((path) => `"${path}"`)
        .join(", ")
        .slice(0, 200)} ` +
        `${paths.length === 1 ? "has" : "have"} ${total}; get ${paths.length === 1 ? "the file" : "the files"} again`,
    );
  const found: NamedWeight[] = [];
  let at = 0;
  for (const weight of weights) {
    const length = sizeOf(weight.dims) * bytesPerElement(weight.type);
    found.push({ name: weight.name, constant: await constantOf(weight, pieces, at, length) });
    at += length;
  }
  return found;
}

async function constantOf(
  { type, dims, linear }: Weight,
  pieces: readonly Piece[],
  at: number,
  length: number,
): Promise<Constant> {
  if (length === 0) return fromBytes(type, dims, new Uint8Array());
  const whole = pieces.find(({ source, start }) => at >= start && at + length <= start + source.size);
  if (whole && !linear) return { type, dims, stored: { source: whole.source, offset: at - whole.start, length } };
  const bytes = new Uint8Array(length);
  for (const { source, start } of pieces) {
    const [from, to] = [Math.max(at, start), Math.min(at + length, start + source.size)];
    if (from < to) bytes.set(await source.read(from - start, to - from), from - at);
  }
  const tensor = fromBytes(type, dims, bytes);
  return linear ? expanded(tensor, linear) : tensor;
}

/** Quantised weights in float32, in TensorFlow.js' own arithmetic: value * scale + min, rounded once. */
function expanded({ dims, data }: Tensor, { scale, min }: { scale: number; min: number }): Tensor {
  const out = new Float32Array(data.length);
  for (let i = 0; i < out.length; i++) out[i] = Number(data[i]) * scale + min;
  return { type: "float32", dims, data: out };
}
