/** Boxes around what a map marks: the connected places above a share of its maximum. */
import { type Explained, type Field, outlineField, scaleOf } from "./field.ts";
import { type Rectangle, resample } from "./resample.ts";

/** A box in the photograph's pixels. */
export interface Box extends Rectangle {
  /** The largest value in it, raw. */
  readonly peak: number;
  /** Its part of everything positive in the map, 0 to 1. */
  readonly share: number;
}

/** The longest side of the grid on which places are connected. */
const finest = 512;

/** Specks that hold a smaller part of the whole are no find. */
const leastShare = 0.005;

/**
 * The boxes, the one with the largest part first. The map is enlarged bilinearly to the photograph's pixels (at most 512 a
 * side), places of at least `threshold` times its maximum are connected over edges and corners, and what reaches
 * outside the photograph is cut off. Specks of less than 0.5 % of the whole are left out; none where nothing is positive.
 */
export function boxesOf(
  field: Field,
  region: Rectangle,
  photograph: { readonly width: number; readonly height: number },
  threshold = 0.15,
): readonly Box[] {
  const { max } = scaleOf([field]);
  if (!(max > 0)) return [];
  const reduce = Math.min(1, finest / Math.max(region.width, region.height));
  const across = Math.max(1, Math.round(region.width * reduce));
  const down = Math.max(1, Math.round(region.height * reduce));
  const clean = field.values.map((v) => (v - v === 0 ? v : 0));
  const values = resample(clean, field.height, field.width, down, across);
  const positive = values.reduce((sum, v) => sum + Math.max(0, v), 0);
  const [stepX, stepY] = [region.width / across, region.height / down];
  const boxes = connected(values, down, across, threshold * max).map(({ left, top, right, bottom, peak, sum }) => {
    const x = Math.max(0, region.x + left * stepX);
    const y = Math.max(0, region.y + top * stepY);
    return {
      x,
      y,
      width: Math.min(photograph.width, region.x + right * stepX) - x,
      height: Math.min(photograph.height, region.y + bottom * stepY) - y,
      peak,
      share: sum / positive,
    };
  });
  return boxes
    .filter(({ width, height, share }) => width > 0 && height > 0 && share >= leastShare)
    .sort((a, b) => b.share - a.share);
}

/** The boxes of a result in the photograph's pixels, as mode `boxes` draws them; see `boxesOf`. */
export const explanationBoxes = (
  result: Explained,
  {
    picture,
    region,
  }: { readonly picture: { readonly width: number; readonly height: number }; readonly region: Rectangle },
  threshold?: number,
): readonly Box[] => boxesOf(outlineField(result), region, picture, threshold);

interface Component {
  readonly left: number;
  readonly top: number;
  /** One beyond the last. */
  readonly right: number;
  readonly bottom: number;
  readonly peak: number;
  readonly sum: number;
}

function connected(values: Float32Array, height: number, width: number, least: number): readonly Component[] {
  const seen = new Uint8Array(values.length);
  const found: Component[] = [];
  const stack: number[] = [];
  for (let start = 0; start < values.length; start++) {
    if (seen[start] === 1 || !(values[start]! >= least)) continue;
    let [left, top, right, bottom, peak, sum] = [width, height, 0, 0, 0, 0];
    seen[start] = 1;
    stack.push(start);
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      const [x, y] = [at % width, Math.floor(at / width)];
      [left, right] = [Math.min(left, x), Math.max(right, x + 1)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y + 1)];
      peak = Math.max(peak, values[at]!);
      sum += values[at]!;
      for (let j = Math.max(0, y - 1); j <= Math.min(height - 1, y + 1); j++)
        for (let i = Math.max(0, x - 1); i <= Math.min(width - 1, x + 1); i++) {
          const next = j * width + i;
          if (seen[next] === 1 || !(values[next]! >= least)) continue;
          seen[next] = 1;
          stack.push(next);
        }
    }
    found.push({ left, top, right, bottom, peak, sum });
  }
  return found;
}
