/**
 * What a Keras layer is to the code that emits it: its configuration and weights as the file gives them, one call with
 * its arguments, and the graph under construction. The files below `layers/` see nothing else of Keras' file formats.
 *
 * Values between layers: whatever has four axes is stored NCHW in the graph (Keras' NHWC is turned once, behind the
 * input); values of any other rank are stored in Keras' own order. Models that are channels_first are stored as they are.
 * All values are float32.
 */
import type { Layout } from "../../core/layers.ts";
import type { Builder } from "../../graph/builder.ts";
import type { Constant, Shape } from "../../graph/graph.ts";
import type { LayerRecord } from "../format.ts";

export type Config = Readonly<Record<string, unknown>>;

export interface KerasLayer {
  /** The full path: `vgg16/block5_conv3`. */
  readonly name: string;
  readonly className: string;
  readonly config: Config;
  /** In Keras' own order and shapes, of any float type. */
  readonly weights: readonly Constant[];
  /** `kernel`, `bias` … beside `weights`, without path and `:0`; "" where the file numbers them (.keras). */
  readonly weightNames: readonly string[];
}

/** An argument of a call: a value of the graph, a slice, or what JSON holds. */
export type Argument =
  | null
  | boolean
  | number
  | string
  | readonly Argument[]
  | { readonly kind: "value"; readonly value: string }
  | { readonly kind: "slice"; readonly start: Argument; readonly stop: Argument; readonly step: Argument }
  | { readonly kind: "object"; readonly fields: Config };

/** One call of a layer: all values it is given in order, and the arguments themselves, which operations (`x + 3`) need. */
export interface LayerCall {
  readonly inputs: readonly string[];
  readonly args: readonly Argument[];
  readonly kwargs: Readonly<Record<string, Argument>>;
}

export interface EmitContext {
  /** The graph under construction; fresh names and node names begin with the layer's. */
  readonly build: Builder;
  readonly fileName: string;
  /** Major version of the Keras that wrote the file (1, 2, 3): hard_sigmoid, for one, is another function in Keras 3. */
  readonly kerasVersion: number;
  /** The order of axes of the model's own rank-4 values. */
  readonly sourceLayout: Layout;
  /** A value's axes as the graph stores them (rank 4: NCHW); `null` is the batch, and sides that the model leaves open. */
  shapeOf(value: string): Shape;
  /** The same in Keras' order. */
  kerasShapeOf(value: string): Shape;
  /** The value in Keras' order of axes: rank 4 gets a Transpose (or the one that made it is skipped). */
  toKeras(value: string): string;
  /** Brings a value in Keras' order to the stored one. */
  fromKeras(value: string): string;
  /** An axis of Keras' order (negative counts from the end) as the graph stores it. */
  storedAxis(axis: number, rank: number): number;
  /**
   * A weight as float32 value of the graph: the constant, then Cast, Transpose and Reshape nodes as needed. The engine
   * folds them, so no weight passes through JavaScript. Equal wishes give the same value.
   */
  constant(weight: Constant, wish?: { readonly axes?: readonly number[]; readonly shape?: readonly number[] }): string;
  /**
   * The rows of the layer table for the layer's weights: one name for each, in order; `~` before a name marks one that
   * training does not change by gradients (moving_mean). Throws `model-invalid` where the file holds another number.
   */
  weightRecords(layer: KerasLayer, names: readonly string[]): LayerRecord["weights"];
  /** Throws `model-unsupported` naming layer, class and file; `what` reads after "layer "x" (Class) of FILE". */
  refuse(layer: KerasLayer, what: string): never;
  /** Throws `model-invalid` in the same way: the file contradicts itself. */
  invalid(layer: KerasLayer, what: string): never;
}

/**
 * Appends one call of a layer and gives its outputs, the layer's own output first. `layers/index.ts` exports them as
 * `emitters: Readonly<Record<string, LayerEmitter>>` by class name (operations too: `TFOpLambda`, Keras 3's `Multiply` …).
 */
export type LayerEmitter = (
  layer: KerasLayer,
  call: LayerCall,
  context: EmitContext,
) => { readonly outputs: readonly string[]; readonly weights: LayerRecord["weights"] };
