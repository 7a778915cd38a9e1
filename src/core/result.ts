/**
 * Results: the tagged data that methods return, renderers draw and the command line writes. Numbers first: raw,
 * signed, unnormalised. Renderers, commands and panels dispatch on `kind`, never on a method's id.
 */
import type { Layer, Layout } from "./layers.ts";
import type { Picture } from "./picture.ts";
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

/** The score that a map explains. */
export interface ExplainedTarget {
  /** The class; `null` where the target is no class (a channel, a function of the outputs). */
  readonly index: number | null;
  /** The class's name, or what the target is: `channel 7 of conv2d_3`. */
  readonly label: string;
  readonly of: "logit" | "probability" | "activation" | "function";
  /** Its value for this input. */
  readonly score: number;
  /** The class's probability, where a rule says how scores become probabilities. */
  readonly probability: number | null;
}

interface Explanation extends Base {
  /** The method's title, for pictures. */
  readonly title: string;
  readonly target: ExplainedTarget;
  /** Whether negative values speak against the target, so that pictures diverge around zero. */
  readonly signed: boolean;
}

/** A method's 2-D answer, raw: what each place of a layer (or of the input) adds to the target's score. */
export interface HeatMap extends Explanation {
  readonly kind: "map";
  /** The layers it was taken at; empty where it is one of the input itself. */
  readonly layers: readonly string[];
  /** `[height, width]` at the layer's own resolution, before normalising and resizing. It covers the whole network input. */
  readonly map: Tensor<"float32">;
}

/** A number for every unit of the input, raw and signed: `[C, H, W]` or `[H, W, C]` as the source layout. */
export interface Attribution extends Explanation {
  readonly kind: "attribution";
  readonly layout: Layout;
  readonly values: Tensor<"float32">;
  /** What a signed picture of it sums over channels, or what an unsigned one reduces by. */
  readonly channelReduce: "sum" | "max" | "mean" | "norm";
  /** For methods whose numbers sum to a known difference: what they should sum to, and how far they are from it. */
  readonly completeness?: { readonly expected: number; readonly sum: number; readonly gap: number };
}

/** A pixel that an attack changed; colours are 8-bit red, green, blue. */
export interface ChangedPixel {
  readonly x: number;
  readonly y: number;
  readonly from: readonly [number, number, number];
  readonly to: readonly [number, number, number];
}

/** What a network answers to a picture: the best class, and of all the best few, the present and the wanted one, best first. */
export interface Answer extends ClassScore {
  readonly predictions: readonly ClassScore[];
}

/** A small change of a picture that was to change the network's answer. */
export interface Attack extends Base {
  readonly kind: "attack";
  /** The method's title, for pictures. */
  readonly title: string;
  /** The attacked picture, written as PNG and read back through the whole pipeline, gets another class (targeted: the wanted one). */
  readonly success: boolean;
  readonly targeted: boolean;
  /** The wanted class; `null` where any other will do. */
  readonly to: { readonly index: number; readonly label: string } | null;
  /** Pictures that the network judged in the search, those of gradient passes included; the original is none of them. */
  readonly queries: number;
  /** How many of them were also differentiated. */
  readonly gradients: number;
  /** Why the search ended: it succeeded, had nothing left to try, or its budget was used up. */
  readonly ended: "success" | "exhausted" | "budget";
  /** Logits: the score of the present class over the best other (targeted: of the best other over the wanted one). Below 0 is success. */
  readonly margin: { readonly before: number; readonly after: number };
  /** Row by row. For changes of more than 1,000 pixels empty: `distance` then tells how many, the picture which. */
  readonly pixels: readonly ChangedPixel[];
  /** Of the attacked picture from the original: pixels changed, and the norms over channels in 8-bit levels. */
  readonly distance: { readonly pixels: number; readonly l2: number; readonly max: number };
  readonly before: Answer;
  readonly after: Answer;
  /** Both at the network's input size. */
  readonly original: Picture;
  readonly attacked: Picture;
  /** The lowest margin that was reached at each pixel, where a method tries them all. */
  readonly vulnerability?: HeatMap;
}

/** How often something happened, of how many times it was tried. */
export interface Rate {
  readonly tried: number;
  readonly succeeded: number;
  /** `succeeded / tried`; `null` where nothing was tried. */
  readonly rate: number | null;
  /** Wilson's interval for it at 95 %. */
  readonly interval: readonly [number, number] | null;
}

/** Attacks of one goal over many pictures. */
export interface AttackRate extends Rate {
  /** Means: the probability of the class reached, over successes; pictures judged, over all attacks and over successes. */
  readonly confidence: number | null;
  readonly queries: number | null;
  readonly successQueries: number | null;
}

/** An attack over a set of pictures. */
export interface Evaluation extends Base {
  readonly kind: "evaluation";
  readonly title: string;
  readonly pictures: {
    /** Judged by the network. */
    readonly seen: number;
    /** Whose answer is their folder's class; `null` where folders name no classes, so that nobody knows. */
    readonly right: number | null;
    readonly attacked: number;
    /** Not attacked: the answer was wrong from the start, or the wanted class already. */
    readonly excluded: number;
    /** That could not be read. */
    readonly skipped: readonly { readonly picture: string; readonly reason: string }[];
  };
  /** Any other class will do; `null` where it was not tried. */
  readonly untargeted: AttackRate | null;
  /** Strict: success is exactly the wanted class. One attack for each picture and wanted class. */
  readonly targeted: AttackRate | null;
  /** As papers count "non-targeted" from targeted attacks: pictures that reached at least one of several wanted classes. */
  readonly anyTarget: Rate | null;
  readonly classes: readonly string[];
  /** Successes from class (row) to class (column), of targeted attacks where there are some; empty for networks of more than 100 classes. */
  readonly matrix: readonly (readonly number[])[];
  /** Pictures by the number of wanted classes they reached, from 0 on; empty where no picture had several. */
  readonly reached: readonly number[];
}

/** Pictures that a method made. */
export interface Images extends Base {
  readonly kind: "images";
  readonly title: string;
  /** What all of them are of: a layer's name, or `classes`. */
  readonly of: string;
  readonly images: readonly MadeImage[];
  readonly grid: {
    /** How many stand in a row of the sheet. */
    readonly across: number;
    /** Rows that were asked for; absent: as many as the pictures fill. A bare sheet keeps empty places black. */
    readonly down?: number;
    /** `columns`: the sheet fills column by column. */
    readonly order: "rows" | "columns";
    /** Pixels of black between the pictures of a bare sheet; `null`: a sheet with words. */
    readonly margin: number | null;
  };
  /** The objective, averaged over the pictures, at each step. */
  readonly losses: readonly number[];
}
export interface MadeImage {
  /** `channel 7`, `bald eagle`. */
  readonly label: string;
  readonly picture: Picture;
  /** In the network's own input units and source layout, without batch axis, before the picture rule. */
  readonly values: Tensor<"float32">;
  /** What the objective reached. */
  readonly reached: number;
  /** The class's probability for this picture in 8 bits, opened like any photograph; `null` for what is no class. */
  readonly probability: number | null;
  /** The same objective for a real photograph, where one was given. */
  readonly reference: number | null;
  /** Why the picture is blank, where it is. */
  readonly dead: string | null;
}

/** A plain list: models, labels. */
export interface List extends Base {
  readonly kind: "list";
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

export type Result =
  | Summary
  | Prediction
  | Tensors
  | Measure
  | HeatMap
  | Attribution
  | Attack
  | Evaluation
  | Images
  | List;
