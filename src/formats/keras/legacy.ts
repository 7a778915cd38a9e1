/** The weights of `.h5` files as Keras 1 to 3 write them: a group for each layer, its arrays listed in attributes. */
import { ConvlensError } from "../../core/errors.ts";
import type { Hdf5Group } from "../hdf5/index.ts";
import type { Network } from "./network.ts";
import { assignNamed, type NamedWeight, pairEntries, put, type WeightTable } from "./weights.ts";

/** Keras splits long lists: `layer_names0`, `layer_names1` … */
const MOST_PARTS = 10_000;

const damaged = (file: string, what: string): ConvlensError =>
  new ConvlensError("model-invalid", `"${file}" is damaged: ${what}; download or save it again`);

/** A list of names; `undefined` where the group has none. A layer without weights has an empty list of numbers. */
async function namesIn(group: Hdf5Group, attribute: string): Promise<readonly string[] | undefined> {
  const own = await group.attribute(attribute);
  if (own) return own.kind === "texts" ? own.texts : [];
  const all: string[] = [];
  for (let i = 0; i < MOST_PARTS; i++) {
    const part = await group.attribute(`${attribute}${i}`);
    if (part?.kind !== "texts") return i === 0 ? undefined : all;
    all.push(...part.texts);
  }
  return all;
}

/** The group with the layers: of a whole model, or the root of a file of weights; `undefined` where it is neither. */
export async function legacyGroup(root: Hdf5Group): Promise<Hdf5Group | undefined> {
  const inner = await root.get("model_weights");
  const group = inner?.kind === "group" ? inner : root;
  return (await namesIn(group, "layer_names")) ? group : undefined;
}

/** Throws `model-invalid` where arrays are missing or do not fit the architecture. */
export async function legacyWeights(group: Hdf5Group, network: Network, file: string): Promise<WeightTable> {
  const names = (await namesIn(group, "layer_names")) ?? [];
  const entries: { name: string; count: number; weights: readonly NamedWeight[] }[] = [];
  for (const name of names) {
    const layer = await group.get(name);
    if (layer?.kind !== "group") throw damaged(file, `the layer "${name}" that it lists is not there`);
    const weights: NamedWeight[] = [];
    for (const weight of (await namesIn(layer, "weight_names")) ?? []) {
      const array = await layer.get(weight);
      if (array?.kind !== "array") throw damaged(file, `the weight "${weight}" of layer "${name}" is not there`);
      weights.push({ name: weight, constant: await array.constant("bfloat16") });
    }
    entries.push({ name, count: weights.length, weights });
  }
  const table: WeightTable = new Map();
  for (const [{ weights }, layer] of pairEntries(entries, network, file)) {
    if (layer.network) assignNamed(table, layer.network, `${layer.name}/`, weights, file);
    else put(table, layer.name, weights);
  }
  return table;
}
