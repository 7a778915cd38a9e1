/**
 * The networks of keras.applications, by id. Architectures and facts ship in `models/applications` (made by
 * scripts/applications/make.py); the weights, which their authors publish, are downloaded once into the platform's store.
 */
import { gunzipSync } from "fflate";
import { ConvlensError } from "../core/errors.ts";
import type { ByteSource, Platform, RemoteFile, RunOptions } from "../core/platform.ts";
import type { ModelCard } from "./card.ts";
import { preprocessingMode } from "./modes.ts";

export interface Application {
  readonly id: string;
  readonly title: string;
  /** Of the weights, where their authors publish them. */
  readonly address: string;
  readonly parameters: number;
  /** Height and width of the pictures. */
  readonly size: readonly [number, number];
  /** The mode of `preprocess_input`. */
  readonly preprocessing: string;
  readonly licence?: string;
  /** Of the weights, as Keras checks them; for two networks nobody publishes one, and the size is checked. */
  readonly md5?: string;
  readonly sha256?: string;
  readonly bytes?: number;
}

/** All of them, in the order of the list. */
export async function readApplications(platform: Platform): Promise<readonly Application[]> {
  const source = await platform.embedded("applications/index.json");
  const text = new TextDecoder().decode(await source.read(0, source.size));
  return (JSON.parse(text) as { applications: readonly Application[] }).applications;
}

/** The one of an id; `undefined` for every other name, and where nothing can be kept (browsers). */
export async function findApplication(platform: Platform, name: string): Promise<Application | undefined> {
  // Anything with a dot or a slash is a path.
  if (!platform.store || !/^[a-z][a-z0-9]*$/.test(name)) return undefined;
  return (await readApplications(platform)).find(({ id }) => id === name);
}

/** The published file of weights; it keeps its published name. */
const weightsOf = ({ address, md5, sha256, bytes }: Application): RemoteFile => ({
  name: address.slice(address.lastIndexOf("/") + 1),
  address,
  ...(md5 === undefined ? {} : { md5 }),
  ...(sha256 === undefined ? {} : { sha256 }),
  ...(bytes === undefined ? {} : { bytes }),
});

/** The weights in the store; `undefined` before they are downloaded. */
export const keptWeights = async (platform: Platform, application: Application): Promise<ByteSource | undefined> =>
  platform.store?.find(weightsOf(application).name);

/** Downloads the weights, unless they are there and right. Throws `network-failed`, `file-missing`, `output-failed`. */
export async function pullApplication(
  platform: Platform,
  application: Application,
  options: RunOptions = {},
): Promise<ByteSource> {
  if (!platform.store)
    throw new ConvlensError("option-invalid", `"${application.id}" cannot be kept here: download it in Node`);
  return platform.store.download(weightsOf(application), options);
}

/** What opening needs. Throws `file-missing` before the weights are downloaded. */
export async function openApplication(
  platform: Platform,
  application: Application,
): Promise<{ readonly source: ByteSource; readonly architecture: ByteSource; readonly card: ModelCard }> {
  const { id } = application;
  const source = await keptWeights(platform, application);
  if (!source)
    throw new ConvlensError(
      "file-missing",
      `the weights of "${id}" are not in ${platform.store?.folder ?? "reach"}: convlens models pull ${id} downloads them once (about ${megabytes(application)} MB)`,
    );
  const packed = await platform.embedded(`applications/${id}.json.gz`);
  const architecture = gunzipSync(await packed.read(0, packed.size));
  return { source, architecture: await platform.open(architecture, `${id}.json`), card: applicationCard(application) };
}

/** The size of the weights, about: four bytes a parameter. */
export const megabytes = ({ bytes, parameters }: Application): number => Math.round((bytes ?? 4 * parameters) / 1e6);

/** Pictures as Keras' own examples prepare them: `load_img(target_size=…)`, then `preprocess_input`. */
export const applicationCard = (application: Application): ModelCard => ({
  version: 1,
  id: application.id,
  title: application.title,
  preprocessing: {
    ...preprocessingMode(application.preprocessing).rule,
    size: application.size,
    resize: "nearest",
    resizeLibrary: "pil",
    fit: "stretch",
  },
  labels: "imagenet",
  ...(application.licence === undefined ? {} : { licence: application.licence }),
  source: application.address,
  trainingData: "ImageNet (ILSVRC 2012)",
});
