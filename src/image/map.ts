/** Resizing of heat maps: one channel of plain numbers. */

/** For each output: the lower source index, the upper one, and the share of the upper. */
function positions(from: number, to: number): { lower: Int32Array; upper: Int32Array; share: Float32Array } {
  const scale = from / to;
  const [lower, upper, share] = [new Int32Array(to), new Int32Array(to), new Float32Array(to)];
  for (let i = 0; i < to; i++) {
    const position = Math.min(Math.max((i + 0.5) * scale - 0.5, 0), from - 1);
    lower[i] = Math.floor(position);
    upper[i] = Math.min(lower[i]! + 1, from - 1);
    share[i] = position - lower[i]!;
  }
  return { lower, upper, share };
}

/**
 * Bilinear resizing of `values` (`height` x `width`, row by row) to `outHeight` x `outWidth`: half-pixel centres,
 * clamped edges, no antialias, as OpenCV's `resize(…, INTER_LINEAR)` on float arrays and PyTorch's
 * `interpolate(mode="bilinear", align_corners=False)`.
 */
export function resizeMap(
  values: Float32Array,
  height: number,
  width: number,
  outHeight: number,
  outWidth: number,
): Float32Array {
  const rows = positions(height, outHeight);
  const columns = positions(width, outWidth);
  const out = new Float32Array(outHeight * outWidth);
  for (let y = 0, to = 0; y < outHeight; y++) {
    const top = rows.lower[y]! * width;
    const bottom = rows.upper[y]! * width;
    const down = rows.share[y]!;
    for (let x = 0; x < outWidth; x++, to++) {
      const left = columns.lower[x]!;
      const right = columns.upper[x]!;
      const across = columns.share[x]!;
      const above = values[top + left]! * (1 - across) + values[top + right]! * across;
      const below = values[bottom + left]! * (1 - across) + values[bottom + right]! * across;
      out[to] = above * (1 - down) + below * down;
    }
  }
  return out;
}
