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

/** Changes `slope` in place. The mean is that of one picture: more pictures in a batch change nothing. */
export function regularize(
  canvas: Float32Array,
  slope: Float32Array,
  size: Size,
  middle: number,
  count: number,
  { l1 = 0, l2 = 0, tv = 0, blur = 0, boundary = 0 }: Regularizers,
): void {
  const each = canvas.length / count;
  if (l1 !== 0) for (let i = 0; i < canvas.length; i++) slope[i]! -= (l1 / each) * Math.sign(canvas[i]! - middle);
  for (let start = 0; start < canvas.length; start += size.height * size.width) {
    if (l2 !== 0 || tv !== 0) pull(canvas, slope, start, size, middle, (2 * l2) / each, (2 * tv) / each);
    if (blur !== 0) soften(canvas, slope, start, size, blur / each);
    if (boundary !== 0) clear(canvas, slope, start, size, middle, (2 * boundary) / each);
  }
}

/** Each pixel is pulled to grey and to its neighbours; beyond an edge it is its own. */
function pull(
  canvas: Float32Array,
  slope: Float32Array,
  start: number,
  { height, width }: Size,
  middle: number,
  toGrey: number,
  toNeighbours: number,
): void {
  for (let y = 0; y < height; y++) {
    const up = y > 0 ? width : 0;
    const down = y + 1 < height ? width : 0;
    const first = start + y * width;
    const last = first + width - 1;
    let left = canvas[first]!;
    let here = left;
    for (let i = first; i < last; i++) {
      const right = canvas[i + 1]!;
      const around = left + right + canvas[i - up]! + canvas[i + down]!;
      slope[i]! += toNeighbours * (around - 4 * here) - toGrey * (here - middle);
      left = here;
      here = right;
    }
    // Apart: asked at each pixel whether it is the last, the loop takes a tenth more of a step.
    const around = left + here + canvas[last - up]! + canvas[last + down]!;
    slope[last]! += toNeighbours * (around - 4 * here) - toGrey * (here - middle);
  }
}

function soften(canvas: Float32Array, slope: Float32Array, start: number, { height, width }: Size, by: number): void {
  for (let y = 0, i = start; y < height; y++)
    for (let x = 0; x < width; x++, i++) slope[i]! -= by * (canvas[i]! - blurred(canvas, start, x, y, width, height));
}

function clear(
  canvas: Float32Array,
  slope: Float32Array,
  start: number,
  { height, width }: Size,
  middle: number,
  by: number,
): void {
  const [down, across] = [Math.ceil(height / 8), Math.ceil(width / 8)];
  for (let y = 0, i = start; y < height; y++)
    for (let x = 0; x < width; x++, i++)
      if (y < down || x < across || y >= height - down || x >= width - across) slope[i]! -= by * (canvas[i]! - middle);
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
