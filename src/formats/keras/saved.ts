/**
 * The weights inside `.keras` files, and `.weights.h5`: `layers/<class>_<n>/vars/<i>`. The group is named after the
 * class and a counter; newer files have the layer's own name in an attribute of `vars`.
 */
import { ConvlensError } from "../../core/errors.ts";
import type { Hdf5Group } from "../hdf5/index.ts";
import type { Network } from "./network.ts";
import { type NamedWeight, put, type WeightTable } from "./weights.ts";

/** Old files name the list of layers otherwise. */
const containers = ["layers", "_layer_checkpoint_dependencies"];

/** Keras' own rule: Conv2DTranspose is conv2d_transpose, PReLU p_re_lu. */
const snakeCase = (className: string): string =>
  className
    .replace(/^.*>/, "")
    .replace(/\W+/g, "")
    .replace(/(.)([A-Z][a-z]+)/g, "$1_$2")
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();

async function containerOf(group: Hdf5Group): Promise<Hdf5Group | undefined> {
  for (const name of containers) {
    const found = await group.get(name);
    if (found?.kind === "group") return found;
  }
  return undefined;
}

/** Whether a root holds weights in this form. */
export const isSaved = async (root: Hdf5Group): Promise<boolean> => (await containerOf(root)) !== undefined;

export async function savedWeights(root: Hdf5Group, network: Network, file: string): Promise<WeightTable> {
  const table: WeightTable = new Map();
  await collect(root, network, "", table, file);
  return table;
}

async function collect(
  group: Hdf5Group,
  network: Network,
  prefix: string,
  table: WeightTable,
  file: string,
): Promise<void> {
  const container = await containerOf(group);
  if (!container) return;
  const named = new Map<string, Hdf5Group>();
  for (const name of container.names) {
    const child = await container.get(name);
    const vars = child?.kind === "group" ? await child.get("vars") : undefined;
    const own = vars?.kind === "group" ? await vars.attribute("name") : undefined;
    if (child?.kind === "group" && own?.kind === "texts" && own.texts[0]) named.set(own.texts[0], child);
  }
  // An architecture from elsewhere may name its layers otherwise.
  const tells = network.layers.some((layer) => named.has(layer.name));
  const counts = new Map<string, number>();
  for (const layer of network.layers) {
    if (layer.isOperation) continue;
    const base = snakeCase(layer.className);
    const count = counts.get(base) ?? 0;
    counts.set(base, count + 1);
    const found = tells ? named.get(layer.name) : await container.get(count === 0 ? base : `${base}_${count}`);
    if (found?.kind !== "group") continue;
    if (layer.network) await collect(found, layer.network, `${prefix}${layer.name}/`, table, file);
    else put(table, prefix + layer.name, await variables(found, `${prefix}${layer.name}`, file));
  }
}

/** `vars/0`, `vars/1` …, in the order of their numbers. */
async function variables(group: Hdf5Group, layer: string, file: string): Promise<readonly NamedWeight[]> {
  const vars = await group.get("vars");
  if (vars?.kind !== "group") return [];
  const weights: NamedWeight[] = [];
  for (let i = 0; i < vars.names.length; i++) {
    const array = await vars.get(String(i));
    if (array?.kind !== "array")
      throw new ConvlensError(
        "model-invalid",
        `"${file}" is damaged: weight ${i} of layer "${layer}" is not there; download or save it again`,
      );
    weights.push({ name: "", constant: await array.constant("bfloat16") });
  }
  return weights;
}
