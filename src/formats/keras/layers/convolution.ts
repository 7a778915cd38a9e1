/**
 * Convolutions. Keras' kernels are [sides …, in / groups, out]; a Transpose over the stored weight brings them to
 * ONNX's [out, in / groups, sides …].
 */
import { int, ints } from "../../../graph/builder.ts";
import type { EmitContext, KerasLayer, LayerEmitter } from "../layer.ts";
import { activate } from "./functions.ts";
import { channelsFirst, channelsOf, needRank } from "./layout.ts";
import { type LayerWeights, onlyInput, settingsOf, weightsOf } from "./settings.ts";
import { type Attributes, noPadding, samePadding, type Window, windowAttributes } from "./window.ts";

const windowOf = (layer: KerasLayer, context: EmitContext, sides: number): Window => {
  const settings = settingsOf(layer, context);
  return {
    kernel: settings.counts("kernel_size", sides),
    strides: settings.counts("strides", sides, 1),
    dilations: settings.counts("dilation_rate", sides, 1),
  };
};

/** For a value with axes [batch, channels, sides …]. */
function padding(layer: KerasLayer, context: EmitContext, window: Window, value: string): Attributes {
  const sides = window.kernel.length;
  const choices = sides === 1 ? (["valid", "same", "causal"] as const) : (["valid", "same"] as const);
  const kind = settingsOf(layer, context).choice<"valid" | "same" | "causal">("padding", choices, "valid");
  if (kind === "valid") return noPadding(sides);
  if (kind === "same") return samePadding(window, context.shapeOf(value).slice(2));
  return { pads: ints([(window.kernel[0]! - 1) * window.dilations[0]!, 0]) };
}

/** Axes that bring a kernel [sides …, a, b] to [b, a, sides …]. */
const reversedChannels = (sides: number): readonly number[] => [sides + 1, sides, ...axesUpTo(sides)];
/** … and to [a, b, sides …]. */
const channelsAhead = (sides: number): readonly number[] => [sides, sides + 1, ...axesUpTo(sides)];
const axesUpTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** What all convolutions read first. */
function opened(layer: KerasLayer, inputs: readonly string[], context: EmitContext, sides: number) {
  const settings = settingsOf(layer, context);
  const input = onlyInput(layer, inputs, context);
  needRank(layer, context, input, sides + 2);
  const window = windowOf(layer, context, sides);
  return {
    settings,
    input,
    window,
    channels: channelsOf(layer, context, input),
    hasBias: settings.flag("use_bias", true),
  };
}

function convolution(sides: number): LayerEmitter {
  return (layer, { inputs }, context) => {
    const { settings, input, window, channels, hasBias } = opened(layer, inputs, context, sides);
    const groups = settings.count("groups", 1);
    const filters = settings.count("filters");
    if (channels % groups !== 0 || filters % groups !== 0)
      context.invalid(layer, `has ${groups} groups for ${channels} channels and ${filters} filters`);
    const weights = weightsOf(layer, context, [
      ["kernel", [...window.kernel, channels / groups, filters]],
      ...(hasBias ? [["bias", [filters]] as const] : []),
    ]);
    const kernel = weights.value("kernel", { axes: reversedChannels(sides) });
    const bias = hasBias ? [weights.value("bias")] : [];
    const output = channelsFirst(layer, context, input, (x) =>
      context.build.node("Conv", [x, kernel, ...bias], {
        attributes: { ...windowAttributes(window), ...padding(layer, context, window, x), group: int(groups) },
      }),
    );
    return { outputs: [activate(layer, context, output)], weights: weights.records };
  };
}

/** A kernel [sides …, channels, multiplier] as that of a convolution with one group a channel. */
const depthwiseKernel = (weights: LayerWeights, { kernel }: Window, outputs: number): string =>
  weights.value("depthwise_kernel", { axes: channelsAhead(kernel.length), shape: [outputs, 1, ...kernel] });

function depthwiseConvolution(sides: number): LayerEmitter {
  return (layer, { inputs }, context) => {
    const { settings, input, window, channels, hasBias } = opened(layer, inputs, context, sides);
    const multiplier = settings.count("depth_multiplier", 1);
    const weights = weightsOf(layer, context, [
      ["depthwise_kernel", [...window.kernel, channels, multiplier]],
      ...(hasBias ? [["bias", [channels * multiplier]] as const] : []),
    ]);
    const kernel = depthwiseKernel(weights, window, channels * multiplier);
    const bias = hasBias ? [weights.value("bias")] : [];
    const output = channelsFirst(layer, context, input, (x) =>
      context.build.node("Conv", [x, kernel, ...bias], {
        attributes: { ...windowAttributes(window), ...padding(layer, context, window, x), group: int(channels) },
      }),
    );
    return { outputs: [activate(layer, context, output)], weights: weights.records };
  };
}

