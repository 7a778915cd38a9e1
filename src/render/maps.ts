/** A layer's activations for one picture as maps, one a channel, whatever the source layout. */
import { ConvlensError } from "../core/errors.ts";
import type { Layout } from "../core/layers.ts";
import type { NamedTensor } from "../core/result.ts";
import { shapeText } from "./numbers.ts";

export interface Maps {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** All values of the picture, in source layout. */
  readonly data: Float32Array;
  /** The values of one channel, rows from the top; good until the next call. */
  channel(index: number): Float32Array;
}

/**
 * Splits one picture's activations. NHWC has channels last, NCHW before the last two axes; further axes are taken as
 * rows (NHWC) or channels (NCHW), axes that are not there as 1. Throws `option-invalid` for an empty tensor or a picture
 * outside the batch.
 */
export function mapsOf({ layer, tensor }: NamedTensor, layout: Layout, batch = 0): Maps {
  const [pictures, ...inner] = tensor.dims;
  if (pictures === undefined || inner.length === 0 || tensor.data.length === 0)
    throw new ConvlensError(
      "option-invalid",
      `layer "${layer.name}" has an output of shape ${shapeText(tensor.dims)}: a sheet needs a batch axis and at least one value`,
    );
  if (!(batch >= 0 && batch < pictures))
    throw new ConvlensError("option-invalid", `picture ${batch} of "${layer.name}": the batch holds ${pictures}`);
  const product = (list: readonly number[]) => list.reduce((a, b) => a * b, 1);
  const last = layout === "NHWC" || inner.length === 1;
  const channels = last ? inner.at(-1)! : product(inner.slice(0, -2));
  const width = (last ? inner.at(-2) : inner.at(-1)) ?? 1;
  const height = last ? product(inner.slice(0, -2)) : inner.at(-2)!;
  const size = height * width;
  const data = tensor.data.subarray(batch * size * channels, (batch + 1) * size * channels);
  const plane = new Float32Array(last ? size : 0);
  const channel = (index: number): Float32Array => {
    if (!last) return data.subarray(index * size, (index + 1) * size);
    for (let i = 0, at = index; i < size; i++, at += channels) plane[i] = data[at]!;
    return plane;
  };
  return { channels, height, width, data, channel };
}
