/** A layer's configuration, read with care: files are not always what Keras wrote, and old Keras leaves entries out. */
import { sizeOf } from "../../../core/tensor.ts";
import type { LayerRecord } from "../../format.ts";
import type { EmitContext, KerasLayer } from "../layer.ts";
import { numbersOf } from "./numbers.ts";

/** Typed reads. An absent or null entry is the default; any other wrong value throws `model-invalid`. */
export interface Settings {
  number(key: string, otherwise: number): number;
  /** A number that may be left out (ReLU's `max_value`). */
  optional(key: string): number | undefined;
  /** An integer, at least 1. */
  count(key: string, otherwise?: number): number;
  flag(key: string, otherwise: boolean): boolean;
  choice<T extends string>(key: string, choices: readonly T[], otherwise: T): T;
  /** One integer for each spatial axis, at least 1; a single one stands for all. */
  counts(key: string, length: number, otherwise?: number): readonly number[];
  /** Integers of any sign; a single one is a list of one. */
  integers(key: string, otherwise: readonly number[]): readonly number[];
}

const isInteger = (value: unknown): value is number => Number.isSafeInteger(value);

export function settingsOf(layer: KerasLayer, context: EmitContext): Settings {
  const has = (key: string): boolean => Object.hasOwn(layer.config, key) && layer.config[key] !== null;
  const wrong = (key: string, expected: string): never =>
    context.invalid(layer, `has ${key} ${JSON.stringify(layer.config[key] ?? null)}, expected ${expected}`);
  const read = <T>(key: string, otherwise: T | undefined, holds: (value: unknown) => boolean, expected: string): T => {
    if (!has(key)) return otherwise === undefined ? wrong(key, expected) : otherwise;
    return holds(layer.config[key]) ? (layer.config[key] as T) : wrong(key, expected);
  };
  const oneNumber = (key: string): number => {
    const given = layer.config[key];
    const [number, ...others] = typeof given === "number" ? [given] : (numbersOf(given)?.data ?? []);
    return number !== undefined && Number.isFinite(number) && others.length === 0 ? number : wrong(key, "a number");
  };
  const isCount = (value: unknown): boolean => isInteger(value) && value >= 1;
  return {
    number: (key, otherwise) => (has(key) ? oneNumber(key) : otherwise),
    optional: (key) => (has(key) ? oneNumber(key) : undefined),
    count: (key, otherwise) => read(key, otherwise, isCount, "an integer of 1 or more"),
    flag: (key, otherwise) => read(key, otherwise, (value) => typeof value === "boolean", "true or false"),
    choice: <T extends string>(key: string, choices: readonly T[], otherwise: T) =>
      read<T>(key, otherwise, (value) => choices.includes(value as T), choices.map((c) => `"${c}"`).join(" or ")),
    counts(key, length, otherwise) {
      const filled = (n: number): number[] => new Array<number>(length).fill(n);
      const expected = length === 1 ? "an integer of 1 or more" : `${length} integers of 1 or more`;
      const holds = (value: unknown): boolean =>
        isCount(value) || (Array.isArray(value) && value.length === length && value.every(isCount));
      const value = read<number | number[]>(key, otherwise, holds, expected);
      return typeof value === "number" ? filled(value) : value;
    },
    integers(key, otherwise) {
      const holds = (value: unknown): boolean => isInteger(value) || (Array.isArray(value) && value.every(isInteger));
      const value = read<number | readonly number[]>(key, otherwise, holds, "integers");
      return typeof value === "number" ? [value] : value;
    },
  };
}

/** The layer's weights, checked. */
export interface LayerWeights {
  readonly records: LayerRecord["weights"];
  /** The weight as float32 value of the graph, transposed and reshaped as wished. */
  value(name: string, wish?: { readonly axes?: readonly number[]; readonly shape?: readonly number[] }): string;
}

/**
 * Checks the layer's weights against what its configuration says: `expected` has one entry for each, in Keras' order,
 * `~` before the name of one that is not trained; `null` is any size. Throws `model-invalid`.
 */
export function weightsOf(
  layer: KerasLayer,
  context: EmitContext,
  expected: readonly (readonly [name: string, shape: readonly (number | null)[]])[],
): LayerWeights {
  const records = context.weightRecords(
    layer,
    expected.map(([name]) => name),
  );
  const names = expected.map(([name]) => name.replace("~", ""));
  for (const [i, [, shape]] of expected.entries()) {
    const { dims } = layer.weights[i]!;
    if (dims.length !== shape.length || !shape.every((n, k) => n === null || n === dims[k]))
      context.invalid(
        layer,
        `has a ${names[i]} of shape [${dims.join(", ")}] in the file, its configuration asks for [${shape.map((n) => n ?? "?").join(", ")}]`,
      );
    if (sizeOf(dims) === 0) context.invalid(layer, `has an empty ${names[i]}, shape [${dims.join(", ")}]`);
  }
  return { records, value: (name, wish) => context.constant(layer.weights[names.indexOf(name)]!, wish) };
}

/** The one value that a layer is given. Throws `model-invalid` where the file gives it none or several. */
export function onlyInput(layer: KerasLayer, inputs: readonly string[], context: EmitContext): string {
  const [input] = inputs;
  return inputs.length === 1 && input !== undefined
    ? input
    : context.invalid(layer, `is given ${inputs.length} values, expected one`);
}
