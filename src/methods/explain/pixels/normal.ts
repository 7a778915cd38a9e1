/** Normal noise by the hundred thousand: taken from a table, since logarithms and sines take longer than small networks. */
import type { Random } from "../../../core/random.ts";

const COUNT = 2 ** 16;
let table: Float32Array | undefined;

/** The standard normal distribution in 65536 equally likely numbers: its quantiles at (k + 1/2) / 65536. */
function quantiles(): Float32Array {
  if (table) return table;
  table = new Float32Array(COUNT);
  for (let k = 0; k < COUNT / 2; k++) {
    const z = lowerQuantile((k + 0.5) / COUNT);
    table[k] = z;
    table[COUNT - 1 - k] = -z;
  }
  return table;
}

/** `into` = `from` + sigma times standard normal numbers; two of them come from each 32 random bits. */
export function addNormal(from: Float32Array, sigma: number, stream: Random, into: Float32Array): void {
  const normal = quantiles();
  for (let i = 0; i < from.length; i += 2) {
    const bits = (stream.uniform() * 2 ** 32) >>> 0;
    into[i] = from[i]! + sigma * normal[bits & 0xffff]!;
    if (i + 1 < from.length) into[i + 1] = from[i + 1]! + sigma * normal[bits >>> 16]!;
  }
}

/** The z below which a share p <= 1/2 of a standard normal lies, to 1e-9 (Acklam's rational approximation). */
function lowerQuantile(p: number): number {
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p));
    return (
      polynomial(
        [
          ...[-7.784894002430293e-3, -3.223964580411365e-1, -2.400758277161838, -2.549732539343734],
          ...[4.374664141464968, 2.938163982698783],
        ],
        q,
      ) / polynomial([7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416, 1], q)
    );
  }
  const q = p - 0.5;
  const above = [
    ...[-3.969683028665376e1, 2.209460984245205e2, -2.759285104469687e2, 1.38357751867269e2],
    ...[-3.066479806614716e1, 2.506628277459239],
  ];
  const below = [
    ...[-5.447609879822406e1, 1.615858368580409e2, -1.556989798598866e2, 6.680131188771972e1],
    ...[-1.328068155288572e1, 1],
  ];
  return (polynomial(above, q * q) * q) / polynomial(below, q * q);
}

/** Horner's scheme, the highest power first. */
const polynomial = (coefficients: readonly number[], x: number): number =>
  coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);
