/** Opens a network: its file, its card, its labels and its preprocessing become one `Model`. */
import { ConvlensError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import type { ByteSource, EngineOptions, Platform } from "../core/platform.ts";
import type { ModelFile } from "../formats/format.ts";
import { readModel } from "../formats/index.ts";
import { findApplication, openApplication, readApplications } from "./applications.ts";
import type { ModelCard, Preprocessing } from "./card.ts";
import { checkPreprocessing, parseCard, parsePreprocessing } from "./card-parse.ts";
import { choosePreprocessing } from "./choose-preprocessing.ts";
import { chooseHead, classCount, findHeads } from "./heads.ts";
import { labelList, labelLists, labelOf, parseLabels } from "./labels.ts";
import { makeModel, modelInputs, pictureDims } from "./make-model.ts";
import type { Label, Model } from "./model.ts";
import { preprocessingModes } from "./modes.ts";
import { knownShapes } from "./room.ts";
import type { NamedActivation } from "./scores.ts";

/** The networks that ship with Convlens, by id: `models/ID.onnx` with `models/ID.card.json`. */
export const embeddedModels: readonly string[] = ["cats-and-dogs", "cifar10"];

/** Fields of the preprocessing that the call may set singly, laid over whatever was chosen. */
const singleFields = ["size", "resize", "resizeLibrary", "fit", "cropSide", "channels", "layout"] as const;

export interface OpenOptions extends Partial<Pick<Preprocessing, (typeof singleFields)[number]>> {
  /** A mode (`torch`, `keras:vgg16` …), the path of a `.json` file, or any fields. Default: the card's, else a stated one. */
  readonly preprocessing?: string | Partial<Preprocessing>;
  /** The id of a list (`imagenet`, `imagenet-1001`, `cifar10`), the path of a file, or names. */
  readonly labels?: string | readonly string[];
  /** The network of a file that holds weights alone: the path of the JSON that Keras' `model.to_json()` gives. */
  readonly architecture?: string;
  /** A model card: its path or its content. Default: `NAME.card.json` beside the file. */
  readonly card?: string | ModelCard;
  /** An output of the head to use, where a network has several. */
  readonly head?: string;
  /** How scores become probabilities; default: as the graph or the card says. */
  readonly activation?: NamedActivation;
  readonly threads?: number;
  readonly device?: string;
  /** `false`: only ready tensors are fed, and notes leave out how pictures are treated. Default `true`. */
  readonly pictures?: boolean;
  /** The name of bytes that are opened. */
  readonly name?: string;
}

/**
 * Opens a network from a path, an address, bytes, or the id of an embedded or a downloaded one. Throws `file-missing`,
 * `file-unreadable`, `format-unknown`, `format-unsupported`, `model-invalid`, `card-invalid` and `option-invalid`.
 */
export async function openModel(
  platform: Platform,
  what: Parameters<Platform["open"]>[0],
  options: OpenOptions = {},
): Promise<Model> {
  const isEmbedded = typeof what === "string" && embeddedModels.includes(what);
  const application = typeof what === "string" ? await findApplication(platform, what) : undefined;
  const pulled = application && (await openApplication(platform, application));
  const source =
    pulled?.source ??
    (isEmbedded
      ? await platform.embedded(`${what}.onnx`)
      : await platform.open(what, options.name).catch(async (error: unknown) => {
          throw await suggestingIds(platform, error, what);
        }));
  const architecture =
    options.architecture === undefined ? pulled?.architecture : await platform.open(options.architecture);
  const [file, card] = await Promise.all([
    readModel(source, architecture ? { architecture } : {}),
    findCard(platform, source, options.card ?? pulled?.card),
  ]);
  const notes = [...file.notes];
  if (file.opaque !== undefined) notes.push(`only the outputs of "${source.name}" can be computed: ${file.opaque}`);

  const given = await readPreprocessing(platform, options.preprocessing);
  const inputs = modelInputs(file);
  const {
    preprocessing,
    notes: chosen,
    guessedMode,
  } = choosePreprocessing({
    given,
    overrides: singleOptions(options),
    card: card?.preprocessing,
    scalingLayer: scalingLayer(file),
    format: file.format,
    input: inputs[0]!,
  });
  if (options.pictures ?? true) notes.push(...chosen);
  const classes = countClasses(file, options.head, pictureDims(inputs, preprocessing));
  const labels = await findLabels(platform, options.labels, card, classes, notes);
  return makeModel({
    platform,
    engine: await platform.engine(),
    engineOptions: engineOptions(options),
    file,
    inputs,
    preprocessing,
    guessedMode,
    labels,
    notes,
    head: options.head,
    activation: options.activation,
    cardActivation: card?.activation ?? undefined,
  });
}

/** A missing file whose name has no ending may be a mistyped id: the error then names the nearest. */
async function suggestingIds(platform: Platform, error: unknown, what: unknown): Promise<unknown> {
  if (!(error instanceof ConvlensError) || error.code !== "file-missing") return error;
  if (typeof what !== "string" || /[./\\]/.test(what) || error.message.includes("Did you mean")) return error;
  const downloaded = platform.store ? await readApplications(platform) : [];
  const suggestion = didYouMean(what, [...embeddedModels, ...downloaded.map(({ id }) => id)]);
  return suggestion === "" ? error : new ConvlensError(error.code, `${error.message}${suggestion}`, { cause: error });
}

function singleOptions(options: OpenOptions): Partial<Preprocessing> {
  const given = singleFields.flatMap((field) => (options[field] === undefined ? [] : [[field, options[field]]]));
  return checkPreprocessing(Object.fromEntries(given), "options");
}

function engineOptions({ threads, device }: OpenOptions): EngineOptions {
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 0 && threads <= 1024))
    throw new ConvlensError(
      "option-invalid",
      `threads is ${threads}: it must be a whole number from 1, or 0 for the engine's choice`,
    );
  return { ...(threads ? { threads } : {}), ...(device === undefined ? {} : { device }) };
}

