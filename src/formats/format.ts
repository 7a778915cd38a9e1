/** What a format reader is, and what it gives. */
import type { Layout } from "../core/layers.ts";
import type { ByteSource } from "../core/platform.ts";
import type { Graph } from "../graph/graph.ts";

/** A layer as a file's own table names it; shapes, parameters and costs are worked out by the model. */
export interface LayerRecord {
  readonly name: string;
  readonly class: string;
  readonly output: string;
  readonly layout?: Layout;
  readonly inputs: readonly string[];
  /** The nested model that the layer is part of, by its own row's name. */
  readonly within?: string;
  readonly weights: readonly {
    readonly name: string;
    readonly value: string;
    readonly axes?: readonly number[];
    readonly trainable?: boolean;
  }[];
  readonly trainable?: boolean;
}

/** A model file, opened. */
export interface ModelFile {
  /** `onnx`, `keras-h5` … */
  readonly format: string;
  /** For people: "ONNX, opset 13, written by pytorch 2.4". */
  readonly description: string;
  readonly source: ByteSource;
  readonly graph: Graph;
  /**
   * Why methods may not look inside, where the file cannot be brought to the IR (control flow, operators newer than the
   * IR's opset …). `graph` then holds the inputs, outputs and what else is known; the engine runs the file's own bytes.
   */
  readonly opaque?: string;
  readonly sourceLayout: Layout;
  /** The file's own layer table, where it carries one. */
  readonly layers?: readonly LayerRecord[];
  /** Types of whole numbers that the author gave inputs, by name, where the graph takes float32 in their place. */
  readonly declared?: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
  /** What the reader had to change or assume. */
  readonly notes: readonly string[];
}

export interface ReadOptions {
  /** The network's architecture (Keras' `model.to_json()`), for files that hold weights alone. */
  readonly architecture?: ByteSource;
}

export interface Format {
  readonly id: string;
  readonly title: string;
  /** Looks at the first bytes (up to 4 KiB) and the name; reads nothing else. */
  match(head: Uint8Array, name: string): boolean;
  read(source: ByteSource, options?: ReadOptions): Promise<ModelFile>;
}
