/** Model cards: what a network needs beside its weights. JSON, `NAME.card.json` beside the file. */
import type { Layout } from "../core/layers.ts";
import type { ResizeLibrary, ResizeMode } from "../image/index.ts";

/** Photograph to tensor: `(pixel * scale - mean) / std` per channel, pixel 0..255, in `channels` order. */
export interface Preprocessing {
  /** Height and width that the network takes. */
  readonly size: readonly [number, number];
  readonly resize: ResizeMode;
  readonly resizeLibrary: ResizeLibrary;
  /** `stretch` ignores the aspect; `crop` scales the shorter side to `cropSide` and takes the centre; `pad` scales the longer side and fills with black. */
  readonly fit: "stretch" | "crop" | "pad";
  /** For `crop`: the length of the shorter side before cropping (256 for 224, as torchvision). Absent: the size itself. */
  readonly cropSide?: number;
  readonly scale: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly channels: "RGB" | "BGR" | "gray";
  readonly layout: Layout;
}

export interface ModelCard {
  readonly version: 1;
  readonly id?: string;
  readonly title?: string;
  readonly description?: string;
  readonly preprocessing?: Partial<Preprocessing> | string;
  /** A list, or the id of a list: `imagenet`, `imagenet-1001`, `cifar10`. */
  readonly labels?: readonly string[] | string;
  /** How scores become probabilities, where the graph does not say. */
  readonly activation?: "softmax" | "sigmoid" | "none" | null;
  readonly licence?: string;
  readonly source?: string;
  readonly trainingData?: string;
  readonly accuracy?: Readonly<Record<string, unknown>>;
  readonly sha256?: string;
}
