/** Keras' JSON: Python writes Infinity and NaN bare, and Keras wraps tuples, arrays and slices in objects. */
import { ConvlensError } from "../../core/errors.ts";

export type Fields = Readonly<Record<string, unknown>>;

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
export const isText = (value: unknown): value is string => typeof value === "string";
export const isCount = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 0;

/** Deeper than any architecture: nested networks take a handful of levels each. */
const DEEPEST = 200;
const LARGEST = 64 * 2 ** 20;

/** Parses JSON that Python or JavaScript wrote. `what` names it in the error, `model-invalid`. */
export function parseJson(text: string, what: string): unknown {
  const fail = (why: string): never => {
    throw new ConvlensError("model-invalid", `${what} ${why}; save the model again`);
  };
  if (text.length > LARGEST) return fail(`has ${text.length} characters of JSON, more than any network's`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    try {
      value = JSON.parse(withoutBareNumbers(text));
    } catch {
      return fail(`is no valid JSON (${(error instanceof Error ? error.message : String(error)).slice(0, 120)})`);
    }
  }
  return unwrapped(value, 0, () => fail("is nested too deeply"));
}

const bare = /"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g;
const withoutBareNumbers = (text: string): string =>
  text.replace(bare, (token) =>
    token[0] === '"' ? token : token === "NaN" ? "null" : token.replace("Infinity", "1e999"),
  );

/** The same with tuples and constant arrays as plain lists. */
function unwrapped(value: unknown, depth: number, tooDeep: () => never): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (depth > DEEPEST) return tooDeep();
  const inner = (item: unknown): unknown => unwrapped(item, depth + 1, tooDeep);
  if (Array.isArray(value)) return value.map(inner);
  const fields = value as Fields;
  const kind = fields.class_name;
  if (kind === "__tuple__" && Array.isArray(fields.items)) return fields.items.map(inner);
  if ((kind === "__numpy__" || kind === "__tensor__") && isFields(fields.config)) return inner(fields.config.value);
  return Object.fromEntries(Object.entries(fields).map(([key, item]) => [key, inner(item)]));
}
