/** The JSON of results: `{ "version": 1, "kind": … }`, stable, without times, so that the same run gives the same bytes. */
import type { NamedTensor, Result } from "./result.ts";

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
    case "list":
      return { rows: result.rows };
  }
}

/** Name, shape and range of an array. */
function describe({ layer, part, tensor }: NamedTensor): Record<string, unknown> {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const x of tensor.data) {
    if (x < min) min = x;
    if (x > max) max = x;
  }
  return { layer: layer.name, class: layer.class, part, shape: tensor.dims, range: min <= max ? [min, max] : null };
}
