/**
 * Regularisers: what keeps a canvas plain. Each subtracts its slope from the objective's, for canvases
 * `[count, channels, height, width]` of any range; `middle` is their grey. All penalties are means over the canvas' own
 * numbers, so that a weight means the same at any size.
 */

export interface Regularizers {
  /** Mean distance from grey. */
  readonly l1?: number;
  /** Mean square of the distance from grey. */
  readonly l2?: number;
  /** Mean square of the steps from pixel to pixel. */
  readonly tv?: number;
  /** Half the mean square of what a 3 x 3 blur takes away; the blurred canvas counts as given (Lucid's `blur_input_each_step`). */
  readonly blur?: number;
  /** Mean square of the distance from grey in a frame of an eighth of the canvas at each side. */
  readonly boundary?: number;
}

interface Size {
  readonly height: number;
  readonly width: number;
}

/** Changes `slope` in place. */
export function regularize(
  canvas: Float32Array,
  slope: Float32Array,
  { height, width }: Size,
  middle: number,
  count: number,
  { l1 = 0, l2 = 0, tv = 0, blur = 0, boundary = 0 }: Regularizers,
): void {
  if (l1 === 0 && l2 === 0 && tv === 0 && blur === 0 && boundary === 0) return;
  // The mean is that of one picture: more pictures in a batch change nothing.
  const each = canvas.length / count;
  const [down, across] = [Math.ceil(height / 8), Math.ceil(width / 8)];
  for (let start = 0; start < canvas.length; start += height * width) {
    for (let y = 0, i = start; y < height; y++)
      for (let x = 0; x < width; x++, i++) {
        const off = canvas[i]! - middle;
        let by = 2 * l2 * off;
        if (l1 !== 0) by += l1 * Math.sign(off);
        if (boundary !== 0 && (y < down || x < across || y >= height - down || x >= width - across))
          by += 2 * boundary * off;
        if (blur !== 0) by += blur * (canvas[i]! - blurred(canvas, start, x, y, width, height));
        if (tv !== 0) {
          if (x > 0) by += 2 * tv * (canvas[i]! - canvas[i - 1]!);
          if (x + 1 < width) by += 2 * tv * (canvas[i]! - canvas[i + 1]!);
          if (y > 0) by += 2 * tv * (canvas[i]! - canvas[i - width]!);
          if (y + 1 < height) by += 2 * tv * (canvas[i]! - canvas[i + width]!);
        }
        slope[i]! -= by / each;
      }
  }
}

/** The mean of a pixel and its neighbours, those counted half, over the weights that lie on the canvas. */
function blurred(canvas: Float32Array, start: number, x: number, y: number, width: number, height: number): number {
  let [sum, weights] = [0, 0];
  for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++)
    for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
      const weight = u === x && v === y ? 1 : 0.5;
      sum += weight * canvas[start + v * width + u]!;
      weights += weight;
    }
  return sum / weights;
}
