/** TensorProto to the IR's constants: raw and typed data in memory, large payloads and external files by reference. */
import { ConvlensError } from "../../core/errors.ts";
import type { ByteSource } from "../../core/platform.ts";
import { arrayTypes, bytesPerElement, type ElementType, fromBytes, type Tensor } from "../../core/tensor.ts";
import { elementTypeOf } from "../../graph/element-types.ts";
import { type Constant, MOST_AXES } from "../../graph/graph.ts";
import { type TensorProto, TensorProto_DataLocation, TensorProto_DataType } from "./onnx_pb.ts";
import { IN_MEMORY, payloads, STORED } from "./skeleton.ts";

/** The name of an element type that the IR does not carry, for messages. */
export const typeName = (type: number): string =>
  Object.entries(TensorProto_DataType)
    .find(([, value]) => value === type)?.[0]
    ?.toLowerCase() ?? `type ${type}`;

/** A tensor that the IR cannot carry, and why. */
export interface Unreadable {
  readonly unreadable: string;
}

/** The model's file and, by location, the files beside it that hold weights. */
export interface ModelSource {
  readonly source: ByteSource;
  readonly external: Map<string, ByteSource>;
}

/** Throws `model-invalid` where data and shape contradict each other, `file-missing` for an absent external file. */
export async function readTensor(proto: TensorProto, file: ModelSource, name: string): Promise<Constant | Unreadable> {
  const type = elementTypeOf(proto.dataType);
  if (!type) return { unreadable: `tensor "${name}" has elements of ${typeName(proto.dataType)}` };
  if (proto.segment) return { unreadable: `tensor "${name}" is cut into segments` };
  const where = `tensor "${name}" of ${file.source.name}`;
  if (proto.dims.length > MOST_AXES)
    throw new ConvlensError("model-invalid", `${where} has ${proto.dims.length} axes, expected at most ${MOST_AXES}`);
  const shape = proto.dims.join(", ");
  if (proto.dims.some((n) => n < 0n)) throw new ConvlensError("model-invalid", `${where} has the shape [${shape}]`);
  const elements = proto.dims.reduce((product, n) => product * n, 1n);
  const needed = elements * BigInt(bytesPerElement(type));
  const check = (bytes: number | bigint, atLeast = false): void => {
    if (BigInt(bytes) === needed || (atLeast && BigInt(bytes) > needed)) return;
    throw new ConvlensError(
      "model-invalid",
      `${where}: its shape [${shape}] of ${type} needs ${needed} bytes, its data has ${bytes}; the file is damaged, get it or export it again`,
    );
  };
  const dims = proto.dims.map(Number);

  const stored = proto.externalData.find((entry) => entry.key === STORED);
  if (stored) {
    const [field, offset, length] = stored.value.split(" ").map(Number) as [number, number, number];
    if ((field === payloads.floats && type !== "float32") || (field === payloads.doubles && type !== "float64"))
      throw new ConvlensError("model-invalid", `${where} is of ${type} but holds data of another type`);
    // The entry is the skeleton's own, unless a file wrote one to lead the reader astray.
    if (![offset, length].every((n) => Number.isSafeInteger(n) && n >= 0) || offset + length > file.source.size)
      throw new ConvlensError("model-invalid", `${where} lies outside the file`);
    check(length);
    return { type, dims, stored: { source: file.source, offset, length } };
  }
  if (proto.dataLocation === TensorProto_DataLocation.EXTERNAL) {
    const { source, offset, length } = await externalRange(proto, file, where);
    check(length, true);
    const size = Number(needed);
    if (size > IN_MEMORY) return { type, dims, stored: { source, offset, length: size } };
    return fromBytes(type, dims, (await source.read(offset, size)).slice());
  }
  if (proto.rawData.length > 0) {
    check(proto.rawData.length);
    return fromBytes(type, dims, proto.rawData.slice());
  }
  const data = typedData(proto, type);
  if (BigInt(data.length) !== elements) check(data.length * bytesPerElement(type));
  return { type, dims, data: fill(type, data) } as Tensor;
}

/** Small types travel in `int32_data`, uint32 in `uint64_data` (onnx.proto, TensorProto). */
function typedData(proto: TensorProto, type: ElementType): readonly (number | bigint)[] {
  if (type === "float32") return proto.floatData;
  if (type === "float64") return proto.doubleData;
  if (type === "int64") return proto.int64Data;
  if (type === "uint32" || type === "uint64") return proto.uint64Data;
  return proto.int32Data;
}

/** Values out of the type's range wrap, as typed arrays do. */
function fill(type: ElementType, values: readonly (number | bigint)[]): Tensor["data"] {
  const data = new arrayTypes[type](values.length);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) data.set(values as bigint[]);
  else for (let i = 0; i < values.length; i++) data[i] = Number(values[i]);
  return data;
}

async function externalRange(
  proto: TensorProto,
  file: ModelSource,
  where: string,
): Promise<{ source: ByteSource; offset: number; length: number }> {
  const entry = (key: string): string | undefined => proto.externalData.find((e) => e.key === key)?.value;
  const number = (key: string): number | undefined => {
    const text = entry(key);
    if (text === undefined || text === "") return undefined;
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!Number.isSafeInteger(value))
      throw new ConvlensError("model-invalid", `${where}: ${key} of its external data is "${text}", not a number`);
    return value;
  };
  const location = entry("location");
  if (!location) throw new ConvlensError("model-invalid", `${where}: its external data names no file`);
  const source = await externalFile(location, file, where);
  const offset = number("offset") ?? 0;
  const length = number("length") ?? Math.max(0, source.size - offset);
  if (offset + length > source.size)
    throw new ConvlensError(
      "model-invalid",
      `${where}: its data lies at ${offset}..${offset + length} of ${location}, which has ${source.size} bytes; get both files again`,
    );
  return { source, offset, length };
}

async function externalFile(location: string, file: ModelSource, where: string): Promise<ByteSource> {
  const known = file.external.get(location);
  if (known) return known;
  const parts = location.split(/[/\\]/);
  if (/^[/\\]|^[a-z]:/i.test(location) || parts.includes("..") || location.includes("\0"))
    throw new ConvlensError(
      "model-invalid",
      `${where}: its data is said to be in "${location}", outside the model's folder; put the weights beside the model and save it again`,
    );
  const source = await file.source.sibling(location);
  if (!source) {
    const folder = file.source.path?.replace(/[/\\][^/\\]*$/, "");
    throw new ConvlensError(
      "file-missing",
      `${where}: its data is in "${location}", which is not ${folder === undefined ? "there" : `in the model's folder ${folder}`}; put that file beside ${file.source.name}`,
    );
  }
  file.external.set(location, source);
  return source;
}
