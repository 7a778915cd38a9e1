/** The one door to a network: layers, run, predict. Methods see this, never a session, a file or a page. */
import type { Layer, Layout } from "../core/layers.ts";
import type { Picture } from "../core/picture.ts";
import type { RunOptions } from "../core/platform.ts";
import type { ClassScore } from "../core/result.ts";
import type { Tensor } from "../core/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import type { Preprocessing } from "./card.ts";

export interface ModelInput {
  readonly name: string;
  /** In source layout; `null` is the batch axis. */
  readonly shape: readonly (number | null)[];
  /** Of rank-4 inputs, as the file declares them; feeds use it. */
  readonly layout: Layout;
  readonly type: string;
}

/** Ready input tensors: one for a network with one input, or by input name. In source layout, batch axis included. */
export type Feeds = Tensor | Readonly<Record<string, Tensor>>;

/** The photograph as the network gets it. */
export interface Prepared {
  readonly tensor: Tensor<"float32">;
  /** The picture after resizing and cropping, before scale and mean: what the network saw. */
  readonly seen: Picture;
}

export interface Label {
  readonly name: string;
  readonly wnid?: string;
}

export interface Model {
  readonly name: string;
  /** Format and origin, for people. */
  readonly description: string;
  /** The IR; see `ModelFile.opaque`. */
  readonly graph: Graph;
  readonly opaque: string | undefined;
  readonly sourceLayout: Layout;
  readonly inputs: readonly ModelInput[];
  /** The first input: the picture, for an image network. */
  readonly input: ModelInput;
  readonly preprocessing: Preprocessing;
  readonly labels: readonly Label[] | undefined;
  /** What was chosen without being asked for, each with how to choose otherwise. */
  readonly notes: readonly string[];
  /** Those of `notes` that are about the file itself, not about how pictures and classes are treated. */
  readonly fileNotes: readonly string[];
  readonly engineName: string;

  /** The layer table with shapes and costs; worked out once, on first use. */
  layers(): Promise<readonly Layer[]>;
  /** The layers a name, a pattern (`conv*`), `first:8` or `all` means, in graph order. Throws `layer-unknown` with the nearest names. */
  findLayers(patterns: string | readonly string[]): Promise<readonly Layer[]>;
  /** SHA-256 of the file; worked out once, on first use. */
  sha256(): Promise<string>;
  /** Resizes, crops and scales a picture. */
  prepare(picture: Picture): Prepared;
  /** One pass. `outputs` names layers or graph values; absent: the network's outputs. Results are in source layout. */
  run(
    feeds: Feeds,
    options?: RunOptions & { readonly outputs?: readonly string[] },
  ): Promise<Record<string, Tensor<"float32">>>;
  /** Scores of every picture of the batch, best first, and the head's vectors. */
  predict(feeds: Feeds, options?: RunOptions & { readonly top?: number }): Promise<readonly ModelPrediction[]>;
  /** A weight in its framework's shape, as float32. */
  weight(layer: Layer, name: string): Promise<Tensor<"float32"> | undefined>;
  /** Frees all sessions. */
  release(): Promise<void>;
}

export interface ModelPrediction {
  readonly predictions: readonly ClassScore[];
  readonly output: readonly number[];
  readonly notes: readonly string[];
}