function separableConvolution(sides: number): LayerEmitter {
  return (layer, { inputs }, context) => {
    const { settings, input, window, channels, hasBias } = opened(layer, inputs, context, sides);
    const multiplier = settings.count("depth_multiplier", 1);
    const filters = settings.count("filters");
    const ones = new Array<number>(sides).fill(1);
    const weights = weightsOf(layer, context, [
      ["depthwise_kernel", [...window.kernel, channels, multiplier]],
      ["pointwise_kernel", [...ones, channels * multiplier, filters]],
      ...(hasBias ? [["bias", [filters]] as const] : []),
    ]);
    const kernel = depthwiseKernel(weights, window, channels * multiplier);
    const mixing = weights.value("pointwise_kernel", { axes: reversedChannels(sides) });
    const bias = hasBias ? [weights.value("bias")] : [];
    const point = windowAttributes({ kernel: ones, strides: ones, dilations: ones });
    const output = channelsFirst(layer, context, input, (x) => {
      const each = context.build.node("Conv", [x, kernel], {
        attributes: { ...windowAttributes(window), ...padding(layer, context, window, x), group: int(channels) },
      });
      return context.build.node("Conv", [each, mixing, ...bias], {
        attributes: { ...point, ...noPadding(sides), group: int(1) },
      });
    });
    return { outputs: [activate(layer, context, output)], weights: weights.records };
  };
}

/**
 * The gradient of a convolution as a layer. Keras fixes the output's size, out = n * stride ("same") or
 * n * stride + max(reach - stride, 0) ("valid") unless output_padding says otherwise; what the plain formula
 * (n - 1) * stride + reach has more of is cut, half at the beginning, rounded down.
 */
function transposedConvolution(sides: number): LayerEmitter {
  return (layer, { inputs }, context) => {
    const { settings, input, window, channels, hasBias } = opened(layer, inputs, context, sides);
    const filters = settings.count("filters");
    const weights = weightsOf(layer, context, [
      ["kernel", [...window.kernel, filters, channels]],
      ...(hasBias ? [["bias", [filters]] as const] : []),
    ]);
    const cuts = transposedCuts(layer, context, window);
    const begins = cuts.map((cut) => Math.max(0, Math.floor(cut / 2)));
    const ends = cuts.map((cut, i) => Math.max(0, cut - begins[i]!));
    const more = cuts.map((cut, i) => begins[i]! + ends[i]! - cut);
    if (more.some((n, i) => n >= Math.max(window.strides[i]!, window.dilations[i]!)))
      context.refuse(layer, `pads its output by ${more.join(", ")}, which is no less than its strides`);
    const kernel = weights.value("kernel", { axes: reversedChannels(sides) });
    const bias = hasBias ? [weights.value("bias")] : [];
    const pads = { pads: ints([...begins, ...ends]), output_padding: ints(more) };
    const output = channelsFirst(layer, context, input, (x) =>
      context.build.node("ConvTranspose", [x, kernel, ...bias], {
        attributes: { ...windowAttributes(window), ...pads, group: int(1) },
      }),
    );
    return { outputs: [activate(layer, context, output)], weights: weights.records };
  };
}

/** By how much the output of each side is smaller than (n - 1) * stride + reach; negative where it is larger. */
function transposedCuts(layer: KerasLayer, context: EmitContext, { kernel, strides, dilations }: Window): number[] {
  const settings = settingsOf(layer, context);
  const same = settings.choice("padding", ["valid", "same"], "valid") === "same";
  const more = settings.integers("output_padding", []);
  if (![0, 1, kernel.length].includes(more.length))
    context.invalid(layer, `has output_padding [${more.join(", ")}], expected ${kernel.length} integers`);
  return kernel.map((k, i) => {
    const reach = (k - 1) * dilations[i]! + 1;
    const beyond = reach - strides[i]!;
    const extra = more[i] ?? more[0];
    if (extra !== undefined) return (same ? 2 * Math.floor(reach / 2) : 0) - extra;
    return same ? beyond : Math.min(beyond, 0);
  });
}

export const Conv1D: LayerEmitter = convolution(1);
export const Conv2D: LayerEmitter = convolution(2);
export const Conv3D: LayerEmitter = convolution(3);
export const DepthwiseConv1D: LayerEmitter = depthwiseConvolution(1);
export const DepthwiseConv2D: LayerEmitter = depthwiseConvolution(2);
export const SeparableConv1D: LayerEmitter = separableConvolution(1);
export const SeparableConv2D: LayerEmitter = separableConvolution(2);
export const Conv1DTranspose: LayerEmitter = transposedConvolution(1);
export const Conv2DTranspose: LayerEmitter = transposedConvolution(2);
export const Conv3DTranspose: LayerEmitter = transposedConvolution(3);
