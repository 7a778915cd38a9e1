/** The layer table that a file carries in its metadata (key `convlens.layers`), checked before anyone relies on it. */
import { ConvlensError } from "../../core/errors.ts";
import type { Layout } from "../../core/layers.ts";
import type { Graph } from "../../graph/graph.ts";
import type { LayerRecord } from "../format.ts";

export const LAYERS_KEY = "convlens.layers";

export interface LayerTable {
  readonly sourceLayout: Layout;
  readonly layers: readonly LayerRecord[];
}

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === "string" && value !== "";
const isLayout = (value: unknown): value is Layout => value === "NCHW" || value === "NHWC";
const isFlag = (value: unknown): boolean => value === undefined || typeof value === "boolean";
const isOrder = (value: unknown): boolean =>
  Array.isArray(value) && value.toSorted((a, b) => a - b).every((axis, i) => axis === i);

/** Throws `model-invalid`, naming the row and the field, when the table does not fit the graph. */
export function parseLayers(json: string, graph: Graph, fileName: string): LayerTable {
  const fail = (what: string): never => {
    throw new ConvlensError(
      "model-invalid",
      `the layer table of ${fileName} (metadata "${LAYERS_KEY}"): ${what}; remove that entry or write it again`,
    );
  };
  const need = (holds: boolean, what: string): void => {
    if (!holds) fail(what);
  };
  let table: unknown;
  try {
    table = JSON.parse(json);
  } catch (error) {
    return fail(`no valid JSON (${error instanceof Error ? error.message : error})`);
  }
  if (!isFields(table)) return fail("no JSON object");
  const { version, sourceLayout, layers } = table;
  need(version === 1, `version is ${JSON.stringify(version)}, expected 1`);
  if (!isLayout(sourceLayout)) return fail(`sourceLayout is ${JSON.stringify(sourceLayout)}, expected NCHW or NHWC`);
  if (!Array.isArray(layers)) return fail("layers is no array");

  const values = new Set([...graph.inputs, ...graph.constants.keys(), ...graph.nodes.flatMap((node) => node.outputs)]);
  const names = new Set<string>();
  for (const [i, row] of layers.entries()) {
    if (!isFields(row) || !isText(row.name)) return fail(`row ${i} has no name`);
    const { name, output, layout, inputs, weights = [], trainable } = row;
    const at = `layer "${name}"`;
    need(!names.has(name), `${at} is there twice`);
    names.add(name);
    need(isText(row.class), `${at} has no class`);
    need(isText(output) && values.has(output), `${at} has the output ${JSON.stringify(output)}, no value of the graph`);
    need(layout === undefined || isLayout(layout), `${at} has the layout ${JSON.stringify(layout)}`);
    need(Array.isArray(inputs) && inputs.every(isText), `${at} has no list of input names`);
    need(row.within === undefined || isText(row.within), `${at}: within is no name`);
    need(isFlag(trainable), `${at}: trainable is neither true nor false`);
    if (!Array.isArray(weights)) return fail(`${at} has no list of weights`);
    for (const weight of weights) {
      if (!isFields(weight) || !isText(weight.name)) return fail(`${at} has a weight without a name`);
      const { value, axes } = weight;
      const part = `${at}, weight "${weight.name}"`;
      need(isText(value) && values.has(value), `${part} has the value ${JSON.stringify(value)}, none of the graph`);
      need(axes === undefined || isOrder(axes), `${part}: axes are no order of axes`);
      need(isFlag(weight.trainable), `${part}: trainable is neither true nor false`);
    }
  }
  return { sourceLayout, layers: (layers as LayerRecord[]).map((row) => ({ ...row, weights: row.weights ?? [] })) };
}
