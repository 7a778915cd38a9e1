/** Names of classes: the lists that ship with Convlens, files of other lists, and finding a class by name. */
import { ConvlensError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import { parseJson } from "./card-parse.ts";
import type { Label } from "./model.ts";

const cifar10 = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/** The lists by id; each is loaded when it is asked for. */
const lists: Readonly<Record<string, () => Promise<readonly Label[]>>> = {
  imagenet: async () => {
    const { imagenet } = await import("./labels/imagenet.generated.ts");
    return imagenet.split("\n").map((line) => ({ wnid: line.slice(0, 9), name: line.slice(10) }));
  },
  "imagenet-1001": async () => [{ name: "background" }, ...(await lists.imagenet!())],
  cifar10: async () => cifar10.map((name) => ({ name })),
};

/** The ids of the lists that ship with Convlens. */
export const labelLists: readonly string[] = Object.keys(lists);

/** A list that ships with Convlens; `undefined` when no list has the id. */
export const labelList = (id: string): Promise<readonly Label[]> | undefined =>
  Object.hasOwn(lists, id) ? lists[id]!() : undefined;

/**
 * Labels from a file: text with one name a line, or JSON: a list of names, `{"0": "tench", …}`, or Keras'
 * `{"0": ["n01440764", "tench"], …}`. Throws `card-invalid`.
 */
export function parseLabels(bytes: Uint8Array, name: string): readonly Label[] {
  const start = new TextDecoder().decode(bytes.subarray(0, 64)).trimStart();
  const labels =
    start.startsWith("[") || start.startsWith("{") ? fromJson(parseJson(bytes, name), name) : fromText(bytes, name);
  if (labels.length === 0) throw new ConvlensError("card-invalid", `"${name}" holds no labels`);
  return labels;
}

function fromText(bytes: Uint8Array, name: string): Label[] {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new ConvlensError("card-invalid", `"${name}" is no list of labels: it is not UTF-8 text`, { cause: error });
  }
  return text
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => labelOf(line.trim()));
}

/** `n01440764 tench` has its WordNet id in front, as synset files write it. */
export function labelOf(line: string): Label {
  const match = /^(n\d{8})[\s,]+(.+)$/.exec(line);
  return match ? { wnid: match[1]!, name: match[2]! } : { name: line };
}

function fromJson(value: unknown, file: string): Label[] {
  const wrong = (what: string) =>
    new ConvlensError("card-invalid", `"${file}" is no list of labels: ${what}; write ["cat", "dog"] or {"0": "cat"}`);
  const entry = (item: unknown): Label => {
    if (typeof item === "string") return labelOf(item);
    if (Array.isArray(item) && item.length >= 2 && item.every((part) => typeof part === "string"))
      return { wnid: item[0] as string, name: item[1] as string };
    throw wrong(`${JSON.stringify(item)?.slice(0, 60)} is no name`);
  };
  if (Array.isArray(value)) return value.map(entry);
  const entries = Object.entries(value as Record<string, unknown>);
  const labels = new Array<Label | undefined>(entries.length);
  for (const [key, item] of entries) {
    const index = Number(key);
    if (!/^\d+$/.test(key) || index >= entries.length)
      throw wrong(`"${key}" is no index from 0 to ${entries.length - 1}`);
    labels[index] = entry(item);
  }
  return labels as Label[];
}

/** A class's name, or "class 7" where none is known. */
export const labelName = (labels: readonly Label[] | undefined, index: number): string =>
  labels?.[index]?.name ?? `class ${index}`;

const plain = (name: string): string => name.toLowerCase().replace(/[\s_-]+/g, "");

/**
 * The index of a class that is named by its index, its name (case, spaces and `_` do not count) or its WordNet id.
 * A part of a name is enough where only one class has it. Throws `label-unknown`, listing candidates or near names.
 */
export function findClass(labels: readonly Label[] | undefined, count: number, wanted: string | number): number {
  if (typeof wanted === "number" || /^\d+$/.test(wanted)) {
    const index = Number(wanted);
    if (Number.isInteger(index) && index >= 0 && index < count) return index;
    throw new ConvlensError("label-unknown", `there is no class ${wanted}: the ${count} classes are 0 to ${count - 1}`);
  }
  if (!labels)
    throw new ConvlensError(
      "label-unknown",
      `"${wanted}" cannot be looked up: this network's ${count} classes have no names; give an index or labels`,
    );
  const usable = labels.slice(0, count);
  const matches = (test: (label: Label) => boolean): number[] => usable.flatMap((label, i) => (test(label) ? [i] : []));
  const names = (label: Label) => [label.name, ...label.name.split(",")].map(plain);
  const exact = matches((label) => names(label).includes(plain(wanted)) || label.wnid === wanted);
  const found = exact.length > 0 ? exact : matches((label) => plain(label.name).includes(plain(wanted)));
  if (found.length === 1) return found[0]!;
  if (found.length === 0) {
    const words = usable.flatMap(({ name }) => [name, ...name.split(/[\s,]+/)]);
    const near = didYouMean(wanted, new Set(words));
    throw new ConvlensError("label-unknown", `no class is called "${wanted}".${near}`);
  }
  const listed = found.slice(0, 8).map((i) => `${i} "${usable[i]!.name}"`);
  const more = found.length > 8 ? ` and ${found.length - 8} more` : "";
  throw new ConvlensError("label-unknown", `"${wanted}" may be ${listed.join(", ")}${more}: give the index`);
}
