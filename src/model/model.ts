/** The one door to a network: layers, run, predict. Methods see this, never a session, a file or a page. */

import type { Emitter } from "../autodiff/emitter.ts";
import type { Overlay } from "../autodiff/rule.ts";
import type { Layer, Layout } from "../core/layers.ts";
import type { Picture } from "../core/picture.ts";
import type { AnswerOptions, RunOptions } from "../core/platform.ts";
import type { ClassScore, ExplainedTarget } from "../core/result.ts";
import type { Tensor } from "../core/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import type { Preprocessing } from "./card.ts";
import type { Head } from "./heads.ts";

export interface ModelInput {
  readonly name: string;
  /** In source layout; `null` is the batch axis. */
  readonly shape: readonly (number | null)[];
  /** Of rank-4 inputs, as the file declares them; feeds use it. */
  readonly layout: Layout;
  readonly type: string;
  /** The type of whole numbers that the author gave it, where `type` is float32: tensors of such types are taken too. */
  readonly declared?: string;
}

/** Ready input tensors: one for a network with one input, or by input name. In source layout, batch axis included. */
export type Feeds = Tensor | Readonly<Record<string, Tensor>>;

/** The photograph as the network gets it. */
export interface Prepared {
  readonly tensor: Tensor<"float32">;
  /** The picture after resizing and cropping, before scale and mean: what the network saw. */
  readonly seen: Picture;
  /** Where `seen` lies on the photograph, in its pixels; with `pad` it reaches beyond the edges. */
  readonly region: Region;
}

/** A rectangle on a picture, in pixels from the upper left corner; may be fractional and may reach outside. */
export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Label {
  readonly name: string;
  readonly wnid?: string;
}

/** The score that is explained. Scores of a batch are differentiated picture by picture. */
export type Target =
  /** A class by its index, the same for all pictures; `top`: each picture's own best. The logit unless `of` says otherwise. */
  | { readonly class: number | "top"; readonly of?: "logit" | "probability" }
  /** A weighted sum of class scores, one weight a class: contrasts between classes. */
  | { readonly weights: readonly number[]; readonly of?: "logit" | "probability" }
  /** A channel of a layer: its mean over the map, or its value at (row, column). */
  | { readonly layer: string; readonly channel: number; readonly position?: readonly [number, number] }
  /** Any function of values of the graph: appends nodes and returns a value of one number a picture, shape [N] or [N, 1 …]. */
  | {
      readonly score: (emit: Emitter, head: HeadValues) => string;
      readonly label: string;
      /** The graph values that it reads, where they are known: what lies behind them is left out. */
      readonly reads?: readonly string[];
    };

/** The values that a head makes, as graph names. */
export interface HeadValues {
  readonly logits: string;
  readonly output: string;
}

export interface GradientOptions extends RunOptions, AnswerOptions {
  /** One or several; all share the forward pass. */
  readonly targets: readonly Target[];
  /**
   * What the scores are differentiated by: layers, graph values, inputs. Default: the first input. `value:NAME` is a
   * graph value even where a layer has that name, in the order of axes in which it is stored.
   */
  readonly wrt?: readonly string[];
  /** Layers or values to give back from the same pass. */
  readonly outputs?: readonly string[];
  /** Pictures of another height and width than the network's own: for channels of layers in its convolutional part. */
  readonly anySize?: boolean;
  /** Laid over the ordinary rules; keep one object for one overlay: sessions are cached by it. */
  readonly overlay?: Overlay;
  /** The caller takes turns between gradients and the network's own answers: neither's threads then keep the other's from the processor. */
  readonly inTurns?: true;
}

export interface Gradients {
  /** By target, in their order. */
  readonly targets: readonly {
    /** The score of each picture. */
    readonly scores: Float32Array;
    /** The class of each picture, for class targets: what `top` meant. */
    readonly classes: readonly number[] | undefined;
    /** The target in words, for each picture. */
    readonly explained: readonly ExplainedTarget[];
    /** By the name asked for, in source layout, the shape of the value itself. */
    readonly gradients: Readonly<Record<string, Tensor<"float32">>>;
  }[];
  /** What `outputs` asked for, in source layout. */
  readonly values: Readonly<Record<string, Tensor<"float32">>>;
  /** What a reader must know: quantised weights taken as numbers, rectifiers that an overlay left alone … */
  readonly notes: readonly string[];
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
  /** The mode of the preprocessing, where neither a call, a card nor the graph names one and it is only usual for such files. */
  readonly guessedMode?: string | undefined;
  readonly labels: readonly Label[] | undefined;
  /** What was chosen without being asked for, each with how to choose otherwise. */
  readonly notes: readonly string[];
  /** Those of `notes` that are about the file itself, not about how pictures and classes are treated. */
  readonly fileNotes: readonly string[];
  readonly engineName: string;

  /** The output that is meant and the logits behind it. Throws `option-invalid` where there are several and none was named. */
  head(): Head;
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
  /**
   * Scores and their gradients by layers or inputs, from one pass. Throws `model-unsupported` naming operator and node
   * where one on the way has no rule, `layer-unknown`, and `option-invalid` for a value the scores do not depend on.
   */
  gradient(feeds: Feeds, options: GradientOptions): Promise<Gradients>;
  /**
   * Runs a graph of one's own (a parameterisation, a linear map) on the network's engine. Keep one object for one graph:
   * its session is cached by it.
   */
  compute(
    graph: Graph,
    feeds: Readonly<Record<string, Tensor>>,
    options?: AnswerOptions,
  ): Promise<Record<string, Tensor>>;
  /** The target that a user's words mean: a class by index or name, or the top class. Throws `label-unknown`. */
  findTarget(what: string | number, of?: "logit" | "probability"): Promise<Target>;
  /** A weight in its framework's shape, as float32. */
  weight(layer: Layer, name: string): Promise<Tensor<"float32"> | undefined>;
  /**
   * The same network up to `count` times, each computing in a thread of its own, which together have as many threads as
   * this one: for work in independent parts, of which several then run at once. Empty where it would be one alone or the
   * platform has no such threads. Release each after use.
   */
  workers(count: number): readonly Model[];
  /** Frees all sessions. */
  release(): Promise<void>;
}

export interface ModelPrediction {
  readonly predictions: readonly ClassScore[];
  readonly output: readonly number[];
  readonly notes: readonly string[];
}
