/** Which weights belong to which layer: by name where names tell, else in Keras' order. */
import { ConvlensError } from "../../core/errors.ts";
import type { Constant } from "../../graph/graph.ts";
import type { WeightsOf } from "./emit.ts";
import type { LayerSpec, Network } from "./network.ts";

export interface NamedWeight {
  /** As the file has it: `conv2d_1/kernel:0`. */
  readonly name: string;
  readonly constant: Constant;
}

interface LayerWeights {
  readonly weights: readonly Constant[];
  readonly names: readonly string[];
}
/** By full path. */
export type WeightTable = Map<string, LayerWeights>;

const none: LayerWeights = { weights: [], names: [] };
export const lookUp =
  (table: WeightTable): WeightsOf =>
  (path) =>
    table.get(path) ?? none;

/** Classes that may own weights, for files whose names do not tell. */
const weighted = /Conv|Dense|Normalization|PReLU|LayerScale|Attention|Embedding|LSTM|GRU|RNN/;

const withoutIndex = (name: string): string => name.replace(/:\d+$/, "");
const lastPart = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

interface Leaf {
  /** Below the network that is looked at. */
  readonly path: string;
  readonly layer: LayerSpec;
  readonly trainable: boolean;
}

/** The layers of a network that may own weights, nested ones too. */
function leavesOf(network: Network, path = "", trainable = true): readonly Leaf[] {
  return network.layers.flatMap((layer): readonly Leaf[] => {
    const own = `${path}${layer.name}`;
    const isTrainable = trainable && layer.config.trainable !== false;
    if (layer.network) return leavesOf(layer.network, `${own}/`, isTrainable);
    if (layer.className === "InputLayer" || layer.isOperation) return [];
    return [{ path: own, layer, trainable: isTrainable }];
  });
}

/** Weights of one layer, in the file's order. */
export function put(table: WeightTable, path: string, weights: readonly NamedWeight[]): void {
  table.set(path, {
    weights: weights.map((weight) => weight.constant),
    names: weights.map((weight) => lastPart(withoutIndex(weight.name))),
  });
}

/**
 * Gives weights in one list to the layers of a network: by the part of their names before the last slash, which ends
 * with the layer's name; in order where these do not all fit. `prefix` is the network's own path with a slash.
 * Throws `model-invalid` where neither way fits.
 */
export function assignNamed(
  table: WeightTable,
  network: Network,
  prefix: string,
  weights: readonly NamedWeight[],
  file: string,
): void {
  const groups = new Map<string, NamedWeight[]>();
  const seen = new Map<string, number>();
  for (const weight of weights) {
    const name = withoutIndex(weight.name);
    // A nested model's layer and one outside may have the same name: their weights come one after the other.
    const again = seen.get(name) ?? 0;
    seen.set(name, again + 1);
    const owner = name.slice(0, Math.max(0, name.lastIndexOf("/"))) + AGAIN.repeat(again);
    groups.set(owner, [...(groups.get(owner) ?? []), weight]);
  }
  const leaves = leavesOf(network);
  const byName = matchNames([...groups.keys()], leaves);
  if (byName) {
    for (const [owner, leaf] of byName) put(table, prefix + leaf.path, groups.get(owner)!);
    return;
  }
  // Keras writes what is trained first, what is frozen behind.
  const owners = leaves.filter((leaf) => weighted.test(leaf.layer.className));
  const ordered = [...owners.filter((leaf) => leaf.trainable), ...owners.filter((leaf) => !leaf.trainable)];
  if (ordered.length !== groups.size) throw mismatch(file, groups.size, ordered.length, network.name);
  [...groups.values()].forEach((group, i) => {
    put(table, prefix + ordered[i]!.path, group);
  });
}

/** Marks owners of the same name, which no name of a file contains. */
const AGAIN = "\0";

/** A leaf for each owner, no leaf twice; `undefined` where some owner has none. */
function matchNames(owners: readonly string[], leaves: readonly Leaf[]): ReadonlyMap<string, Leaf> | undefined {
  const byPath = new Map(leaves.map((leaf) => [leaf.path, leaf]));
  const byBare = new Map<string, Leaf[]>();
  for (const leaf of leaves) byBare.set(leaf.layer.name, [...(byBare.get(leaf.layer.name) ?? []), leaf]);
  const found = new Map<string, Leaf>();
  const used = new Set<Leaf>();
  const take = (owner: string, leaf: Leaf | undefined): void => {
    if (!leaf || used.has(leaf) || found.has(owner)) return;
    found.set(owner, leaf);
    used.add(leaf);
  };
  // Whole paths first, so that a bare name is left for whom it can only mean.
  const told = owners.filter((owner) => !owner.endsWith(AGAIN) && !owners.includes(owner + AGAIN));
  for (const owner of told) {
    const parts = owner.split("/");
    for (let from = 0; from < parts.length - 1; from++) take(owner, byPath.get(parts.slice(from).join("/")));
  }
  for (const owner of told) take(owner, byPath.get(owner));
  for (const owner of owners) {
    const bare = lastPart(owner).replaceAll(AGAIN, "");
    take(
      owner,
      byBare.get(bare)?.find((leaf) => !used.has(leaf)),
    );
  }
  return found.size === owners.length ? found : undefined;
}

const mismatch = (file: string, given: number, wanted: number, network: string): ConvlensError =>
  new ConvlensError(
    "model-invalid",
    `"${file}" holds weights for ${given} layers, and "${network}" has ${wanted} layers with weights: they do not belong together`,
  );

/**
 * Pairs the entries of a file that have weights with the layers of a network: by name where all fit, else in order.
 * Throws `model-invalid`.
 */
export function pairEntries<E extends { readonly name: string; readonly count: number }>(
  entries: readonly E[],
  network: Network,
  file: string,
): readonly (readonly [E, LayerSpec])[] {
  const filled = entries.filter((entry) => entry.count > 0);
  const byName = new Map(network.layers.map((layer) => [layer.name, layer]));
  if (filled.every((entry) => byName.has(entry.name))) return filled.map((entry) => [entry, byName.get(entry.name)!]);
  const layers = network.layers.filter((layer) => !layer.isOperation);
  for (const candidates of [layers, layers.filter((layer) => layer.className !== "InputLayer")])
    if (candidates.length === entries.length)
      return entries.flatMap((entry, i) => (entry.count > 0 ? [[entry, candidates[i]!] as const] : []));
  const owners = layers.filter((layer) => layer.network !== undefined || weighted.test(layer.className));
  if (owners.length !== filled.length) throw mismatch(file, filled.length, owners.length, network.name);
  return filled.map((entry, i) => [entry, owners[i]!]);
}
