/** The JSON of results: `{ "version": 1, "kind": … }`, stable, without times, so that the same run gives the same bytes. */
import type { Answer, ClassScore, NamedTensor, Result } from "./result.ts";
import type { Tensor } from "./tensor.ts";

/** A result as plain data for `JSON.stringify`. Arrays of tensors stay out: they go into `.npy` files. */
export function toJson(result: Result): Record<string, unknown> {
  const { origin, notes } = result;
  return {
    version: 1,
    kind: result.kind,
    ...body(result),
    method: origin.method,
    model: origin.model,
    ...(origin.input === undefined ? {} : { input: origin.input }),
    ...(origin.preprocessing === undefined ? {} : { preprocessing: origin.preprocessing }),
    options: origin.options,
    engine: origin.engine,
    notes,
  };
}

function body(result: Result): Record<string, unknown> {
  switch (result.kind) {
    case "summary":
      return {
        inputs: result.inputs,
        layers: result.layers.map((layer) => ({
          name: layer.name,
          class: layer.class,
          outputShape: layer.shape,
          parameters: layer.parameters,
          inputs: layer.inputs,
          multiplyAdds: layer.multiplyAdds,
        })),
        totals: result.totals,
      };
    case "prediction":
      return { predictions: result.predictions, output: result.output };
    case "tensors":
      return { what: result.what, tensors: result.tensors.map(describe) };
    case "measure":
      return { title: result.title, columns: result.columns, rows: result.rows };
    case "map":
    case "attribution": {
      const { target, signed } = result;
      const values = result.kind === "map" ? result.map : result.values;
      return {
        title: result.title,
        target: {
          index: target.index,
          label: target.label,
          of: target.of,
          score: finite(target.score),
          probability: finite(target.probability),
        },
        ...(result.kind === "map"
          ? { layer: layerOf(result.layers) }
          : { layout: result.layout, completeness: result.completeness ?? null }),
        signed,
        shape: values.dims,
        range: rangeOf(values),
      };
    }
    case "attack": {
      const { title, success, targeted, to, queries, gradients, ended, margin, pixels, distance } = result;
      const { before, after } = result;
      const margins = { before: finite(margin.before), after: finite(margin.after) };
      const outcome = { title, success, targeted, to, queries, gradients, ended, margin: margins };
      return { ...outcome, pixels, distance, before: answer(before), after: answer(after) };
    }
    case "evaluation": {
      const { title, pictures, untargeted, targeted, anyTarget, classes, matrix, reached } = result;
      return { title, pictures, untargeted, targeted, anyTarget, classes, matrix, reached };
    }
    case "images":
      return {
        title: result.title,
        of: result.of,
        images: result.images.map(({ label, values, reached, probability, reference, dead }) => ({
          label,
          shape: values.dims,
          range: rangeOf(values),
          reached: finite(reached),
          probability: finite(probability),
          reference: finite(reference),
          dead,
        })),
        grid: result.grid,
        losses: result.losses.map(finite),
      };
    case "list":
      return { rows: result.rows };
  }
}

/** One layer by its name, several as a list, none as `null`. */
const layerOf = (layers: readonly string[]): unknown => (layers.length > 1 ? layers : (layers[0] ?? null));

/** An answer without the numbers that JSON has not. */
function answer({ predictions, ...best }: Answer): Record<string, unknown> {
  const plain = (p: ClassScore) => ({ ...p, probability: finite(p.probability), score: finite(p.score) });
  return { ...plain(best), predictions: predictions.map(plain) };
}

/** JSON has no NaN and no infinity: they are written as text. */
const finite = (value: number | null): unknown => (value === null || Number.isFinite(value) ? value : String(value));

/** Name, shape and range of an array. */
function describe({ layer, part, tensor }: NamedTensor): Record<string, unknown> {
  return { layer: layer.name, class: layer.class, part, shape: tensor.dims, range: rangeOf(tensor) };
}

/** The smallest and the largest number, NaN left out; `null` where there is none. */
function rangeOf({ data }: Tensor<"float32">): readonly [unknown, unknown] | null {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const x of data) {
    if (x < min) min = x;
    if (x > max) max = x;
  }
  return min <= max ? [finite(min), finite(max)] : null;
}
