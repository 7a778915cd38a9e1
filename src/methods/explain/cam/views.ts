/** Views of one picture for smoothing by augmentation: mirrored or not, times 0.9, 1 and 1.1, as one batch. */
import { ConvlensError } from "../../../core/errors.ts";
import { float32, type Tensor, toFloat32 } from "../../../core/tensor.ts";
import type { Feeds, Model } from "../../../model/model.ts";

export interface View {
  readonly flip: boolean;
  readonly factor: number;
}

export const plainView: View = { flip: false, factor: 1 };

/** The six views of pytorch-grad-cam. Throws `option-invalid` where the input is no single picture tensor. */
export function viewsOf(model: Model, feeds: Feeds): readonly View[] {
  if (model.inputs.length === 1 && pictureOf(feeds)?.dims.length === 4)
    return [false, true].flatMap((flip) => [0.9, 1, 1.1].map((factor) => ({ flip, factor })));
  throw new ConvlensError("option-invalid", `smoothing by aug needs a network whose one input is a picture`);
}

const pictureOf = (feeds: Feeds): Tensor | undefined =>
  "data" in feeds ? (feeds as Tensor) : Object.values(feeds as Readonly<Record<string, Tensor>>)[0];

/** A batch with one row a view. */
export function viewed(feeds: Feeds, views: readonly View[], layout: "NCHW" | "NHWC"): Feeds {
  const picture = pictureOf(feeds)!;
  if (views.length === 1) return feeds;
  const numbers = toFloat32(picture);
  const data = new Float32Array(views.length * numbers.length);
  const [width, inner] = layout === "NCHW" ? [picture.dims[3]!, 1] : [picture.dims[2]!, picture.dims[3]!];
  for (const [row, { flip, factor }] of views.entries())
    for (let i = 0, to = row * numbers.length; i < numbers.length; i++, to++) {
      const x = Math.floor(i / inner) % width;
      data[to] = numbers[flip ? i + (width - 1 - 2 * x) * inner : i]! * factor;
    }
  return float32([views.length, ...picture.dims.slice(1)], data);
}

/** A view's map as the picture lies. */
export function unflipped(map: Float64Array, width: number, { flip }: View): Float64Array {
  if (!flip) return map;
  return map.map((_, i) => map[i + width - 1 - 2 * (i % width)]!);
}
