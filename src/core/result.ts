/**
 * Results: the tagged data that methods return, renderers draw and the command line writes. Numbers first: raw,
 * signed, unnormalised. Renderers, commands and panels dispatch on `kind`, never on a method's id.
 */
import type { Layer } from "./layers.ts";
import type { Tensor } from "./tensor.ts";

/** What made a result. `toJson` writes it with the result; nothing in it changes from run to run. */
export interface Origin {
  readonly model: { readonly name: string; readonly sha256: string };
  readonly method: string;
  /** Every option as resolved, defaults included. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly engine: string;
  /** The photograph's or tensor's file name; absent where a result needs none. */
  readonly input?: string;
  /** How the photograph became a tensor; absent where a ready tensor was given, or nothing. */
  readonly preprocessing?: object;
}

interface Base {
  readonly origin: Origin;
  /** What a reader must know: what was chosen, what is odd, why something is blank. */
  readonly notes: readonly string[];
}

export interface Summary extends Base {
  readonly kind: "summary";
  readonly title: string;
  readonly inputs: readonly { readonly name: string; readonly shape: readonly (number | null)[] }[];
  readonly layers: readonly Layer[];
  readonly totals: {
    readonly parameters: number;
    readonly trainable: number;
    readonly nonTrainable: number;
    readonly multiplyAdds: number;
    /** Bytes of all layer outputs of one picture in float32. */
    readonly activationBytes: number;
  };
}

export interface ClassScore {
  readonly index: number;
  readonly label: string;
  /** WordNet id, for ImageNet. */
  readonly wnid?: string;
  /** `null` where no rule says how scores become probabilities. */
  readonly probability: number | null;
  /** The logit, or what the head gives where no logit is known. */
  readonly score: number;
}

export interface Prediction extends Base {
  readonly kind: "prediction";
  /** Best first. */
  readonly predictions: readonly ClassScore[];
  /** The head's vector as the file gives it. */
  readonly output: readonly number[];
}

/** Named arrays in source layout with where they belong: activations, weights. */
export interface Tensors extends Base {
  readonly kind: "tensors";
  readonly what: "activations" | "filters";
  readonly tensors: readonly NamedTensor[];
}
export interface NamedTensor {
  readonly layer: Layer;
  /** `output`, `kernel`, `bias` … */
  readonly part: string;
  /** In source layout, batch axis kept. */
  readonly tensor: Tensor<"float32">;
}

/** A table of measured numbers, one row a layer: sparsity by depth. */
export interface Measure extends Base {
  readonly kind: "measure";
  readonly title: string;
  readonly columns: readonly { readonly id: string; readonly title: string; readonly unit?: "share" | "count" }[];
  readonly rows: readonly { readonly name: string; readonly values: readonly number[] }[];
}

/** A plain list: models, labels. */
export interface List extends Base {
  readonly kind: "list";
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

export type Result = Summary | Prediction | Tensors | Measure | List;
