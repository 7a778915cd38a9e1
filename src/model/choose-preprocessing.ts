/** Which preprocessing a network gets: from the call, its card, the graph, else a stated default. */
import { ConvlensError } from "../core/errors.ts";
import type { Layout } from "../core/layers.ts";
import type { Preprocessing } from "./card.ts";
import type { ModelInput } from "./model.ts";
import { type PixelRule, preprocessingMode } from "./modes.ts";

/** What is known of a network when its preprocessing is chosen. */
export interface PreprocessingSources {
  /** The call's: a mode's name, or any fields. */
  readonly given: string | Partial<Preprocessing> | undefined;
  /** Single fields that the call lays over whatever is chosen. */
  readonly overrides: Partial<Preprocessing>;
  readonly card: string | Partial<Preprocessing> | undefined;
  /** A class of layer that scales the input itself, where the graph begins with one. */
  readonly scalingLayer: string | undefined;
  /** The file's format: Keras' and TensorFlow.js' files have other habits than ONNX. */
  readonly format: string;
  readonly input: ModelInput;
}

/** How pictures are resized by habit, where nobody says: Keras' `load_img`, torchvision's evaluation transform. */
const stretch = { resize: "nearest", resizeLibrary: "pil", fit: "stretch" } as const;
const cut = { resize: "bilinear", resizeLibrary: "pil", fit: "crop" } as const;

/** The side of pictures for networks that leave it open. */
const openSide = 224;

export interface ChosenPreprocessing {
  readonly preprocessing: Preprocessing;
  /** For whatever was taken without being named. */
  readonly notes: readonly string[];
  /** The mode, where it is no more than usual for such files. */
  readonly guessedMode: string | undefined;
}

/** The preprocessing, complete. */
export function choosePreprocessing(sources: PreprocessingSources): ChosenPreprocessing {
  const { given, card, overrides, input } = sources;
  const notes: string[] = [];
  const { size, channels, layout } = pictureShape(input);
  const fields = (from: string | Partial<Preprocessing> | undefined): Partial<Preprocessing> => {
    if (typeof from !== "string") return from ?? {};
    const { channels: order, ...rule } = preprocessingMode(from).rule;
    // A mode speaks of coloured pictures; a grey network takes its numbers, not its order of colours.
    return channels === 1 ? rule : { ...rule, channels: order };
  };
  const isPython = sources.format !== "onnx" || (typeof given === "string" && given.startsWith("keras:"));
  const habit = isPython ? stretch : cut;
  const named = { ...fields(card), ...fields(given), ...overrides };

  let guessedMode: string | undefined;
  let base: PixelRule = preprocessingMode("raw").rule;
  const hasRule = named.scale !== undefined || named.mean !== undefined || named.std !== undefined;
  if (!hasRule) {
    const { mode, why, isGuess } = defaultMode(sources, channels);
    if (isGuess) guessedMode = mode;
    base = preprocessingMode(mode).rule;
    notes.push(`preprocessing "${mode}" (${preprocessingMode(mode).formula}): ${why}; name another with --preprocess`);
  }
  if (named.fit === undefined && named.resize === undefined && (!hasRule || typeof given === "string")) {
    const way = habit === stretch ? "stretched with nearest pixels" : "resized bilinearly and cropped in the centre";
    notes.push(`pictures are ${way}, as is usual for such files; other ways: --resize, --fit`);
  }

  const wanted = named.size ?? size ?? [openSide, openSide];
  if (!size && !named.size)
    notes.push(`the network leaves its input size open: ${openSide}x${openSide} is taken; name another with --size`);
  if (size && (wanted[0] !== size[0] || wanted[1] !== size[1]))
    throw new ConvlensError(
      "option-invalid",
      `size ${wanted.join("x")} does not fit: the network takes ${size.join("x")} (height x width)`,
    );
  const merged = { ...habit, ...base, ...named, size: wanted, layout: named.layout ?? layout };
  const chosen = forChannels(merged, named.channels, channels);
  const cropSide = chosen.cropSide ?? Math.round((Math.min(...wanted) * 256) / 224);
  return { preprocessing: chosen.fit === "crop" ? { ...chosen, cropSide } : chosen, notes, guessedMode };
}

function defaultMode(
  { scalingLayer, format, input }: PreprocessingSources,
  channels: number,
): { readonly mode: string; readonly why: string; readonly isGuess: boolean } {
  const known = (why: string) => ({ mode: "raw", why, isGuess: false });
  if (scalingLayer) return known(`the network scales its input itself (${scalingLayer})`);
  const type = input.declared ?? input.type;
  if (/int/.test(type)) return known(`the network's input is ${type}`);
  const usual = (mode: string, files: string) => ({
    mode,
    why: `neither a model card nor an option names one, and this is usual for ${files}`,
    isGuess: true,
  });
  if (format !== "onnx") return usual("unit", "Keras files");
  return channels === 1 ? usual("unit", "grey networks") : usual("torch", "ONNX files");
}

/** One mean and one std for a grey network; three for a coloured one. */
function forChannels(rule: Preprocessing, named: Preprocessing["channels"] | undefined, count: number): Preprocessing {
  const channels = count === 1 && named === undefined ? "gray" : (named ?? rule.channels);
  if ((channels === "gray") !== (count === 1))
    throw new ConvlensError(
      "option-invalid",
      `channels "${channels}" does not fit: the network takes ${count} channel(s)`,
    );
  const same = (list: readonly number[]) => list.every((value) => value === list[0]);
  const spread = (list: readonly number[], what: string): readonly number[] => {
    if (list.length === count) return list;
    if (list.length > 0 && same(list)) return new Array<number>(count).fill(list[0]!);
    throw new ConvlensError(
      "option-invalid",
      `preprocessing gives ${list.length} values of ${what}: the network takes ${count} channel(s)`,
    );
  };
  return { ...rule, channels, mean: spread(rule.mean, "mean"), std: spread(rule.std, "std") };
}

/** Size, channels and axis order of the pictures that an input takes. Inputs that are no pictures get the defaults. */
function pictureShape({ shape, layout }: ModelInput): {
  size: [number, number] | undefined;
  channels: number;
  layout: Layout;
} {
  const [channelAt, heightAt, widthAt] = layout === "NHWC" ? [3, 1, 2] : [1, 2, 3];
  const [height, width] = [shape[heightAt] ?? null, shape[widthAt] ?? null];
  const known = shape.length === 4 && height !== null && width !== null;
  return { size: known ? [height, width] : undefined, channels: shape[channelAt] === 1 ? 1 : 3, layout };
}
