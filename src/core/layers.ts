/** The layer table: what a network's author would name. Read from a file's own table, or derived from its operators. */
import type { ElementType } from "./tensor.ts";

/** Axis order of rank-4 values: Keras and TensorFlow store NHWC, PyTorch and ONNX NCHW. */
export type Layout = "NCHW" | "NHWC";

export interface LayerWeight {
  /** As the framework names it: kernel, bias, gamma … */
  readonly name: string;
  /** The graph value that holds it. */
  readonly value: string;
  /** The transposition from the stored array to the framework's shape; absent: as stored. */
  readonly axes?: readonly number[];
  /** Batch-norm statistics are false. */
  readonly trainable: boolean;
  /** In the framework's shape. */
  readonly shape: readonly number[];
  readonly type: ElementType;
}

export interface Layer {
  readonly name: string;
  /** Keras class, PyTorch-like class or ONNX operator: Conv2D, Conv, … */
  readonly class: string;
  /** The graph value that is this layer's output. */
  readonly output: string;
  /** Axis order in which the graph stores that value. */
  readonly layout: Layout;
  /** Output shape in source layout; `null` is the batch axis. Empty when the rank is unknown. */
  readonly shape: readonly (number | null)[];
  /** Preceding layers, or the network's inputs. */
  readonly inputs: readonly string[];
  /** The nested model that the layer is part of: the name of that model's own row, which has all its parameters. */
  readonly within?: string;
  /** The name is a path of modules that the exporter wrote (`/layer4/layer4.0/conv1/Conv`): tables may group by it. */
  readonly isPath?: true;
  readonly weights: readonly LayerWeight[];
  readonly parameters: number;
  /** Multiply-adds for one picture. */
  readonly multiplyAdds: number;
}
