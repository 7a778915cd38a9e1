/** Convolutions and poolings: everything that slides a window over the spatial axes. */
import { type Call, fact, type Rule, wantRank } from "./rule.ts";

interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Begins of all axes, then ends. */
  readonly pads: readonly number[];
}

/** The window attributes of a node over `rank` spatial axes, checked for length and sign. */
function windowOf(call: Call, kernel: readonly number[], rank: number): Window {
  const list = (name: string, length: number, otherwise: number, least: number): readonly number[] => {
    const given = call.ints(name) ?? new Array<number>(length).fill(otherwise);
    if (given.length !== length || given.some((n) => n < least))
      call.fail(`${name} = [${given.join(", ")}], expected ${length} numbers of ${least} or more`);
    return given;
  };
  if (kernel.length !== rank || kernel.some((n) => n < 1))
    call.fail(`the kernel has shape [${kernel.join(", ")}], expected ${rank} sizes of 1 or more`);
  return {
    kernel,
    strides: list("strides", rank, 1, 1),
    dilations: list("dilations", rank, 1, 1),
    pads: list("pads", 2 * rank, 0, Number.NEGATIVE_INFINITY),
  };
}

/** The spatial output sizes of a sliding window; `ceil` counts a last window that begins inside the input. */
function slide(call: Call, sizes: readonly number[], window: Window, ceil: boolean): number[] {
  const auto = call.text("auto_pad", "NOTSET");
  return sizes.map((size, i) => {
    const [kernel, stride, dilation] = [window.kernel[i]!, window.strides[i]!, window.dilations[i]!];
    if (auto === "SAME_UPPER" || auto === "SAME_LOWER") return Math.ceil(size / stride);
    const [head, tail] = auto === "VALID" ? [0, 0] : [window.pads[i]!, window.pads[i + sizes.length]!];
    const room = size + head + tail - (dilation * (kernel - 1) + 1);
    if (room < 0) call.fail(`a window of ${dilation * (kernel - 1) + 1} does not fit ${size + head + tail} places`);
    const count = (ceil ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1;
    return ceil && (count - 1) * stride >= size + head ? count - 1 : count;
  });
}

/** Shape of a convolution of input `x` with weight `w` (their positions differ between Conv and QLinearConv). */
function convolve(call: Call, x: number, w: number): number[] {
  const input = wantRank(call, x, 3);
  const weight = call.input(w).shape;
  if (weight.length !== input.length) call.fail(`the weight has rank ${weight.length}, the input ${input.length}`);
  const group = call.int("group", 1);
  if (input[1] !== weight[1]! * group)
    call.fail(`the input has ${input[1]} channels, the weight wants ${weight[1]} x ${group} groups`);
  if (group < 1 || weight[0]! % group !== 0) call.fail(`${weight[0]} channels cannot form ${group} groups`);
  const kernel = weight.slice(2);
  const stated = call.ints("kernel_shape");
  if (stated && stated.join() !== kernel.join())
    call.fail(`kernel_shape = [${stated.join(", ")}] contradicts the weight`);
  const window = windowOf(call, kernel, kernel.length);
  return [input[0]!, weight[0]!, ...slide(call, input.slice(2), window, false)];
}

function biasOf(call: Call, index: number, channels: number): void {
  const bias = call.optional(index);
  if (bias && bias.shape.join() !== String(channels))
    call.fail(`the bias has shape [${bias.shape.join(", ")}], expected [${channels}]`);
}

export const Conv: Rule = (call) => {
  const shape = convolve(call, 0, 1);
  biasOf(call, 2, shape[1]!);
  return [fact(call.input(0).type, shape)];
};
export const ConvInteger: Rule = (call) => [fact("int32", convolve(call, 0, 1))];
export const QLinearConv: Rule = (call) => {
  const shape = convolve(call, 0, 3);
  biasOf(call, 8, shape[1]!);
  return [fact(call.input(7).type, shape)];
};

export const DeformConv: Rule = (call) => {
  const shape = convolve(call, 0, 1);
  biasOf(call, 3, shape[1]!);
  return [fact(call.input(0).type, shape)];
};

export const ConvTranspose: Rule = (call) => {
  const input = wantRank(call, 0, 3);
  const weight = call.input(1).shape;
  if (weight.length !== input.length) call.fail(`the weight has rank ${weight.length}, the input ${input.length}`);
  if (input[1] !== weight[0]) call.fail(`the input has ${input[1]} channels, the weight wants ${weight[0]}`);
  const sizes = input.slice(2);
  const rank = sizes.length;
  const { kernel, strides, dilations, pads } = windowOf(call, weight.slice(2), rank);
  const extra = call.ints("output_padding") ?? new Array<number>(rank).fill(0);
  const wanted = call.ints("output_shape");
  const auto = call.text("auto_pad", "NOTSET");
  const out = sizes.map((size, i) => {
    if (wanted && wanted.length > 0) return wanted[wanted.length - rank + i] ?? -1;
    if (auto === "SAME_UPPER" || auto === "SAME_LOWER") return size * strides[i]!;
    const reach = strides[i]! * (size - 1) + (extra[i] ?? 0) + (kernel[i]! - 1) * dilations[i]! + 1;
    return auto === "VALID" ? reach : reach - pads[i]! - pads[i + rank]!;
  });
  const channels = weight[1]! * call.int("group", 1);
  biasOf(call, 2, channels);
  return [fact(call.input(0).type, [input[0]!, channels, ...out])];
};

const pool: Rule = (call) => {
  const input = wantRank(call, 0, 3);
  const sizes = input.slice(2);
  const kernel = call.ints("kernel_shape") ?? call.fail("kernel_shape is missing");
  const window = windowOf(call, kernel, sizes.length);
  const shape = [...input.slice(0, 2), ...slide(call, sizes, window, call.int("ceil_mode", 0) === 1)];
  return [fact(call.input(0).type, shape), fact("int64", shape)];
};
const oneOutput =
  (rule: Rule): Rule =>
  (call) =>
    rule(call).slice(0, 1);

export const MaxPool: Rule = pool;
export const AveragePool: Rule = oneOutput(pool);
export const LpPool: Rule = oneOutput(pool);

export const MaxUnpool: Rule = (call) => {
  const input = wantRank(call, 0, 3);
  if (call.optional(2)) return [fact(call.input(0).type, call.data(2))];
  const sizes = input.slice(2);
  const kernel = call.ints("kernel_shape") ?? call.fail("kernel_shape is missing");
  const { strides, pads } = windowOf(call, kernel, sizes.length);
  const out = sizes.map((n, i) => (n - 1) * strides[i]! - pads[i]! - pads[i + sizes.length]! + kernel[i]!);
  return [fact(call.input(0).type, [...input.slice(0, 2), ...out])];
};

const globalPool: Rule = (call) => {
  const shape = wantRank(call, 0, 2);
  return [fact(call.input(0).type, [shape[0]!, shape[1]!, ...shape.slice(2).map(() => 1)])];
};
export const GlobalAveragePool: Rule = globalPool;
export const GlobalMaxPool: Rule = globalPool;
export const GlobalLpPool: Rule = globalPool;

export const MaxRoiPool: Rule = (call) => {
  const pooled = call.ints("pooled_shape") ?? call.fail("pooled_shape is missing");
  return [fact(call.input(0).type, [call.input(1).shape[0] ?? -1, wantRank(call, 0, 4)[1]!, ...pooled])];
};
export const RoiAlign: Rule = (call) => {
  const size = [call.int("output_height", 1), call.int("output_width", 1)];
  return [fact(call.input(0).type, [call.input(1).shape[0] ?? -1, wantRank(call, 0, 4)[1]!, ...size])];
};

export const Col2Im: Rule = (call) => {
  const input = wantRank(call, 0, 3);
  const block = call.data(2).reduce((a, b) => a * b, 1);
  if (block < 1 || input[1]! % block !== 0) call.fail(`${input[1]} channels are no multiple of the block's ${block}`);
  return [fact(call.input(0).type, [input[0]!, input[1]! / block, ...call.data(1)])];
};
