/** The first principal component of feature maps: each place's projection on the direction in which channels vary most. */
import { type Contribution, dot, eachContribution, type FeatureMaps, plane, sum } from "./feature-maps.ts";

/** Lanczos steps; the largest singular value of maps is found to round-off in far fewer. */
const mostSteps = 60;

/**
 * Takes what the channels contribute as a matrix of places x channels, subtracts each channel's mean, and projects on
 * the first right singular vector, as pytorch-grad-cam does. A singular vector has no sign: the one is taken with which
 * the projection correlates positively with the mean activation.
 */
export function principalComponent(contribution: Contribution, maps: readonly FeatureMaps[]): Float64Array {
  const { channels, height, width } = maps[0]!;
  const area = height * width;
  // Channel by channel: rows[k] is a column of the matrix.
  const rows: Float64Array[] = [];
  eachContribution(contribution, maps, (part) => {
    const mean = sum(part) / area;
    rows.push(part.map((x) => x - mean));
  });
  const project = (direction: Float64Array): Float64Array => across(rows, direction, area);
  // M M' and M' M have the same largest eigenvalue: the smaller of the two is iterated.
  if (area > channels) return signedBy(project(topVector(channels, (v) => along(rows, project(v)))), maps[0]!);
  const places = topVector(area, (v) => project(along(rows, v)));
  const direction = along(rows, places);
  const length = Math.sqrt(dot(direction, direction));
  return signedBy(length > 0 ? project(direction.map((x) => x / length)) : places.fill(0), maps[0]!);
}

/** Sum over places of each channel times `v`. */
const along = (rows: readonly Float64Array[], v: Float64Array): Float64Array =>
  Float64Array.from(rows, (row) => dot(row, v));

/** Sum over channels, each times its number in `v`. */
function across(rows: readonly Float64Array[], v: Float64Array, area: number): Float64Array {
  const out = new Float64Array(area);
  for (const [k, row] of rows.entries()) for (let i = 0; i < area; i++) out[i]! += row[i]! * v[k]!;
  return out;
}

/** The eigenvector of the largest eigenvalue of a symmetric operator, by Lanczos with full reorthogonalisation. */
function topVector(size: number, apply: (v: Float64Array) => Float64Array): Float64Array {
  const basis: Float64Array[] = [];
  const [diagonal, beside]: [number[], number[]] = [[], []];
  // Any fixed vector that is orthogonal to nothing in particular.
  let next: Float64Array = Float64Array.from({ length: size }, (_, i) => 1 + Math.sin(i + 1));
  let length = Math.sqrt(dot(next, next));
  while (basis.length < Math.min(size, mostSteps) && length > 0) {
    const q = next.map((x) => x / length);
    basis.push(q);
    const w = apply(q);
    diagonal.push(dot(w, q));
    for (let again = 0; again < 2; again++)
      for (const b of basis) {
        const share = dot(w, b);
        for (let i = 0; i < size; i++) w[i]! -= share * b[i]!;
      }
    next = w;
    length = Math.sqrt(dot(w, w));
    if (!(length > 1e-13 * Math.abs(diagonal[0]!))) break;
    beside.push(length);
  }
  const small = topOfTridiagonal(diagonal, beside);
  const out = new Float64Array(size);
  for (const [k, b] of basis.entries()) for (let i = 0; i < size; i++) out[i]! += small[k]! * b[i]!;
  return out;
}

/** The same for a small symmetric tridiagonal matrix: bisection for the eigenvalue, then inverse iteration. */
function topOfTridiagonal(diagonal: readonly number[], beside: readonly number[]): Float64Array {
  const n = diagonal.length;
  const reach = (i: number): number => Math.abs(beside[i - 1] ?? 0) + (i < n - 1 ? Math.abs(beside[i] ?? 0) : 0);
  let low = Math.min(...diagonal.map((d, i) => d - reach(i)));
  let high = Math.max(...diagonal.map((d, i) => d + reach(i)));
  const spread = high - low;
  // All eigenvalues lie below x where the factors of T - x are all negative.
  const allBelow = (x: number): boolean => {
    let pivot = diagonal[0]! - x;
    for (let i = 1; i < n && pivot < 0; i++) pivot = diagonal[i]! - x - beside[i - 1]! ** 2 / pivot;
    return pivot < 0;
  };
  for (let step = 0; step < 100 && spread > 0; step++) {
    const middle = (low + high) / 2;
    if (allBelow(middle)) high = middle;
    else low = middle;
  }
  // A little above the eigenvalue: solvable, and one step brings the vector to round-off.
  const shift = high + 1e-14 * spread;
  let v: Float64Array = new Float64Array(n).fill(1);
  for (let step = 0; step < 4; step++) {
    v = solve(diagonal, beside, shift, v);
    const size = Math.sqrt(dot(v, v));
    if (!(size > 0) || !Number.isFinite(size)) return Float64Array.from({ length: n }, (_, i) => (i === 0 ? 1 : 0));
    v = v.map((x) => x / size);
  }
  return v;
}

/** (T - shift) x = right, by elimination: T - shift is negative definite, so no pivoting is needed. */
function solve(
  diagonal: readonly number[],
  beside: readonly number[],
  shift: number,
  right: Float64Array,
): Float64Array {
  const n = diagonal.length;
  const pivots = new Float64Array(n);
  const x = Float64Array.from(right);
  pivots[0] = Math.min(diagonal[0]! - shift, -Number.MIN_VALUE);
  for (let i = 1; i < n; i++) {
    const share = beside[i - 1]! / pivots[i - 1]!;
    pivots[i] = Math.min(diagonal[i]! - shift - share * beside[i - 1]!, -1e-300);
    x[i]! -= share * x[i - 1]!;
  }
  for (let i = n - 1; i >= 0; i--) x[i] = (x[i]! - (i < n - 1 ? beside[i]! * x[i + 1]! : 0)) / pivots[i]!;
  return x;
}

/** The map, or its negative where that correlates with the mean activation. */
function signedBy(map: Float64Array, activations: FeatureMaps): Float64Array {
  const mean = new Float64Array(map.length);
  for (let channel = 0; channel < activations.channels; channel++) {
    const one = plane(activations, channel);
    for (let i = 0; i < mean.length; i++) mean[i]! += one[i]!;
  }
  // The map's own mean is 0: its columns have none.
  return dot(map, mean) < 0 ? map.map((x) => -x) : map;
}
