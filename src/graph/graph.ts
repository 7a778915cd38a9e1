/**
 * The intermediate representation: a graph of ONNX operators (domain ai.onnx, opset 21) as plain readonly data.
 * A value is named by a string, unique in the graph; "" stands for an absent optional input.
 */
import type { ByteSource } from "../core/platform.ts";
import type { ElementType, Tensor } from "../core/tensor.ts";

/** The one opset the IR speaks. */
export const OPSET = 21;

/** The most axes of a value, NumPy's limit: a file may ask for thousands, at a cost that grows with each. */
export const MOST_AXES = 64;

/** `null` is the free batch axis (or, before shapes are inferred, any axis the file leaves open). */
export type Dimension = number | null;
export type Shape = readonly Dimension[];

/** Attributes keep ONNX's types: an int 1 and a float 1 are different things. */
export type Attribute =
  | { readonly kind: "int"; readonly value: number }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "ints"; readonly value: readonly number[] }
  | { readonly kind: "floats"; readonly value: readonly number[] }
  | { readonly kind: "strings"; readonly value: readonly string[] }
  | { readonly kind: "tensor"; readonly value: Tensor }
  | { readonly kind: "graph"; readonly value: Graph };

export interface Node {
  /** The author's name, or "" */
  readonly name: string;
  readonly op: string;
  /** "" is ai.onnx. Operators of other domains run in the engine, and methods that must look inside refuse them. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** A weight that stays in its file: `length` bytes, little-endian, C order, at `offset` of `source`. */
export interface StoredTensor {
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly stored: { readonly source: ByteSource; readonly offset: number; readonly length: number };
}
/** A weight or other constant: in memory when small or made here, else in the user's file. */
export type Constant = Tensor | StoredTensor;

export interface ValueInfo {
  readonly type: ElementType;
  readonly shape: Shape;
}

export interface Graph {
  readonly name: string;
  /** Names of the inputs that must be fed (initializers with the same name as an input are constants). */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** In topological order. */
  readonly nodes: readonly Node[];
  readonly constants: ReadonlyMap<string, Constant>;
  /** Types and shapes as far as they are known; complete after `inferShapes`. Inputs are always there. */
  readonly values: ReadonlyMap<string, ValueInfo>;
}
