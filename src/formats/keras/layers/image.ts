/** Layers that change the size or the range of pictures. */
import { float32 } from "../../../core/tensor.ts";
import type { LayerEmitter } from "../layer.ts";
import { layerOf } from "./layer-of.ts";
import { channelsFirst, needRank, sideAxes } from "./layout.ts";
import { numbersOf } from "./numbers.ts";
import { operandOf } from "./operands.ts";
import { cropTo, fixedSides, interpolations, modes, resizePicture, resizeTo } from "./resize.ts";
import { onlyInput, settingsOf } from "./settings.ts";

export const Resizing: LayerEmitter = layerOf((x, layer, context) => {
  const settings = settingsOf(layer, context);
  return resizePicture(layer, context, x, [settings.count("height"), settings.count("width")]);
});

/** The middle of the picture; one that is too small is resized after cropping it to the target's proportions. */
export const CenterCrop: LayerEmitter = layerOf((x, layer, context) => {
  needRank(layer, context, x, 4);
  const settings = settingsOf(layer, context);
  const size = [settings.count("height"), settings.count("width")] as const;
  const [height, width] = fixedSides(layer, context, x);
  if (height >= size[0] && width >= size[1]) return cropTo(layer, context, x, ...size);
  return resizePicture({ ...layer, config: { ...layer.config, crop_to_aspect_ratio: true } }, context, x, size);
});

/** Keras 2 resizes to the wanted size outside of training, Keras 3 leaves the picture alone. */
export const RandomCrop: LayerEmitter = layerOf((x, layer, context) => {
  if (context.kerasVersion >= 3) return context.build.node("Identity", [x]);
  const settings = settingsOf(layer, context);
  const config = { ...layer.config, crop_to_aspect_ratio: true };
  return resizePicture({ ...layer, config }, context, x, [settings.count("height"), settings.count("width")]);
});

function upSampling(sides: number): LayerEmitter {
  return layerOf((x, layer, context) => {
    const rank = sides + 2;
    needRank(layer, context, x, rank);
    const settings = settingsOf(layer, context);
    const factors = settings.counts("size", sides, 2);
    const interpolation = sides === 2 ? settings.choice("interpolation", interpolations, "nearest") : "nearest";
    const axes = sideAxes(layer, context, rank);
    if (!Object.hasOwn(modes, interpolation)) {
      const size = fixedSides(layer, context, x).map((n, i) => n * factors[i]!);
      return channelsFirst(layer, context, x, (y) => resizeTo(layer, context, y, size, interpolation, false));
    }
    if (interpolation !== "nearest") {
      const scales = context.build.constant(float32([4], [1, 1, ...factors]));
      return channelsFirst(layer, context, x, (y) =>
        context.build.node("Resize", [y, "", scales], { attributes: modes[interpolation]! }),
      );
    }
    const scales = new Float32Array(rank).fill(1);
    for (const [i, axis] of axes.entries()) scales[context.storedAxis(axis, rank)] = factors[i]!;
    return context.build.node("Resize", [x, "", context.build.constant(float32([rank], scales))], {
      attributes: modes.nearest!,
    });
  });
}

export const UpSampling1D: LayerEmitter = upSampling(1);
export const UpSampling2D: LayerEmitter = upSampling(2);
export const UpSampling3D: LayerEmitter = upSampling(3);

/** x * scale + offset; lists stand for the last axis (the channels of a channels_first model). */
export const Rescaling: LayerEmitter = (layer, { inputs }, context) => {
  const { build } = context;
  const x = onlyInput(layer, inputs, context);
  const rank = context.kerasShapeOf(x).length;
  const operand = (key: string, otherwise: number) => {
    const numbers = numbersOf(layer.config[key] ?? otherwise);
    if (!numbers) return context.invalid(layer, `has no numbers in ${key}`);
    const isChannels = context.sourceLayout === "NCHW" && numbers.dims.length === 1;
    return isChannels ? { ...numbers, dims: [...numbers.dims, 1, 1] } : numbers;
  };
  const [scale, offset] = [operand("scale", 1), operand("offset", 0)];
  const scaled = build.node("Mul", [x, operandOf(context, scale, rank)]);
  const output = offset.data.every((n) => n === 0)
    ? scaled
    : build.node("Add", [scaled, operandOf(context, offset, rank)]);
  return { outputs: [output], weights: context.weightRecords(layer, []) };
};
