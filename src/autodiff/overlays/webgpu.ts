/**
 * Rules for ONNX Runtime's WebGPU engine: its MaxPool gives no indices, and arithmetic on 64-bit integers runs on the
 * CPU, at the cost of copies. These forms use float32 alone; on the CPU they are 4 to 6 times slower.
 */
import { float32 } from "../../core/tensor.ts";
import type { Overlay, Rule } from "../rule.ts";
import { spreadBy } from "../spread.ts";
import { poolWindow } from "../window.ts";

/** Less than any activation, for what lies around the map. */
const LOWEST = -3.4e38;

/**
 * The taps of the window one after the other, in row order: each takes the gradient where it is the maximum and no tap
 * before it was. A transposed convolution with one kernel for each tap puts them where they came from.
 */
const MaxPool: Rule = (dy, context) => {
  const { emit, x, y, fail, int: attribute } = context;
  if (attribute("storage_order", 0) !== 0) fail("its indices count columns first (storage_order 1)");
  const window = poolWindow(context);
  const { kernel, strides, dilations, extent, pads, size, out } = window;
  const channels = emit.shape(x())[1];
  if (typeof channels !== "number") return fail("its number of channels is not known");
  const begins = kernel.map((_, i) => pads[i]!);
  const ends = kernel.map((_, i) => Math.max(0, (out[i]! - 1) * strides[i]! + extent[i]! - begins[i]! - size[i]!));
  const isPadded = [...begins, ...ends].some((n) => n > 0);
  const around = emit.ints([0, 0, ...begins, 0, 0, ...ends]);
  const map = isPadded ? emit.op("Pad", [x(), around, LOWEST]) : x();
  const axes = emit.ints(kernel.map((_, i) => i + 2));
  const taps = kernel.reduce<number[][]>(
    (all, k) => all.flatMap((tap) => Array.from({ length: k }, (_, i) => [...tap, i])),
    [[]],
  );
  let free: string | number = 1;
  const parts = taps.map((tap) => {
    const from = tap.map((t, i) => t * dilations[i]!);
    const to = from.map((start, i) => start + (out[i]! - 1) * strides[i]! + 1);
    const seen = emit.op("Slice", [map, emit.ints(from), emit.ints(to), axes, emit.ints(strides)]);
    const taken = emit.where(emit.op("Equal", [seen, y()]), free, 0);
    free = emit.sub(free, taken);
    return emit.op("Unsqueeze", [emit.mul(taken, dy), emit.ints([2])]);
  });
  const stacked = emit.op("Concat", parts, { axis: { kind: "int", value: 2 } });
  const rows = emit.reshape(stacked, [0, channels * taps.length, ...out]);
  // The kernel of tap t is 1 at t alone.
  const one = new Float32Array(taps.length ** 2);
  for (let t = 0; t < taps.length; t++) one[t * taps.length + t] = 1;
  const each = emit.constant(float32([1, taps.length, 1, ...kernel], one));
  const expanded = emit.op("Expand", [each, emit.ints([channels, taps.length, 1, ...kernel])]);
  const weight = emit.reshape(expanded, [channels * taps.length, 1, ...kernel]);
  return [spreadBy(emit, rows, weight, window, channels)];
};

/** The first place of the maximum by a ramp of floats. */
const GlobalMaxPool: Rule = (dy, { emit, x, y }) => {
  const area = emit
    .shape(x())
    .slice(2)
    .reduce<number>((a, b) => a * (b ?? Number.NaN), 1);
  const flat = (value: string): string => emit.reshape(value, [0, 0, -1]);
  const ramp = emit.constant(
    float32(
      [1, 1, area],
      Array.from({ length: area }, (_, i) => i),
    ),
  );
  const place = emit.where(emit.op("Equal", [flat(x()), flat(y())]), ramp, area);
  const first = emit.op("ReduceMin", [place, emit.ints([2])]);
  return [emit.reshapeLike(emit.where(emit.op("Equal", [place, first]), flat(dy), 0), x())];
};

export const webgpu: Overlay = {
  id: "the WebGPU engine",
  lay: (rules) => ({ ...rules, MaxPool, GlobalMaxPool }),
};
