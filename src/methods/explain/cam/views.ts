/** Views of one picture for smoothing by augmentation: mirrored or not, times 0.9, 1 and 1.1, as one batch. */
import { ConvlensError } from "../../../core/errors.ts";
import type { Layout } from "../../../core/layers.ts";
import type { Feeds } from "../../../model/model.ts";
import type { Subject } from "../pixels/passes.ts";

export interface View {
  readonly flip: boolean;
  readonly factor: number;
}

export const plainView: View = { flip: false, factor: 1 };

/** Those of pytorch-grad-cam; the middle one of the first three is the picture itself. */
export const sixViews: readonly View[] = [false, true].flatMap((flip) =>
  [0.9, 1, 1.1].map((factor) => ({ flip, factor })),
);

/** A batch with one row a view. Throws `option-invalid` where the input is no picture. */
export function viewed({ x, dims, feeds }: Subject, layout: Layout, views: readonly View[]): Feeds {
  if (dims.length !== 3) throw new ConvlensError("option-invalid", "smoothing by aug needs a picture as input");
  const data = new Float32Array(views.length * x.length);
  const [width, inner] = layout === "NCHW" ? [dims[2]!, 1] : [dims[1]!, dims[2]!];
  for (const [row, { flip, factor }] of views.entries())
    for (let i = 0, to = row * x.length; i < x.length; i++, to++) {
      const column = Math.floor(i / inner) % width;
      data[to] = x[flip ? i + (width - 1 - 2 * column) * inner : i]! * factor;
    }
  return feeds(data, views.length);
}

/** A view's map as the picture lies. */
export function unflipped(map: Float64Array, width: number, { flip }: View): Float64Array {
  return flip ? map.map((_, i) => map[i + width - 1 - 2 * (i % width)]!) : map;
}