/** The classes of the head that is meant; several heads are asked about when something is predicted. Throws `option-invalid`. */
function countClasses(file: ModelFile, name: string | undefined, dims: Record<string, number[]>): number | undefined {
  const heads = findHeads(file.graph);
  if (heads.length > 1 && name === undefined) return undefined;
  const { output } = chooseHead(heads, name, file.source.name);
  const declared = classCount(file.graph.values.get(output)?.shape);
  return (
    declared ?? (file.opaque === undefined ? classCount(knownShapes(file.graph, dims).get(output)?.shape) : undefined)
  );
}

async function readSource(source: ByteSource): Promise<Uint8Array> {
  if (source.size > 64 * 2 ** 20)
    throw new ConvlensError(
      "card-invalid",
      `"${source.name}" has ${source.size} bytes: cards and lists of labels are small files`,
    );
  return source.read(0, source.size);
}

async function findCard(
  platform: Platform,
  model: ByteSource,
  given: string | ModelCard | undefined,
): Promise<ModelCard | undefined> {
  if (typeof given === "object") return parseCard(new TextEncoder().encode(JSON.stringify(given)), "card");
  const source =
    given === undefined
      ? await model.sibling(`${model.name.replace(/\.[^.]*$/, "")}.card.json`)
      : await platform.open(given);
  return source && parseCard(await readSource(source), source.name);
}

async function readPreprocessing(
  platform: Platform,
  given: string | Partial<Preprocessing> | undefined,
): Promise<string | Partial<Preprocessing> | undefined> {
  if (typeof given === "object") return checkPreprocessing(given, "preprocessing");
  const isMode = given === undefined || given.startsWith("keras:") || preprocessingModes.some(({ id }) => id === given);
  if (isMode || !given.endsWith(".json")) return given;
  const source = await platform.open(given);
  return parsePreprocessing(await readSource(source), source.name);
}

/** The call's labels, else the card's, else ImageNet's for 1000 or 1001 classes, said in a note. */
async function findLabels(
  platform: Platform,
  given: OpenOptions["labels"],
  card: ModelCard | undefined,
  classes: number | undefined,
  notes: string[],
): Promise<readonly Label[] | undefined> {
  const asked = given ?? card?.labels;
  // A thousand names would stand one place off.
  const isShifted = asked === "imagenet" && classes === 1001;
  if (isShifted)
    notes.push('1001 classes: the labels "imagenet-1001" are taken, imagenet with a background class first');
  const wanted = isShifted ? "imagenet-1001" : asked;
  const labels = wanted === undefined ? undefined : await readLabels(platform, wanted);
  if (labels && classes !== undefined && labels.length !== classes && !(classes === 1 && labels.length === 2))
    notes.push(`there are ${labels.length} labels for ${classes} classes: check that they belong to this network`);
  if (labels || (classes !== 1000 && classes !== 1001)) return labels;
  const id = classes === 1000 ? "imagenet" : "imagenet-1001";
  notes.push(`${classes} classes: the labels "${id}" are taken; name others with --labels`);
  return labelList(id);
}

async function readLabels(platform: Platform, wanted: string | readonly string[]): Promise<readonly Label[]> {
  if (typeof wanted !== "string") return wanted.map(labelOf);
  const list = labelList(wanted);
  if (list) return list;
  // A name without an ending is a mistyped id rather than a file.
  if (!/[./\\]/.test(wanted))
    throw new ConvlensError(
      "option-invalid",
      `labels "${wanted}" is unknown: use ${labelLists.join(", ")} or the path of a file.${didYouMean(wanted, labelLists)}`,
    );
  const source = await platform.open(wanted);
  return parseLabels(await readSource(source), source.name);
}

/** Rows that leave the pixels' values alone: inputs, nested models, augmentation. */
const passing =
  /^(InputLayer|Functional|Model|Sequential|Random\w+|RandAugment|Resizing|CenterCrop|ZeroPadding2D|Dropout)$/;
/** Layers and operations that scale: `preprocess_input` in a model leaves a row for each step. */
const scaling =
  /^(Rescaling|Normalization|TrueDivide|Divide|Multiply|Subtract|GetItem|SlicingOpLambda|TFOpLambda|TensorFlowOpLayer)$/;

/** A Keras layer at the beginning that scales pictures: the network then takes pixels as they are. */
function scalingLayer({ layers = [] }: ModelFile): string | undefined {
  const first = layers.find((layer) => !passing.test(layer.class));
  return first && scaling.test(first.class) ? first.class : undefined;
}
