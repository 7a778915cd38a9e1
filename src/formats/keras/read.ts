/** Reads Keras files into a `ModelFile`: `.h5` of all versions, `.weights.h5` and `.keras`. */
import { ConvlensError } from "../../core/errors.ts";
import type { ByteSource } from "../../core/platform.ts";
import type { ModelFile, ReadOptions } from "../format.ts";
import { type Hdf5Group, openHdf5 } from "../hdf5/index.ts";
import { type Region, readRegion, wholeOf } from "../region.ts";
import { openMember, readZip } from "../zip.ts";
import { emitNetwork } from "./emit.ts";
import { type Fields, isFields, isText, parseJson } from "./json.ts";
import { legacyGroup, legacyWeights } from "./legacy.ts";
import { readNetwork } from "./network.ts";
import { isSaved, savedWeights } from "./saved.ts";
import { lookUp, type WeightTable } from "./weights.ts";

/** More than any architecture. */
const LARGEST_JSON = 64 * 2 ** 20;

/** An architecture as JSON, and the version that wrote it. */
interface Architecture {
  readonly model: unknown;
  /** "" where the file does not say. */
  readonly version: string;
  readonly notes: readonly string[];
}

/** A `ModelFile` of an architecture and its weights. */
export function makeModelFile(
  format: string,
  title: string,
  source: ByteSource,
  { model, version, notes }: Architecture,
  weights: (network: ReturnType<typeof readNetwork>) => Promise<WeightTable>,
): Promise<ModelFile> {
  const network = readNetwork(model, source.name);
  return weights(network).then((table) => {
    const major = /^\d+/.exec(version)?.[0];
    // Keras 3 says `module` for every layer; older files without a version are of Keras 2.
    const kerasVersion = major === undefined ? (isFields(model) && "module" in model ? 3 : 2) : Number(major);
    const { graph, layers, sourceLayout, declared } = emitNetwork(network, lookUp(table), source.name, kerasVersion);
    return {
      format,
      description: `${title}${version === "" ? "" : `, written by Keras ${version.slice(0, 40)}`}`,
      source,
      graph,
      sourceLayout,
      layers,
      declared,
      metadata: version === "" ? {} : { keras_version: version },
      notes,
    };
  });
}

async function textAttribute(group: Hdf5Group, name: string): Promise<string | undefined> {
  const value = await group.attribute(name);
  return value?.kind === "texts" ? value.texts[0] : undefined;
}

/** The architecture that the caller names, or that lies beside a file of weights as `NAME.json`. */
async function architectureBeside(
  source: ByteSource,
  given: ByteSource | undefined,
): Promise<Architecture | undefined> {
  const stem = source.name.replace(/(\.weights)?\.(h5|hdf5|keras)$/i, "");
  const found = given ?? (stem === source.name ? undefined : await source.sibling(`${stem}.json`));
  if (!found) return undefined;
  if (found.size > LARGEST_JSON)
    throw new ConvlensError(
      "model-invalid",
      `the architecture "${found.name}" has ${found.size} bytes: it is no JSON of Keras`,
    );
  const parsed = parseJson(
    new TextDecoder().decode(await found.read(0, found.size)),
    `the architecture "${found.name}"`,
  );
  const fields: Fields = isFields(parsed) ? parsed : {};
  const notes = given ? [] : [`the architecture is taken from "${found.name}", beside the weights`];
  return { model: parsed, version: isText(fields.keras_version) ? fields.keras_version : "", notes };
}

const withoutNetwork = (name: string): ConvlensError =>
  new ConvlensError(
    "model-invalid",
    `"${name}" holds weights without the network: write model.to_json() into a file and name it with --architecture, or save the whole model`,
  );

/** Throws `file-truncated`, `model-invalid` and `model-unsupported`, each naming what is wrong. */
export async function readH5(source: ByteSource, { architecture }: ReadOptions = {}): Promise<ModelFile> {
  const root = await openHdf5(wholeOf(source));
  const legacy = await legacyGroup(root);
  const saved = legacy === undefined && (await isSaved(root));
  if (!legacy && !saved)
    throw new ConvlensError(
      "model-invalid",
      `"${source.name}" is an HDF5 file without a Keras model (its groups: ${root.names.slice(0, 5).join(", ") || "none"}); save the model with model.save()`,
    );
  const own = await textAttribute(root, "model_config");
  const version =
    (await textAttribute(root, "keras_version")) ?? (legacy && (await textAttribute(legacy, "keras_version")));
  const found: Architecture | undefined =
    own !== undefined && !architecture
      ? { model: parseJson(own, `the architecture in "${source.name}"`), version: version ?? "", notes: [] }
      : await architectureBeside(source, architecture);
  if (!found) throw withoutNetwork(source.name);
  const title = own === undefined ? "Keras weights with their architecture" : "Keras model (.h5)";
  return makeModelFile("keras-h5", title, source, { ...found, version: version || found.version }, (network) =>
    legacy ? legacyWeights(legacy, network, source.name) : savedWeights(root, network, source.name),
  );
}

/** Throws `file-truncated`, `model-invalid` and `model-unsupported`, each naming what is wrong. */
export async function readArchive(source: ByteSource): Promise<ModelFile> {
  const members = await readZip(source);
  const open = async (name: string, most?: number): Promise<Region> => {
    const member = members.get(name);
    if (!member)
      throw new ConvlensError(
        "model-invalid",
        `"${source.name}" has no "${name}" in it (${[...members.keys()].slice(0, 5).join(", ")}); save the model again`,
      );
    return openMember(source, member, most);
  };
  const json = async (name: string): Promise<unknown> => {
    const region = await open(name, LARGEST_JSON);
    return parseJson(
      new TextDecoder().decode(await readRegion(region, 0, region.size)),
      `"${name}" in "${source.name}"`,
    );
  };
  const metadata = members.has("metadata.json") ? await json("metadata.json") : {};
  const version = isFields(metadata) && isText(metadata.keras_version) ? metadata.keras_version : "";
  if (!members.has("model.weights.h5") && members.has("model.weights.npz"))
    throw new ConvlensError(
      "model-unsupported",
      `"${source.name}" keeps its weights as NumPy arrays (.npz); load it in Keras and save it again, which writes HDF5`,
    );
  const model = await json("config.json");
  const root = await openHdf5(await open("model.weights.h5"));
  return makeModelFile("keras", "Keras model (.keras)", source, { model, version, notes: [] }, (network) =>
    savedWeights(root, network, source.name),
  );
}
