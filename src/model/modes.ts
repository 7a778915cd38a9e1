/** The preprocessing modes, as data: help, documentation and the model read the same table (values: keras imagenet_utils.py). */
import { ConvlensError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import type { Preprocessing } from "./card.ts";

/** Pixel 0..255 to input value: `(pixel * scale - mean) / std` per channel. */
export type PixelRule = Pick<Preprocessing, "scale" | "mean" | "std" | "channels">;

export interface PreprocessingMode {
  readonly id: string;
  /** For people, `x` being a pixel's value 0..255. */
  readonly formula: string;
  /** Networks that are usually trained so. */
  readonly networks: string;
  readonly rule: PixelRule;
}

const ones = [1, 1, 1];
const zeros = [0, 0, 0];

export const preprocessingModes: readonly PreprocessingMode[] = [
  {
    id: "raw",
    formula: "x, 0 to 255, RGB",
    networks: "networks that scale their input themselves: MobileNetV3, EfficientNet, ConvNeXt of Keras",
    rule: { scale: 1, mean: zeros, std: ones, channels: "RGB" },
  },
  {
    id: "unit",
    formula: "x / 255, RGB",
    networks: "most small networks of courses and tutorials",
    rule: { scale: 1 / 255, mean: zeros, std: ones, channels: "RGB" },
  },
  {
    id: "tf",
    formula: "x / 127.5 - 1, RGB",
    networks: "Keras' MobileNet, MobileNetV2, InceptionV3, Xception, ResNetV2, NASNet",
    rule: { scale: 1 / 127.5, mean: ones, std: ones, channels: "RGB" },
  },
  {
    id: "torch",
    formula: "(x / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225], RGB",
    networks: "torchvision and timm networks, most ONNX exports; Keras' DenseNet",
    rule: { scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], channels: "RGB" },
  },
  {
    id: "caffe",
    formula: "x - [103.939, 116.779, 123.68], BGR",
    networks: "Keras' VGG16, VGG19, ResNet50, ResNet101, ResNet152; Caffe's networks",
    rule: { scale: 1, mean: [103.939, 116.779, 123.68], std: ones, channels: "BGR" },
  },
];

/** Which mode a network of keras.applications takes, by the first letters of its name (longest first). */
const kerasNetworks: readonly (readonly [prefix: string, mode: string])[] = [
  ["inceptionresnetv2", "tf"],
  ["efficientnet", "raw"],
  ["inceptionv3", "tf"],
  ["mobilenetv3", "raw"],
  ["resnet101v2", "tf"],
  ["resnet152v2", "tf"],
  ["resnet50v2", "tf"],
  ["mobilenet", "tf"],
  ["convnext", "raw"],
  ["densenet", "torch"],
  ["xception", "tf"],
  ["nasnet", "tf"],
  ["resnet", "caffe"],
  ["vgg", "caffe"],
];

/** The mode of a name: `torch`, or `keras:vgg16` by network. Throws `option-invalid` with the nearest names. */
export function preprocessingMode(name: string): PreprocessingMode {
  const network = /^keras:(.*)$/i
    .exec(name)?.[1]
    ?.toLowerCase()
    .replace(/[\s_-]/g, "");
  if (network !== undefined) {
    const known = kerasNetworks.find(([prefix]) => network.startsWith(prefix));
    if (!known) {
      const names = kerasNetworks.map(([prefix]) => `keras:${prefix}`);
      throw new ConvlensError(
        "option-invalid",
        `preprocessing "${name}" names no network of keras.applications.${didYouMean(name, names)}`,
      );
    }
    return preprocessingMode(known[1]);
  }
  const ids = preprocessingModes.map((mode) => mode.id);
  const mode = preprocessingModes.find(({ id }) => id === name);
  if (!mode)
    throw new ConvlensError(
      "option-invalid",
      `preprocessing "${name}" is unknown: use ${ids.join(", ")}, keras:NETWORK or a .json file.${didYouMean(name, ids)}`,
    );
  return mode;
}
