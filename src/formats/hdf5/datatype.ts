/** The datatypes of HDF5 that weights and Keras' attributes have. */
import type { ElementType } from "../../core/tensor.ts";
import type { Region } from "../region.ts";
import { type Cursor, damaged } from "./bytes.ts";

export type Datatype =
  | { readonly kind: "number"; readonly size: number; readonly type: ElementType }
  /** Text of a fixed length. */
  | { readonly kind: "text"; readonly size: number }
  /** Text of any length, in the global heap. */
  | { readonly kind: "heap-text"; readonly size: number }
  /** Bytes without a meaning: bfloat16 is written so. */
  | { readonly kind: "opaque"; readonly size: number }
  | { readonly kind: "other"; readonly size: number; readonly what: string };

const unsignedTypes: ReadonlyMap<number, ElementType> = new Map([
  [1, "uint8"],
  [2, "uint16"],
  [4, "uint32"],
  [8, "uint64"],
]);
/** By size and bits of the exponent. */
const floatTypes: ReadonlyMap<string, ElementType> = new Map([
  ["2:5", "float16"],
  ["2:8", "bfloat16"],
  ["4:8", "float32"],
  ["8:11", "float64"],
]);
const classes = ["", "", "time", "", "bit field", "", "compound", "reference", "enumeration", "list", "array"];

/** Parses a datatype message. Kinds that no weight has become `other`. */
export function parseDatatype(from: Cursor, region: Region): Datatype {
  const head = from.uint(1);
  const [kind, version] = [head & 15, head >> 4];
  if (version < 1 || version > 4) throw damaged(region, `a datatype of version ${version}`);
  const flags = from.uint(1);
  from.skip(2);
  const size = from.uint(4);
  const other = (what: string): Datatype => ({ kind: "other", size, what });
  if (kind === 0) {
    if (flags & 1) return other("big-endian integers");
    const type = unsignedTypes.get(size);
    if (!type) return other(`integers of ${size} bytes`);
    return { kind: "number", size, type: flags & 8 ? (type.slice(1) as ElementType) : type };
  }
  if (kind === 1) {
    if (flags & 0x41) return other("big-endian numbers");
    from.skip(5);
    const exponent = from.uint(1);
    const type = floatTypes.get(`${size}:${exponent}`);
    return type ? { kind: "number", size, type } : other(`floating-point numbers of ${size} bytes`);
  }
  if (kind === 3) return { kind: "text", size };
  if (kind === 5) return { kind: "opaque", size };
  if (kind === 8) {
    // h5py's bool: an enumeration of int8.
    const base = parseDatatype(from, region);
    return base.kind === "number" && base.size === size ? base : other("an enumeration");
  }
  if (kind === 9 && (flags & 15) === 1) return { kind: "heap-text", size };
  return other(`${classes[kind] || "unknown"} data`);
}
