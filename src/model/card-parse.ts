/** Reads model cards and preprocessing files: each field checked, with the field, the value and what it may be in the error. */
import { ConvlensError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import type { ModelCard, Preprocessing } from "./card.ts";

/** Why a value does not fit a field, or `undefined`. */
type Check = (value: unknown) => string | undefined;
type Fields = Readonly<Record<string, Check>>;

const text: Check = (value) => (typeof value === "string" ? undefined : "must be a text");
const positive: Check = (value) =>
  typeof value === "number" && Number.isFinite(value) && value > 0 ? undefined : "must be a number above 0";
const side: Check = (value) =>
  Number.isInteger(value) && (value as number) > 0 && (value as number) <= 16384
    ? undefined
    : "must be a whole number from 1 to 16384";
const oneOf =
  (...choices: readonly unknown[]): Check =>
  (value) =>
    choices.includes(value)
      ? undefined
      : `must be one of ${choices.map((choice) => JSON.stringify(choice)).join(", ")}`;
const listOf =
  (check: Check, lengths: readonly number[], what: string): Check =>
  (value) =>
    Array.isArray(value) && lengths.includes(value.length) && value.every((item) => check(item) === undefined)
      ? undefined
      : `must be ${what}`;
const number: Check = (value) => (typeof value === "number" && Number.isFinite(value) ? undefined : "must be a number");

const preprocessingFields: Record<keyof Preprocessing, Check> = {
  size: listOf(side, [2], "[height, width], whole numbers from 1 to 16384"),
  resize: oneOf("nearest", "bilinear", "bicubic", "lanczos", "box"),
  resizeLibrary: oneOf("pil", "opencv", "tensorflow"),
  fit: oneOf("stretch", "crop", "pad"),
  cropSide: side,
  scale: positive,
  mean: listOf(number, [1, 3], "a list of 3 numbers (1 for grey networks)"),
  std: listOf(positive, [1, 3], "a list of 3 numbers above 0 (1 for grey networks)"),
  channels: oneOf("RGB", "BGR", "gray"),
  layout: oneOf("NCHW", "NHWC"),
};

const cardFields: Record<keyof ModelCard, Check> = {
  version: oneOf(1),
  id: text,
  title: text,
  description: text,
  preprocessing: (value) =>
    typeof value === "string" || isObject(value) ? undefined : "must be a mode's name or an object",
  labels: (value) =>
    typeof value === "string" || (Array.isArray(value) && value.every((item) => typeof item === "string"))
      ? undefined
      : "must be the id of a list or a list of texts",
  activation: oneOf("softmax", "sigmoid", "none", null),
  licence: text,
  source: text,
  trainingData: text,
  accuracy: (value) => (isObject(value) ? undefined : "must be an object"),
  sha256: (value) =>
    typeof value === "string" && /^[0-9a-f]{64}$/i.test(value) ? undefined : "must be 64 hexadecimal digits",
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A model card from JSON bytes; `name` is the file's, for errors. Throws `card-invalid`. */
export function parseCard(bytes: Uint8Array, name: string): ModelCard {
  const value = checked(parseJson(bytes, name), cardFields, name, "a model card");
  if (value.version === undefined) throw invalid(name, `has no "version"; write "version": 1`);
  if (isObject(value.preprocessing)) checked(value.preprocessing, preprocessingFields, name, "preprocessing");
  return value as unknown as ModelCard;
}

/** Preprocessing from JSON bytes: the fields of `Preprocessing`, any of them, or a whole model card. Throws `card-invalid`. */
export function parsePreprocessing(bytes: Uint8Array, name: string): Partial<Preprocessing> | string {
  const value = parseJson(bytes, name);
  if (isObject(value) && "version" in value) return parseCard(bytes, name).preprocessing ?? {};
  return checkPreprocessing(value, name);
}

/** The same for a value that is parsed already. Throws `card-invalid`. */
export const checkPreprocessing = (value: unknown, name: string): Partial<Preprocessing> =>
  checked(value, preprocessingFields, name, "preprocessing") as Partial<Preprocessing>;

function checked(value: unknown, fields: Fields, name: string, what: string): Record<string, unknown> {
  if (!isObject(value)) throw invalid(name, `is no ${what.replace(/^a /, "")}: it must be a JSON object`);
  for (const [field, item] of Object.entries(value)) {
    const check = Object.hasOwn(fields, field) ? fields[field] : undefined;
    if (!check)
      throw invalid(name, `has an unknown field "${field}" in ${what}.${didYouMean(field, Object.keys(fields))}`);
    const wrong = check(item);
    if (wrong !== undefined) throw invalid(name, `has "${field}": ${short(item)} in ${what}; it ${wrong}`);
  }
  return value;
}

const short = (value: unknown): string => {
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 60 ? `${json.slice(0, 60)}…` : json;
};

const invalid = (name: string, what: string): ConvlensError => new ConvlensError("card-invalid", `"${name}" ${what}`);

/** JSON of UTF-8 bytes (a byte-order mark is skipped). Throws `card-invalid` with the parser's words. */
export function parseJson(bytes: Uint8Array, name: string): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    const why = error instanceof SyntaxError ? error.message : "it is not UTF-8 text";
    throw new ConvlensError("card-invalid", `"${name}" is no JSON: ${why.replace(/\s+/g, " ")}`, { cause: error });
  }
}
