/**
 * Reads HDF5 files as Keras writes them: groups, attributes, arrays. Only structures are read when a file is opened;
 * contiguous arrays are handed on as references into the file (docs/decisions.md says why no library does this).
 */
import type { ElementType } from "../../core/tensor.ts";
import type { Constant } from "../../graph/graph.ts";
import type { Region } from "../region.ts";
import { type AttributeValue, attributesOf } from "./attributes.ts";
import { damaged } from "./bytes.ts";
import { arrayInfo, readArray } from "./dataset.ts";
import { membersOf } from "./groups.ts";
import { type Hdf5File, readMessages, readSuperblock } from "./headers.ts";

interface Described {
  /** From the root, without a slash at the beginning; "" is the root. */
  readonly path: string;
  attribute(name: string): Promise<AttributeValue | undefined>;
}

export interface Hdf5Array extends Described {
  readonly kind: "array";
  readonly dims: readonly number[];
  /** The array's content: a reference where it lies contiguously. Opaque data of two bytes is taken as `opaque`. */
  constant(opaque?: ElementType): Promise<Constant>;
}

export interface Hdf5Group extends Described {
  readonly kind: "group";
  /** In the file's order, which is alphabetical. */
  readonly names: readonly string[];
  /** The member at a path below (`dense/vars/0`); `undefined` where there is none. */
  get(path: string): Promise<Hdf5Group | Hdf5Array | undefined>;
}

/** Opens the root group. Throws `file-truncated`, `model-invalid`, `model-unsupported`. */
export async function openHdf5(region: Region): Promise<Hdf5Group> {
  const { file, root } = await readSuperblock(region);
  const group = await openObject(file, root, "");
  if (group?.kind !== "group") throw damaged(region, "its root is no group");
  return group;
}

async function openObject(file: Hdf5File, address: number, path: string): Promise<Hdf5Group | Hdf5Array | undefined> {
  const messages = await readMessages(file, address);
  const attributes = attributesOf(messages, file);
  const described: Described = { path, attribute: async (name) => attributes.get(name)?.() };
  const members = await membersOf(messages, file);
  if (members) return groupOf(described, file, members);
  const info = arrayInfo(messages, file);
  // Named datatypes are neither.
  if (!info) return undefined;
  return {
    ...described,
    kind: "array",
    dims: info.dims,
    constant: (opaque) => readArray(path, messages, file, opaque),
  };
}

function groupOf(described: Described, file: Hdf5File, members: ReadonlyMap<string, number>): Hdf5Group {
  const opened = new Map<string, Promise<Hdf5Group | Hdf5Array | undefined>>();
  const child = (name: string): Promise<Hdf5Group | Hdf5Array | undefined> | undefined => {
    const address = members.get(name);
    if (address === undefined) return undefined;
    const known = opened.get(name) ?? openObject(file, address, described.path ? `${described.path}/${name}` : name);
    opened.set(name, known);
    return known;
  };
  return {
    ...described,
    kind: "group",
    names: [...members.keys()],
    get: async (path) => {
      const [first = "", ...rest] = path.split("/").filter((part) => part !== "");
      const found = await child(first);
      return rest.length === 0 || found?.kind !== "group"
        ? rest.length === 0
          ? found
          : undefined
        : found.get(rest.join("/"));
    },
  };
}
